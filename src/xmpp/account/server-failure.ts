/** Why a connection to a server did not come up, or ended. */
export type ServerFailureCode =
  /** Nobody answers at the server's addresses, or it has none. */
  | 'unreachable'
  /** The server let a step take too long. */
  | 'timeout'
  /** There is no TLS, so nothing was said. */
  | 'no-tls'
  /** The server's certificate does not prove that it is the server of the account. */
  | 'certificate'
  /** The server refuses the password or the certificate. */
  | 'credentials'
  /** It offers no way to log in that is safe and that the credentials serve. */
  | 'mechanism'
  /** It does not speak as RFC 6120 wants. */
  | 'protocol'
  /** It ended the stream with an error. */
  | 'stream-error'
  /** It ended the stream or the connection without one. */
  | 'closed'
  /** This end closed it. */
  | 'stopped';

export interface ServerFailure {
  readonly code: ServerFailureCode;
  /** A sentence for people. No secret is in it. */
  readonly reason: string;
  /** The condition of a stream error (RFC 6120 §4.9.3) or SASL failure (§6.5). */
  readonly condition?: string;
}

/** What the other end wrote, for a sentence: short, on one line, without control characters. */
export function quoted(text: string): string {
  const plain = text.replace(/[\p{C}\p{Z}]+/gu, ' ').trim();
  return plain.length > QUOTED_LENGTH_MAX ? `${plain.slice(0, QUOTED_LENGTH_MAX)}…` : plain;
}

const QUOTED_LENGTH_MAX = 200;
