import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { CertificateContent } from '../../ca/certificate-content.ts';
import { toPem } from '../links/link-credentials.ts';
import { AuthorityFailure } from './authority-failure.ts';
import { buildCertificate } from './certificate-builder.ts';
import { type KeyPair, keyPairOf, type SigningKey } from './signing-key.ts';

/** A key with its certificate. */
export interface CertifiedKey extends KeyPair {
  /** DER. */
  readonly certificate: Uint8Array;
}

/**
 * The keys of an authority and the names of their files. The HTTPS root is a root of its own that
 * no configuration names: whoever holds its key can pose as the web server, never as a node.
 */
export const AUTHORITY_KEYS = {
  root: { certificate: 'root.pem', key: 'root-key.pem' },
  httpsRoot: { certificate: 'https.pem', key: 'https-root-key.pem' },
  httpsServer: { certificate: 'https-server.pem', key: 'https-server-key.pem' },
  configurationSigner: {
    certificate: 'configuration-signer.pem',
    key: 'configuration-signer-key.pem',
  },
  kindSigner: { certificate: 'kind-signer.pem', key: 'kind-signer-key.pem' },
} as const;
export type AuthorityKeyName = keyof typeof AUTHORITY_KEYS;
export type AuthorityKeys = Readonly<Record<AuthorityKeyName, CertifiedKey>>;

/** Certifies a key: with the issuer's, or with itself. */
export async function certifyKey(
  key: KeyPair,
  content: CertificateContent,
  issuer: SigningKey,
): Promise<CertifiedKey> {
  const certificate = await buildCertificate(content, key.subjectPublicKeyInfo, issuer);
  return { ...key, certificate };
}

export function privateKeyPem(key: KeyPair): string {
  return key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

export function certificatePem(key: CertifiedKey): string {
  return toPem(key.certificate);
}

/** Reads a key and its certificate. Throws AuthorityFailure when they are none or do not fit. */
export function readCertifiedKey(name: string, keyPem: string, certificate: string): CertifiedKey {
  try {
    const privateKey = createPrivateKey(keyPem);
    const parsed = new X509Certificate(certificate);
    if (parsed.checkPrivateKey(privateKey)) {
      return { ...keyPairOf(privateKey), certificate: new Uint8Array(parsed.raw) };
    }
  } catch (error) {
    throw new AuthorityFailure(
      `the key or certificate of ${name} cannot be read (${String(error)}); ` +
        'restore it from a backup',
      { cause: error },
    );
  }
  throw new AuthorityFailure(
    `the key and the certificate of ${name} do not belong together; restore them from a backup`,
  );
}
