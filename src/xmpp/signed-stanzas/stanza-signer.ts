import type { AuthenticatedNode } from '../../tls-auth/authenticated-node.ts';
import type { Authenticator } from '../../tls-auth/authenticator.ts';
import { type Certificate, parseCertificate } from '../../tls-auth/certificate.ts';
import { CertificateRefusal } from '../../tls-auth/certificate-refusal.ts';
import { keySignatureAlgorithm } from '../../tls-auth/signature-verifier.ts';
import type { CertificateChain } from './certificate-chain.ts';
import type { SignedContent } from './signed-content.ts';
import { CHAINS_PER_USER_MAX } from './signed-limits.ts';
import { StanzaRefusal } from './stanza-refusal.ts';

/**
 * Whose key made the signature: a certificate that counts now under the roots in force, whose
 * XmppAddr is the signed `from`, and that was valid when the timestamp says. Each of `chains` is
 * judged here, wherever it came from. Never throws.
 */
export function stanzaSigner(
  content: SignedContent,
  chains: readonly CertificateChain[],
  authenticator: Authenticator,
  unixMs: number,
): AuthenticatedNode | StanzaRefusal {
  const certified = certifiedNodes(content.from.bare, chains, authenticator, unixMs);
  if (certified instanceof StanzaRefusal) return certified;
  const signer = certified.find(({ certificate }) =>
    isSignedBy(certificate, content, authenticator),
  );
  if (signer === undefined) {
    const keys = `any of ${certified.length} keys of ${content.from.bare}`;
    const detail = `not made over these bytes by ${keys}`;
    return new StanzaRefusal('signature-invalid', detail);
  }
  const { timestampUnixMs } = content;
  // A path begins to count with the last of its certificates; that it counts now is known.
  if (timestampUnixMs >= validFromUnixMs(signer) && timestampUnixMs <= signer.validUntilUnixMs) {
    return signer;
  }
  const detail = `${signer.certificate.describe()} was not valid at the time of its timestamp`;
  return new StanzaRefusal('signed-too-early', detail);
}

/** The nodes of a user: those of the chains that count now and name the user in their XmppAddr. */
export function certifiedNodes(
  user: string,
  chains: readonly CertificateChain[],
  authenticator: Authenticator,
  unixMs: number,
): AuthenticatedNode[] | StanzaRefusal {
  const nodes: AuthenticatedNode[] = [];
  let first: StanzaRefusal | undefined;
  for (const { leaf, pool } of chains.slice(0, CHAINS_PER_USER_MAX)) {
    const node = authenticator.authenticate(leaf, pool, unixMs);
    if (node instanceof CertificateRefusal) {
      first ??= new StanzaRefusal('certificate-refused', node.describe(), node);
    } else if (node.xmppAddr === user) {
      nodes.push(node);
    } else {
      const whose = node.xmppAddr ?? 'nobody';
      const detail = `${node.certificate.describe()} is of ${whose}, not of ${user}`;
      first ??= new StanzaRefusal('certificate-refused', detail);
    }
  }
  if (nodes.length > 0) return nodes;
  return first ?? new StanzaRefusal('certificate-missing', `${user} has no certificate`);
}

function isSignedBy(
  certificate: Certificate,
  { algorithm, envelope, signature }: SignedContent,
  { verifySignature }: Authenticator,
): boolean {
  if (keySignatureAlgorithm(certificate) !== algorithm.signature) return false;
  return verifySignature(certificate, algorithm.hash, algorithm.signature, envelope, signature);
}

/** The latest notBefore of the chain, ms since 1970. */
function validFromUnixMs(node: AuthenticatedNode): number {
  let from = validFrom.get(node);
  if (from === undefined) {
    const above = node.chain.slice(1).map(parseCertificate);
    const starts = [node.certificate, ...above].map((certificate) =>
      certificate instanceof CertificateRefusal ? 0 : certificate.notBeforeUnixMs,
    );
    from = Math.max(...starts);
    validFrom.set(node, from);
  }
  return from;
}

const validFrom = new WeakMap<AuthenticatedNode, number>();
