import { expect, it } from 'vitest';
import { makeRoot, testNodeId } from '../../sim/certificates/certificate-maker.ts';
import { TrueSignatures } from '../../src/tls-auth/true-signatures.ts';
import { makeSigner } from './test-node.ts';

it('only the very same signature over the very same bytes is recognised', () => {
  const root = makeRoot();
  const { certificate } = makeSigner(root, { nodeId: testNodeId(1) }).node;
  const other = makeSigner(root, { nodeId: testNodeId(2) }).node.certificate;
  const known = new TrueSignatures();
  const input = Uint8Array.from([1, 2, 3]);
  const signature = Uint8Array.from([9, 8]);
  known.add(known.key(certificate, 4, input, signature));
  expect(known.has(known.key(certificate, 4, input, signature))).toBe(true);
  expect(known.has(known.key(other, 4, input, signature))).toBe(false);
  expect(known.has(known.key(certificate, 5, input, signature))).toBe(false);
  expect(known.has(known.key(certificate, 4, input.subarray(1), signature))).toBe(false);
  // The border between the signed bytes and the signature counts.
  const moved = known.key(certificate, 4, Uint8Array.from([1, 2]), Uint8Array.from([3, 9, 8]));
  expect(known.has(moved)).toBe(false);
});
