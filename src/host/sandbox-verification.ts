import { X509Certificate } from 'node:crypto';
import type { AuthenticatedNode } from '../tls-auth/authenticated-node.ts';
import { nodeIdFromReloadUri } from '../tls-auth/node-identity.ts';
import type { NodeId } from '../wire/node-id.ts';

/** Whose certificate a lookup asked for. */
export interface ExpectedIdentity {
  readonly nodeId: NodeId;
  readonly jid: string;
  readonly overlayName: string;
  /** DER. */
  readonly rootCertificates: readonly Uint8Array[];
}

/**
 * Looks at a certificate once more, with OpenSSL beside the Authenticator that let it through: the
 * chain ends at a root of the overlay, the URI names the Node-ID, the rfc822Name the user. Returns
 * what is wrong as a sentence.
 */
export function faultOfLookup(
  node: AuthenticatedNode,
  expected: ExpectedIdentity,
): string | undefined {
  if (node.nodeId !== expected.nodeId) return `the certificate is that of node ${node.nodeId}`;
  if (node.userName !== expected.jid) return `the certificate is that of user ${node.userName}`;
  const names = node.certificate.extensions.subjectAltName;
  const rules = {
    overlayName: expected.overlayName,
    nodeIdLength: 16,
    profile: 'rfc6940',
  } as const;
  const [uri, ...otherUris] = names?.uris ?? [];
  const named = uri === undefined ? undefined : nodeIdFromReloadUri(uri, rules);
  if (named !== expected.nodeId || otherUris.length > 0) {
    return `its URIs (${names?.uris.join(', ') ?? ''}) do not name node ${expected.nodeId} alone`;
  }
  const [email, ...otherEmails] = names?.rfc822Names ?? [];
  if (email !== expected.jid || otherEmails.length > 0) {
    return `its rfc822Names (${names?.rfc822Names.join(', ') ?? ''}) are not ${expected.jid} alone`;
  }
  return faultOfChain(node.chain, expected.rootCertificates);
}

function faultOfChain(
  chain: readonly Uint8Array[],
  roots: readonly Uint8Array[],
): string | undefined {
  const certificates = chain.map((der) => new X509Certificate(der));
  for (const [index, certificate] of certificates.entries()) {
    const next = certificates[index + 1];
    const issuers = next === undefined ? roots.map((der) => new X509Certificate(der)) : [next];
    const signed = issuers.some(
      (issuer) => certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey),
    );
    if (!signed) return `nobody of the overlay signed ${certificate.subject}`;
  }
  return certificates.length === 0 ? 'the chain is empty' : undefined;
}
