import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  makeKey,
  makeLeaf,
  makeRfc6940Leaf,
  makeRoot,
  testNodeId,
} from '../../sim/certificates/certificate-maker.ts';
import { Authenticator } from '../../src/tls-auth/authenticator.ts';
import { createSigner } from '../../src/tls-auth/signer.ts';
import {
  NO_SIGNATURE,
  type SecurityBlock,
  type SignerIdentity,
} from '../../src/wire/security-block.ts';
import { bytes, outcome as outcomeOf, sha256, signedBlock } from './signature-fixtures.ts';
import { authenticatedNode, makeSigner, testTrustSettings } from './test-node.ts';

const root = makeRoot();
let authenticator: Authenticator;

beforeEach(() => {
  authenticator = new Authenticator(testTrustSettings([root]));
});

/** Asks the test's own authenticator unless another is given. */
function outcome(block: SecurityBlock, by = authenticator, unixMs?: number): string {
  return outcomeOf(block, by, unixMs);
}

describe('RFC 6940 §6.3.4: SignerIdentity', () => {
  const nodeIds = [testNodeId(1), testNodeId(2)];
  const several = makeRfc6940Leaf(root, { nodeIds });
  const settings = testTrustSettings([root], {
    profile: 'rfc6940',
    overlayName: 'overlay.example.org',
  });

  test('cert_hash MUST be used with one Node-ID', () => {
    const signer = makeSigner(root, { nodeId: testNodeId(4) });
    const { certificate } = signer.node;
    expect(signer.identity).toEqual({
      type: 'certHash',
      hashAlgorithm: 4,
      hash: Buffer.from(sha256(certificate.der)),
    });
  });

  test('cert_hash_node_id MUST be used with several, and says which', () => {
    const node = authenticatedNode(new Authenticator(settings), several.certificate);
    for (const nodeId of nodeIds) {
      const signer = createSigner(node, nodeId, several.key.privateKey);
      const hash = sha256(bytes(nodeId), several.certificate);
      expect(signer.identity).toMatchObject({ type: 'certHashNodeId', hash: Buffer.from(hash) });
      const block = signedBlock(signer);
      const verifier = new Authenticator(settings);
      expect(outcome(block, verifier)).toBe(nodeId);
      expect(outcome({ ...block, certificates: [] }, verifier)).toBe(nodeId);
    }
  });

  test('the wrong type is refused, though the signature is true', () => {
    const node = authenticatedNode(new Authenticator(settings), several.certificate);
    const honest = createSigner(node, testNodeId(1), several.key.privateKey);
    const plain: SignerIdentity = {
      type: 'certHash',
      hashAlgorithm: 4,
      hash: sha256(several.certificate),
    };
    const block = signedBlock({ ...honest, identity: plain });
    expect(outcome(block, new Authenticator(settings))).toBe('wrong-identity-type');

    const single = makeRfc6940Leaf(root, { nodeIds: [testNodeId(3)] });
    const singleNode = authenticatedNode(new Authenticator(settings), single.certificate);
    const singleSigner = createSigner(singleNode, testNodeId(3), single.key.privateKey);
    const withNodeId: SignerIdentity = {
      type: 'certHashNodeId',
      hashAlgorithm: 4,
      hash: sha256(bytes(testNodeId(3)), single.certificate),
    };
    const singleBlock = signedBlock({ ...singleSigner, identity: withNodeId });
    expect(outcome(singleBlock, new Authenticator(settings))).toBe('wrong-identity-type');
  });

  test.each([
    [5, 'sha384'],
    [6, 'sha512'],
  ] as const)('hash algorithm %i (%s) is taken too', (hashAlgorithm, name) => {
    const signer = makeSigner(root, { nodeId: testNodeId(4) });
    const hash = createHash(name).update(signer.node.certificate.der).digest();
    const block = signedBlock({ ...signer, identity: { type: 'certHash', hashAlgorithm, hash } });
    expect(outcome(block)).toBe(testNodeId(4));
    expect(outcome({ ...block, certificates: [] })).toBe('certificate-missing');
  });

  test('SHA-1 and cut hashes designate nobody', () => {
    const signer = makeSigner(root, { nodeId: testNodeId(4) });
    const { der } = signer.node.certificate;
    const sha1 = createHash('sha1').update(der).digest();
    const weak: SignerIdentity = { type: 'certHash', hashAlgorithm: 2, hash: sha1 };
    expect(outcome(signedBlock({ ...signer, identity: weak }))).toBe('unsupported-algorithm');
    const cut: SignerIdentity = {
      type: 'certHash',
      hashAlgorithm: 4,
      hash: sha256(der).subarray(0, 16),
    };
    expect(outcome(signedBlock({ ...signer, identity: cut }))).toBe('certificate-missing');
  });

  test('none and unknown types are refused', () => {
    const block = signedBlock(makeSigner(root, { nodeId: testNodeId(4) }));
    const identities: SignerIdentity[] = [
      { type: 'none' },
      { type: 'unknown', code: 9, data: bytes('00') },
    ];
    expect(
      identities.map((identity) =>
        outcome({ ...block, signature: { ...block.signature, identity } }),
      ),
    ).toEqual(['no-signer', 'unknown-identity-type']);
    expect(outcome({ ...block, signature: NO_SIGNATURE })).toBe('no-signer');
  });
});

describe('createSigner', () => {
  test('refuses a key that is not the certificate’s, and a Node-ID that it does not hold', () => {
    const leaf = makeLeaf(root);
    const node = authenticatedNode(authenticator, leaf.certificate);
    expect(() => createSigner(node, node.nodeId, makeKey().privateKey)).toThrow(/does not belong/);
    expect(() => createSigner(node, testNodeId(99), leaf.key.privateKey)).toThrow(/does not hold/);
  });
});
