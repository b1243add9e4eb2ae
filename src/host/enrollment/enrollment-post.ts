import { type KeyObject, X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type RequestOptions, request } from 'node:https';
import { checkServerIdentity, type PeerCertificate, rootCertificates } from 'node:tls';
import { readBody } from '../authority/http-exchange.ts';
import { toPem } from '../links/link-credentials.ts';
import { EnrollmentFailure } from './enrollment-failure.ts';
import { formContentType } from './multipart.ts';

/** One POST of a form to an enrollment server. */
export interface EnrollmentPost {
  readonly url: string;
  readonly boundary: string;
  readonly form: Uint8Array;
  /** PEM certificates that the server's chain may end in, beside Node's own roots. */
  readonly trust: string | undefined;
  /** The server's certificate must match one of these names (RFC 2818). */
  readonly serverNames: readonly string[];
  /** Shown in the handshake, for a renewal: DER, the leaf first. */
  readonly client?: { readonly chain: readonly Uint8Array[]; readonly privateKey: KeyObject };
  readonly signal: AbortSignal | undefined;
}

export interface EnrollmentAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly retryAfterSeconds: number | undefined;
  /** Of a chain: its first certificate, DER. */
  readonly body: Uint8Array;
  /** The others of a chain, DER. */
  readonly pool: readonly Uint8Array[];
}

/**
 * Posts a form over HTTPS and never follows a redirect: it holds a password, and whoever answers
 * with another place may be nobody the user trusts. Throws EnrollmentFailure.
 */
export async function postEnrollment(post: EnrollmentPost): Promise<EnrollmentAnswer> {
  const response = await send(post);
  const status = response.statusCode ?? 0;
  if (status >= 300 && status < 400) {
    response.destroy();
    throw new EnrollmentFailure(
      'redirected',
      `${post.url} redirects to ${String(response.headers.location).slice(0, 200)}; ` +
        'a password is not sent on: use that URL only if the operator says so',
    );
  }
  const body = await readBody(response, ANSWER_BYTES_MAX).catch((cause: Error) => {
    throw post.signal?.aborted === true ? post.signal.reason : failureOf(post, cause);
  });
  if (body === undefined) {
    response.destroy();
    throw new EnrollmentFailure(
      'bad-certificate',
      `${post.url} answers with more than ${ANSWER_BYTES_MAX} bytes`,
    );
  }
  const contentType = typeOf(response.headers['content-type']);
  const retryAfterSeconds = secondsOf(response.headers['retry-after']);
  if (contentType !== CHAIN_TYPE) return { status, contentType, retryAfterSeconds, body, pool: [] };
  const [certificate, ...pool] = certificatesOfChain(post.url, body);
  return { status, contentType: CERTIFICATE_TYPE, retryAfterSeconds, body: certificate, pool };
}

/** What an authority below another one sends: PEM, the certificate first (RFC 8555 §9.1). */
function certificatesOfChain(url: string, body: Uint8Array): [Uint8Array, ...Uint8Array[]] {
  const pems = Buffer.from(body).toString('latin1').match(CERTIFICATE_BLOCK) ?? [];
  try {
    const [first, ...others] = pems.map((pem) => new Uint8Array(new X509Certificate(pem).raw));
    if (first !== undefined) return [first, ...others];
  } catch {
    // OpenSSL reads no certificate there: the same as none.
  }
  throw new EnrollmentFailure(
    'bad-certificate',
    `${url} answers with a chain that holds no certificates; tell its operator`,
  );
}

/** Retry-After in seconds; as a date it is not read, and anything else is nothing. */
function secondsOf(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,9}$/.test(header) ? Number(header) : undefined;
}

function typeOf(header: string | undefined): string {
  return (header ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

function send(post: EnrollmentPost): Promise<IncomingMessage> {
  const url = new URL(post.url);
  if (url.protocol !== 'https:') {
    throw new EnrollmentFailure(
      'untrusted-server',
      `${post.url} is not an https URL; a password is sent over HTTPS alone (RFC 6940 §11.3)`,
    );
  }
  return new Promise((resolve, reject) => {
    const timeout = AbortSignal.timeout(ANSWER_MS_MAX);
    const signals = post.signal === undefined ? [timeout] : [timeout, post.signal];
    const outgoing = request(
      url,
      {
        method: 'POST',
        // No agent: no connection or TLS session of somebody else is used again.
        agent: false,
        signal: AbortSignal.any(signals),
        headers: {
          Accept: `${CERTIFICATE_TYPE}, ${CHAIN_TYPE}`,
          'Content-Type': formContentType(post.boundary),
          'Content-Length': String(post.form.length),
        },
        ...tlsOptions(post),
      },
      resolve,
    );
    outgoing.on('error', (cause) => {
      reject(post.signal?.aborted === true ? post.signal.reason : failureOf(post, cause));
    });
    outgoing.end(post.form);
  });
}

function tlsOptions(post: EnrollmentPost): RequestOptions {
  const { client, trust } = post;
  return {
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true,
    checkServerIdentity: (_host, certificate) => nameFault(post.serverNames, certificate),
    ...(trust === undefined ? {} : { ca: [...rootCertificates, trust] }),
    ...(client === undefined
      ? {}
      : {
          cert: client.chain.map(toPem).join(''),
          key: client.privateKey.export({ type: 'pkcs8', format: 'pem' }),
          ...(client.privateKey.asymmetricKeyDetails?.namedCurve === 'secp256k1'
            ? // TLS 1.3 has no signature scheme for this curve.
              { maxVersion: 'TLSv1.2' as const, ecdhCurve: 'X25519:P-256:P-384:secp256k1' }
            : {}),
        }),
  };
}

/** RFC 6940 §11.3: "The server certificate MUST match the overlay name"; undefined: it does. */
function nameFault(
  serverNames: readonly string[],
  certificate: PeerCertificate,
): Error | undefined {
  const faults = serverNames.map((name) => checkServerIdentity(name, certificate));
  return faults.some((fault) => fault === undefined)
    ? undefined
    : new Error(`its certificate names none of ${serverNames.join(', ')}`);
}

function failureOf(post: EnrollmentPost, cause: Error): EnrollmentFailure {
  const { code = '' } = cause as NodeJS.ErrnoException;
  if (cause.name === 'TimeoutError' || cause.name === 'AbortError') {
    const seconds = ANSWER_MS_MAX / 1000;
    const message = `${post.url} does not answer within ${seconds} s; try again later`;
    return new EnrollmentFailure('unreachable', message, { cause });
  }
  const isTls =
    /CERT|SELF_SIGNED|UNABLE_TO|ERR_TLS/.test(code) || /certificate/.test(cause.message);
  return isTls
    ? new EnrollmentFailure(
        'untrusted-server',
        `the HTTPS server of ${post.url} is not the right one: ${cause.message}; give its root ` +
          'certificate with --trust if you know it',
        { cause },
      )
    : new EnrollmentFailure(
        'unreachable',
        `${post.url} cannot be reached (${code || cause.message}); check the address and try again`,
        { cause },
      );
}

const CERTIFICATE_TYPE = 'application/pkix-cert';
const CHAIN_TYPE = 'application/pem-certificate-chain';
const CERTIFICATE_BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
const ANSWER_MS_MAX = 30_000;
const ANSWER_BYTES_MAX = 65_536;
