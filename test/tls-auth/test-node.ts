import {
  makeLeaf,
  TEST_UNIX_MS,
  type TestAuthority,
  type TestKey,
} from '../../sim/certificates/certificate-maker.ts';
import type { AuthenticatedNode } from '../../src/tls-auth/authenticated-node.ts';
import { Authenticator } from '../../src/tls-auth/authenticator.ts';
import { CertificateRefusal } from '../../src/tls-auth/certificate-refusal.ts';
import { createSigner, type Signer } from '../../src/tls-auth/signer.ts';
import type { TrustSettings } from '../../src/tls-auth/trust-settings.ts';
import type { NodeId } from '../../src/wire/node-id.ts';

/** What a peer of a test overlay trusts: the profile xep-0416 on xmpp.org. */
export function testTrustSettings(
  roots: readonly TestAuthority[],
  others: Partial<TrustSettings> = {},
): TrustSettings {
  return {
    overlayName: 'xmpp.org',
    nodeIdLength: 16,
    profile: 'xep-0416',
    rootCertificates: roots.map(({ certificate }) => certificate),
    badNodes: new Set(),
    selfSignedDigest: undefined,
    ...others,
  };
}

/** The node of a certificate, or a failing test that says why it is refused. */
export function authenticatedNode(
  authenticator: Authenticator,
  leaf: Uint8Array,
  pool: readonly Uint8Array[] = [],
  unixMs: number = TEST_UNIX_MS,
): AuthenticatedNode {
  const node = authenticator.authenticate(leaf, pool, unixMs);
  if (node instanceof CertificateRefusal) throw new Error(node.describe());
  return node;
}

/** A signer with a fresh certificate of `root`: a whole identity in one call. */
export function makeSigner(
  root: TestAuthority,
  options: { readonly nodeId: NodeId; readonly jid?: string; readonly key?: TestKey },
): Signer {
  const leaf = makeLeaf(root, options);
  const node = authenticatedNode(new Authenticator(testTrustSettings([root])), leaf.certificate);
  return createSigner(node, options.nodeId, leaf.key.privateKey);
}
