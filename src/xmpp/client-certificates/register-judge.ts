import type { Jid } from '../../xmpp-address/jid.ts';
import { type ClientCertificateJudge, isAccepted } from '../sasl/client-certificate.ts';
import type { CertificateRegister } from './certificate-register.ts';
import {
  certificateOf,
  fingerprintOf,
  hasExpired,
  keyHashOf,
  type RegisteredCertificate,
} from './registered-certificate.ts';

/**
 * Which certificates count beside those of the overlay: all that the user registered (XEP-0257,
 * "SASL EXTERNAL": what a free server does), or those of an authority alone, which are those of the
 * overlay and those that the peer's own issuer signed.
 */
export type CertificatePolicy = 'registered' | 'authority';

/**
 * Who may log in with a certificate: revoked and disabled ones never; those whose chain leads to
 * the overlay; those in the register, as far as the policy goes. What the peer's own issuer signed
 * is in the register from before it left, and counts as long as it is there: a record that is lost
 * must not bring back what was revoked. Nobody logs in with the key of a revoked certificate,
 * whoever has certified it once more; sessions that came with such a certificate go on.
 */
export function judgeByRegister(
  register: CertificateRegister,
  user: Jid,
  policy: CertificatePolicy,
  judgeByOverlay: ClientCertificateJudge,
): ClientCertificateJudge {
  return (certificates, unixMs, purpose) => {
    const [leaf] = certificates;
    if (leaf === undefined) return { reason: 'no certificate was shown' };
    const denies = ({ state }: RegisteredCertificate) =>
      state === 'revoked' || (state === 'disabled' && purpose === 'login');
    const fingerprint = fingerprintOf(leaf);
    const known = register.get(fingerprint);
    if (known !== undefined && denies(known)) return { reason: `it is ${known.state}` };
    const verdict = judgeByOverlay(certificates, unixMs, purpose);
    if (isAccepted(verdict)) {
      // Who holds its key could alter the signature of a certificate and so its fingerprint.
      const original = register.ofLeaf(leaf);
      if (original && denies(original)) return { reason: `it is ${original.state}` };
      return purpose === 'login' && hasRevokedKey(register, leaf) ? REVOKED_KEY : verdict;
    }
    // What the overlay has revoked no upload brings back.
    if (verdict.isRevoked === true) return verdict;
    if (known === undefined || known.source === 'overlay') return verdict;
    if (policy === 'authority' && known.source !== 'issued') {
      return { reason: 'certificates of an authority alone are taken here' };
    }
    if (hasExpired(known, unixMs)) return { reason: 'it has expired' };
    if (unixMs < known.notBeforeUnixMs) return { reason: 'it is not valid yet' };
    if (purpose === 'login' && register.hasRevokedKey(known.keyHash)) return REVOKED_KEY;
    return { user: user.bare, addresses: known.addresses };
  };
}

function hasRevokedKey(register: CertificateRegister, leaf: Uint8Array): boolean {
  const certificate = certificateOf(leaf);
  return certificate === undefined || register.hasRevokedKey(keyHashOf(certificate));
}

const REVOKED_KEY = { reason: 'its key is that of a revoked certificate' } as const;
