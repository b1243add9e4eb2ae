/**
 * Why there is no certificate: the four answers of RFC 6940 §11.3, and what can go wrong on the
 * way to one.
 */
export type EnrollmentFailureCode =
  | 'failed_authentication'
  | 'username_not_available'
  | 'Node-IDs_not_available'
  | 'bad_CSR'
  /** A 403 with a token that we do not know, or any other status. */
  | 'refused'
  | 'too-many-requests'
  | 'redirected'
  | 'unreachable'
  | 'untrusted-server'
  /** What came back is no certificate for us. */
  | 'bad-certificate';

/** A certificate was not obtained. The message says what happened and what to do. */
export class EnrollmentFailure extends Error {
  readonly code: EnrollmentFailureCode;

  /** After how long the server wants to be asked again, if it says so. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: EnrollmentFailureCode,
    message: string,
    options?: ErrorOptions & { readonly retryAfterSeconds?: number },
  ) {
    super(message, options);
    this.name = 'EnrollmentFailure';
    this.code = code;
    this.retryAfterSeconds = options?.retryAfterSeconds;
  }
}

/** What the sender of a request knows about it. */
export interface FailedRequest {
  readonly url: string;
  /** undefined: a renewal. */
  readonly userName: string | undefined;
}

/**
 * The failure that a 403 means. "If the client receives an unknown token in the body, it SHOULD
 * treat it as a failure for an unknown reason" (RFC 6940 §11.3).
 */
export function failureOfToken(token: string, request: FailedRequest): EnrollmentFailure {
  const { url, userName } = request;
  switch (token) {
    case 'failed_authentication':
      return new EnrollmentFailure(
        token,
        userName === undefined
          ? `${url} does not renew this certificate (it may be revoked or expired); enroll anew ` +
              'with user name and password'
          : `${url} refuses the user name ${userName} with this password; check both, or ask the ` +
              'operator of the authority for an account',
      );
    case 'username_not_available':
      return new EnrollmentFailure(
        token,
        `${url} gives no certificate for ${userName ?? 'this user'}; ask for the user name that ` +
          'the account has',
      );
    case 'Node-IDs_not_available':
      return new EnrollmentFailure(
        token,
        `${url} gives ${userName ?? 'this user'} no further Node-ID: the account has all the ` +
          'devices it may have; have an old one revoked or the limit raised by its operator',
      );
    case 'bad_CSR':
      return new EnrollmentFailure(
        token,
        `${url} does not take the signing request; make a new key, of another type if it was ` +
          'refused before (p256 is taken everywhere)',
      );
    default:
      return new EnrollmentFailure(
        'refused',
        `${url} refuses for a reason that this program does not know: "${token.slice(0, 80)}"`,
      );
  }
}
