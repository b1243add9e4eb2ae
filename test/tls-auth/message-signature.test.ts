import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  makeIntermediate,
  makeKey,
  makeLeaf,
  makeRoot,
  TEST_UNIX_MS,
  testNodeId,
} from '../../sim/certificates/certificate-maker.ts';
import { Authenticator } from '../../src/tls-auth/authenticator.ts';
import { messageCoveredBytes, verifyMessage } from '../../src/tls-auth/message-signature.ts';
import { signedInput } from '../../src/tls-auth/signed-input.ts';
import { createSigner } from '../../src/tls-auth/signer.ts';
import type { SecurityBlock, SignerIdentity } from '../../src/wire/security-block.ts';
import {
  bytes,
  CONTENTS,
  OVERLAY,
  outcome as outcomeOf,
  signedBlock,
  TRANSACTION,
  verified,
} from './signature-fixtures.ts';
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

describe('RFC 6940 §6.3.4: message signatures', () => {
  test.each(['p256', 'p384', 'secp256k1', 'rsa2048'] as const)('with a %s key', (kind) => {
    const signer = makeSigner(root, { nodeId: testNodeId(4), key: makeKey(kind) });
    const block = signedBlock(signer);
    expect(block.signature).toMatchObject({
      hashAlgorithm: 4,
      signatureAlgorithm: kind === 'rsa2048' ? 1 : 3,
    });
    expect(verified(block, authenticator)).toMatchObject({
      nodeId: testNodeId(4),
      node: { userName: 'juliet@capulet.lit' },
    });
  });

  test('the input is overlay, transaction_id, MessageContents and SignerIdentity', () => {
    const hash = 'cd'.repeat(32);
    const identity: SignerIdentity = { type: 'certHash', hashAlgorithm: 4, hash: bytes(hash) };
    const covered = messageCoveredBytes(OVERLAY, TRANSACTION, CONTENTS);
    expect(signedInput(covered, identity)).toEqual(
      bytes('9aa32b8d', '0102030405060708', '00170000000200000000', '0000', '0100220420', hash),
    );
  });

  test('anything else under the signature is refused', () => {
    const block = signedBlock(makeSigner(root, { nodeId: testNodeId(4) }));
    const results = [
      verifyMessage(authenticator, OVERLAY + 1, TRANSACTION, CONTENTS, block, TEST_UNIX_MS),
      verifyMessage(authenticator, OVERLAY, TRANSACTION + 1n, CONTENTS, block, TEST_UNIX_MS),
      verifyMessage(authenticator, OVERLAY, TRANSACTION, bytes('00'), block, TEST_UNIX_MS),
    ];
    for (const result of results) expect(result).toMatchObject({ code: 'signature-invalid' });
  });

  test('the chain is in the block: leaf first, then intermediates, never the root', () => {
    const intermediate = makeIntermediate(root);
    const leaf = makeLeaf(intermediate);
    const node = authenticatedNode(authenticator, leaf.certificate, [intermediate.certificate]);
    const signer = createSigner(node, node.nodeId, leaf.key.privateKey);
    const block = signedBlock(signer);
    expect(block.certificates).toEqual([
      { type: 0, certificate: leaf.certificate },
      { type: 0, certificate: intermediate.certificate },
    ]);
    expect(outcome(block, new Authenticator(testTrustSettings([root])))).toBe(testNodeId(1));
  });

  test('certificates of the values inside are added once, as far as they fit', () => {
    const signer = makeSigner(root, { nodeId: testNodeId(4) });
    const others = [1, 2].map((n) => makeSigner(root, { nodeId: testNodeId(n) }));
    const more = others.flatMap(({ certificates }) => certificates);
    const block = signedBlock(signer, [...more, ...signer.certificates, ...more]);
    expect(block.certificates).toEqual([...signer.certificates, ...more]);
    const large = Array.from({ length: 100 }, (_, i) => ({
      type: 0,
      certificate: new Uint8Array(1000).fill(i),
    }));
    const full = signedBlock(signer, large);
    expect(full.certificates.length).toBeGreaterThan(60);
    expect(full.certificates.length).toBeLessThan(66);
    expect(outcome(full)).toBe(testNodeId(4));
  });

  test('a known signer needs no certificate; an unknown one does', () => {
    const block = signedBlock(makeSigner(root, { nodeId: testNodeId(4) }));
    const bare = { ...block, certificates: [] };
    expect(outcome(bare)).toBe('certificate-missing');
    expect(outcome(block)).toBe(testNodeId(4));
    expect(outcome(bare)).toBe(testNodeId(4));
    authenticator.replaceSettings(testTrustSettings([root]));
    expect(outcome(bare)).toBe('certificate-missing');
  });

  test('the leaf may stand anywhere among the certificates', () => {
    const signer = makeSigner(root, { nodeId: testNodeId(4) });
    const block = signedBlock(signer, makeSigner(root, { nodeId: testNodeId(5) }).certificates);
    expect(outcome({ ...block, certificates: block.certificates.toReversed() })).toBe(
      testNodeId(4),
    );
  });

  test('certificates that are no X.509 are passed over', () => {
    const block = signedBlock(makeSigner(root, { nodeId: testNodeId(4) }));
    const asOpenPgp = block.certificates.map((one) => ({ ...one, type: 1 }));
    expect(outcome({ ...block, certificates: asOpenPgp })).toBe('certificate-missing');
  });
});

