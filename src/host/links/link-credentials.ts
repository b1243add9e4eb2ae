import { constants, type KeyObject } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';

/** What a peer shows on its links: its certificate, DER with the leaf first, and the leaf's key. */
export interface LinkCredentials {
  readonly privateKey: KeyObject;
  readonly chain: readonly Uint8Array[];
}

/**
 * TLS settings of every overlay link, whichever side began it: TLS 1.2 or 1.3, and each connection
 * is authenticated anew, so neither stateless tickets nor a session cache.
 *
 * `rootCertificates` serve OpenSSL's opinion alone; the own Authenticator decides.
 */
export function linkTlsOptions(
  credentials: LinkCredentials,
  rootCertificates: readonly Uint8Array[],
): SecureContextOptions {
  return {
    key: credentials.privateKey.export({ type: 'pkcs8', format: 'pem' }),
    cert: credentials.chain.map(toPem).join(''),
    ca: rootCertificates.map(toPem),
    minVersion: 'TLSv1.2',
    // TLS 1.3 has no signature scheme for secp256k1: such a leaf can be shown in TLS 1.2 only.
    maxVersion: isSecp256k1(credentials.privateKey) ? 'TLSv1.2' : 'TLSv1.3',
    ecdhCurve: CURVES,
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
  };
}

export function linkSecureContext(
  credentials: LinkCredentials,
  rootCertificates: readonly Uint8Array[],
): SecureContext {
  return createSecureContext(linkTlsOptions(credentials, rootCertificates));
}

export function toPem(der: Uint8Array): string {
  const base64 = Buffer.from(der).toString('base64').replace(/.{64}/g, '$&\n').trimEnd();
  return `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`;
}

export function isSecp256k1(key: KeyObject): boolean {
  return key.asymmetricKeyDetails?.namedCurve === 'secp256k1';
}

const CURVES = 'X25519:P-256:P-384:secp256k1';
