import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import { type ConnectionOptions, checkServerIdentity, type TLSSocket } from 'node:tls';
import { DerReader, DerTag, MalformedDer } from '../../../tls-auth/der-reader.ts';
import { derObjectIdentifier } from '../../../tls-auth/der-value.ts';
import { SignatureOid } from '../../../tls-auth/object-identifier.ts';
import type { ServerFailure } from '../../../xmpp/account/server-failure.ts';
import type { ServerTls } from '../../../xmpp/account/server-tls.ts';

/** With what an account is logged in to by certificate: PEM, the leaf first. */
export interface ClientCertificate {
  readonly certificate: string;
  readonly privateKey: string;
}

export interface ServerTlsOptions {
  /** The domain of the account: A-labels, or an IP address. */
  readonly host: string;
  readonly isDirect: boolean;
  /** PEM of the authorities to trust instead of the system's. */
  readonly caCertificates: readonly string[] | undefined;
  readonly clientCertificate: ClientCertificate | undefined;
}

/**
 * TLS towards a server: its chain leads to a trusted authority, and its certificate is for the
 * domain of the account, whatever address was connected to (RFC 6120 §13.7, RFC 6125). There is no
 * way around that. A certificate without subjectAltName is for nobody (RFC 9525 §2).
 */
export function serverTlsOptions(options: ServerTlsOptions): ConnectionOptions {
  const { host, isDirect, caCertificates, clientCertificate } = options;
  return {
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true,
    checkServerIdentity: (_name, certificate) => {
      if (certificate.subjectaltname === undefined) {
        return new Error('it names no host in its subjectAltName');
      }
      return checkServerIdentity(host, certificate);
    },
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(isDirect ? { ALPNProtocols: ['xmpp-client'] } : {}),
    ...(caCertificates === undefined ? {} : { ca: [...caCertificates] }),
    ...(clientCertificate === undefined
      ? {}
      : { cert: clientCertificate.certificate, key: clientCertificate.privateKey }),
  };
}

/** What a finished handshake offers for channel binding. */
export function serverTlsOf(socket: TLSSocket): ServerTls {
  const isVersion13 = socket.getProtocol() === 'TLSv1.3';
  const finished = isVersion13 || socket.isSessionReused() ? undefined : socket.getFinished();
  const { raw } = socket.getPeerCertificate();
  return {
    serverEndPoint: raw === undefined ? undefined : endPointOf(new Uint8Array(raw)),
    exporter: isVersion13
      ? new Uint8Array(socket.exportKeyingMaterial(EXPORTER_LENGTH, EXPORTER_LABEL, NO_CONTEXT))
      : undefined,
    unique: finished === undefined ? undefined : new Uint8Array(finished),
  };
}

/** Why there is no TLS, as a sentence. */
export function tlsFailure(error: Error, host: string, place: string): ServerFailure {
  const code = 'code' in error ? String(error.code) : '';
  const isCertificate = CERTIFICATE_CODE.test(code) || error.message.startsWith('it names no host');
  if (!isCertificate) {
    return { code: 'no-tls', reason: `no TLS with ${place}: ${error.message}` };
  }
  const reason =
    `the certificate at ${place} does not prove that this is the server of ${host}: ` +
    `${error.message}; nothing was sent`;
  return { code: 'certificate', reason };
}

/** RFC 5929 §4.1: with the hash of the certificate's signature; undefined where it has none. */
function endPointOf(certificate: Uint8Array): Uint8Array | undefined {
  const hash = signatureHash(certificate);
  if (hash === undefined) return undefined;
  return new Uint8Array(createHash(hash).update(certificate).digest());
}

function signatureHash(certificate: Uint8Array): string | undefined {
  try {
    const outer = new DerReader(new DerReader(certificate).element(DerTag.sequence).contents);
    outer.any();
    const algorithm = new DerReader(outer.element(DerTag.sequence).contents);
    return HASHES.get(derObjectIdentifier(algorithm.element(DerTag.objectIdentifier)));
  } catch (error) {
    if (!(error instanceof MalformedDer)) throw error;
    return undefined;
  }
}

const HASHES: ReadonlyMap<string, string> = new Map([
  [SignatureOid.rsaWithSha256, 'sha256'],
  [SignatureOid.rsaWithSha384, 'sha384'],
  [SignatureOid.rsaWithSha512, 'sha512'],
  [SignatureOid.ecdsaWithSha256, 'sha256'],
  [SignatureOid.ecdsaWithSha384, 'sha384'],
  [SignatureOid.ecdsaWithSha512, 'sha512'],
]);
/** What OpenSSL and Node call the faults of a certificate. */
const CERTIFICATE_CODE =
  /CERT|UNABLE_TO_|SELF_SIGNED|INVALID_(?:CA|PURPOSE)|PATH_LENGTH|HOSTNAME_MISMATCH|SIGNATURE/;
const EXPORTER_LENGTH = 32;
/** RFC 9266 §4.2. */
const EXPORTER_LABEL = 'EXPORTER-Channel-Binding';
const NO_CONTEXT = Buffer.alloc(0);