describe('RFC 6940 §6.3.4: what does not verify', () => {
  test('a signature by another key', () => {
    const signer = makeSigner(root, { nodeId: testNodeId(4) });
    const impostor = makeSigner(root, { nodeId: testNodeId(5) });
    const block = signedBlock({ ...signer, sign: impostor.sign });
    expect(outcome(block)).toBe('signature-invalid');
  });

  test('an algorithm that is not that of the key, or too weak', () => {
    const { certificates, signature } = signedBlock(makeSigner(root, { nodeId: testNodeId(4) }));
    const pairs = [
      { signatureAlgorithm: 1 },
      { signatureAlgorithm: 0 },
      { hashAlgorithm: 2 },
      { hashAlgorithm: 0, signatureAlgorithm: 0 },
    ];
    for (const pair of pairs) {
      expect(outcome({ certificates, signature: { ...signature, ...pair } })).toBe(
        'unsupported-algorithm',
      );
    }
    expect(outcome({ certificates, signature: { ...signature, hashAlgorithm: 5 } })).toBe(
      'signature-invalid',
    );
  });

  test('a certificate that is refused, with the reason', () => {
    const stranger = makeRoot({ name: 'Stranger' });
    const block = signedBlock(makeSigner(stranger, { nodeId: testNodeId(4) }));
    expect(verified(block, authenticator)).toMatchObject({
      code: 'certificate-refused',
      certificateRefusal: { code: 'no-path' },
    });
  });

  test('RFC 6940 §7.1: a certificate that has expired since', () => {
    const block = signedBlock(makeSigner(root, { nodeId: testNodeId(4) }));
    expect(outcome(block)).toBe(testNodeId(4));
    const laterUnixMs = Date.UTC(2036, 0, 1);
    expect(outcome(block, authenticator, laterUnixMs)).toBe('certificate-refused');
    const bare = { ...block, certificates: [] };
    expect(outcome(bare, authenticator, laterUnixMs)).toBe('certificate-missing');
  });

  test('arbitrary signature bytes are refused, never thrown at', () => {
    const signers = [makeKey('p256'), makeKey('rsa2048'), makeKey('secp256k1')].map((key) =>
      makeSigner(root, { nodeId: testNodeId(4), key }),
    );
    const blocks = signers.map((signer) => signedBlock(signer));
    fc.assert(
      fc.property(fc.constantFrom(...blocks), fc.uint8Array({ maxLength: 300 }), (block, value) => {
        const { certificates, signature } = block;
        expect(outcome({ certificates, signature: { ...signature, value } })).toBe(
          'signature-invalid',
        );
      }),
      { numRuns: 300 },
    );
  });
});

test('a verifier of the simulator takes the place of the real one', () => {
  const cheap = new Authenticator(testTrustSettings([root]), (...[, , , , signature]) => {
    return signature.length > 0;
  });
  const block = signedBlock(makeSigner(root, { nodeId: testNodeId(4) }));
  const { certificates, signature } = block;
  expect(outcome({ certificates, signature: { ...signature, value: bytes('01') } }, cheap)).toBe(
    testNodeId(4),
  );
  expect(outcome({ certificates, signature: { ...signature, value: bytes() } }, cheap)).toBe(
    'signature-invalid',
  );
});
