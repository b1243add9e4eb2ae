import type { Authenticator } from '../../tls-auth/authenticator.ts';
import {
  CertificateRefusal,
  type CertificateRefusalCode,
} from '../../tls-auth/certificate-refusal.ts';
import type { BareJid } from '../../xmpp-address/jid.ts';

/** A certificate with which this user may log in. */
export interface AcceptedClientCertificate {
  readonly user: BareJid;
  /** All XmppAddrs that stand in it; there may be none in one that the user registered. */
  readonly addresses: readonly string[];
}

/** Why a certificate logs nobody in. */
export interface ClientCertificateRefusal {
  readonly reason: string;
  /** It was revoked by those who vouched for it: nobody else may accept it either. */
  readonly isRevoked?: boolean;
}

/**
 * What a verdict is for: whether a client may log in now, or whether the session of one that did
 * may go on. A certificate that was disabled ends the first and not the second.
 */
export type CertificatePurpose = 'login' | 'session';

/**
 * Judges what a client showed in TLS: DER, the leaf first, at least one. It is asked when the
 * client comes, and again whenever who is trusted has changed.
 */
export type ClientCertificateJudge = (
  certificates: readonly Uint8Array[],
  unixMs: number,
  purpose: CertificatePurpose,
) => AcceptedClientCertificate | ClientCertificateRefusal;

/** Takes a certificate whose chain is valid under the overlay's roots and that names this user. */
export function judgeByOverlay(
  authenticator: Authenticator,
  user: BareJid,
): ClientCertificateJudge {
  return (certificates, unixMs) => {
    const [leaf, ...pool] = certificates;
    if (leaf === undefined) return { reason: 'no certificate was shown' };
    const node = authenticator.authenticate(leaf, pool, unixMs);
    if (node instanceof CertificateRefusal) {
      return { reason: node.describe(), isRevoked: REVOKED_CODES.has(node.code) };
    }
    if (node.xmppAddr !== user) return { reason: `it names ${node.xmppAddr ?? 'no XMPP address'}` };
    return { user, addresses: [user] };
  };
}

export function isAccepted(
  verdict: AcceptedClientCertificate | ClientCertificateRefusal,
): verdict is AcceptedClientCertificate {
  return 'user' in verdict;
}

/** Of refusals of certificates whose chains are valid, by what is said of them since. */
const REVOKED_CODES: ReadonlySet<CertificateRefusalCode> = new Set([
  'bad-node',
  'revoked',
  'revocation-undetermined',
]);
