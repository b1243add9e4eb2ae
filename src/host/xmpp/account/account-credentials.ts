import { X509Certificate } from 'node:crypto';
import { parseCertificate } from '../../../tls-auth/certificate.ts';
import { CertificateRefusal } from '../../../tls-auth/certificate-refusal.ts';
import type { AccountCredentials } from '../../../xmpp/account/server-login.ts';
import type { Jid } from '../../../xmpp-address/jid.ts';
import type { ClientCertificate } from './server-tls.ts';

/** With what to log in to an account; at least one of the two. */
export interface LoginCredentials {
  readonly password?: string | undefined;
  readonly certificate?: ClientCertificate | undefined;
}

/** What the core is told of them: the private key stays with TLS. Throws a sentence. */
export function accountCredentials(
  { password, certificate }: LoginCredentials,
  account: Jid,
): AccountCredentials {
  if (password === undefined && certificate === undefined) {
    throw new Error(`to log in as ${account.bare} a password or a certificate is needed`);
  }
  return {
    password,
    certificate: certificate === undefined ? undefined : naming(certificate, account),
  };
}

/** XEP-0178 §2: with one XmppAddr, the server knows the account from the certificate alone. */
function naming(
  { certificate }: ClientCertificate,
  account: Jid,
): 'names-account' | 'names-another' {
  const leaf = parseCertificate(new Uint8Array(new X509Certificate(certificate).raw));
  if (leaf instanceof CertificateRefusal) return 'names-another';
  const addresses = leaf.extensions.subjectAltName?.xmppAddrs ?? [];
  const isAccount = addresses.length === 1 && addresses[0] === account.bare;
  return isAccount ? 'names-account' : 'names-another';
}
