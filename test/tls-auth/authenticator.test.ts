import { expect, test } from 'vitest';
import { Authenticator } from '../../src/tls-auth/authenticator.ts';
import { makeIntermediate, makeLeaf, makeRoot, testNodeId } from './certificate-maker.ts';
import { authenticatedNode, makeSigner, testTrustSettings } from './test-node.ts';

test('smoke', () => {
  const root = makeRoot();
  const inter = makeIntermediate(root);
  const dom = makeIntermediate(inter, { domain: 'capulet.lit' });
  const leaf = makeLeaf(dom);
  const a = new Authenticator(testTrustSettings([root]));
  const n = authenticatedNode(a, leaf.certificate, [dom.certificate, inter.certificate]);
  expect(n.nodeId).toBe(testNodeId(1));
  makeSigner(root, { nodeId: testNodeId(3) });
});
