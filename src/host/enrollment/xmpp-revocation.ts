import { type KeyObject, sign } from 'node:crypto';
import { type Certificate, parseCertificate } from '../../tls-auth/certificate.ts';
import { CertificateRefusal } from '../../tls-auth/certificate-refusal.ts';
import { revocationElement } from '../../xmpp/enrollment/x509-request.ts';
import { xmppSignatureHash } from '../../xmpp/enrollment/xmpp-signature.ts';
import type { ServerConnection } from '../xmpp/account/server-connection.ts';
import { EnrollmentFailure } from './enrollment-failure.ts';

/** What is to be revoked, with its key. */
export interface RevokedIdentity {
  readonly privateKey: KeyObject;
  readonly certificateDer: Uint8Array;
  /** DER, the leaf first, without the root. */
  readonly chain: readonly Uint8Array[];
}

/**
 * Has the authority revoke a certificate (XEP-0417 §7): the request is signed with its key. Throws
 * EnrollmentFailure, StanzaErrorAnswer or ServerConnectionError.
 */
export async function revokeOverXmpp(
  connection: Pick<ServerConnection, 'iq'>,
  authority: string,
  { certificateDer, privateKey }: RevokedIdentity,
): Promise<void> {
  const certificate = readable(certificateDer);
  const hash = certificate === undefined ? undefined : xmppSignatureHash(certificate);
  if (certificate === undefined || hash === undefined) {
    throw new EnrollmentFailure(
      'bad-certificate',
      'the certificate is signed in a way that XEP-0417 has no request for; ask the operator of ' +
        'the authority to revoke it',
    );
  }
  const signature = new Uint8Array(sign(hash, certificate.tbsCertificate, privateKey));
  await connection.iq(authority, 'set', revocationElement(certificateDer, signature));
}

/**
 * The XMPP address of the authority that issued: of the nearest certificate above the leaf that has
 * one (XEP-0417 §7). Undefined: none of them takes requests over XMPP.
 */
export function authorityAddressOf(
  chain: readonly Uint8Array[],
  rootCertificates: readonly Uint8Array[],
): string | undefined {
  const [leaf, ...above] = chain.flatMap((der) => readable(der) ?? []);
  const last = above.at(-1) ?? leaf;
  const roots = rootCertificates
    .flatMap((der) => readable(der) ?? [])
    .filter(({ subject }) => last !== undefined && subject.equals(last.issuer));
  const addresses = [...above, ...roots].flatMap(
    ({ extensions }) => extensions.subjectAltName?.xmppAddrs ?? [],
  );
  return addresses.find((address) => !address.includes('@') && !address.includes('/'));
}

function readable(der: Uint8Array): Certificate | undefined {
  const certificate = parseCertificate(der);
  return certificate instanceof CertificateRefusal ? undefined : certificate;
}
