import { describe, expect, test } from 'vitest';
import {
  makeIntermediate,
  makeLeaf,
  makeRoot,
  TEST_UNIX_MS,
  type TestLeaf,
  testNodeId,
} from '../../sim/certificates/certificate-maker.ts';
import { certificatePolicies, policyConstraints } from '../../sim/certificates/policy-maker.ts';
import { Authenticator } from '../../src/tls-auth/authenticator.ts';
import { CertificateRefusal } from '../../src/tls-auth/certificate-refusal.ts';
import { type SignatureVerifier, verifyWithKey } from '../../src/tls-auth/signature-verifier.ts';
import type { TrustSettings } from '../../src/tls-auth/trust-settings.ts';
import { authenticatedNode, testTrustSettings } from './test-node.ts';

const root = makeRoot();
const intermediate = makeIntermediate(root, {
  change: () => ({ notAfterUnixMs: Date.UTC(2030, 0, 1) }),
});
const leaf = makeLeaf(intermediate, { nodeId: testNodeId(3) });

/** An authenticator that counts the signatures it verifies. */
function counting(others: Partial<TrustSettings> = {}) {
  let count = 0;
  const verify: SignatureVerifier = (...args) => {
    count++;
    return verifyWithKey(...args);
  };
  const authenticator = new Authenticator(testTrustSettings([root], others), verify);
  return { authenticator, count: () => count };
}

function code(
  authenticator: Authenticator,
  { certificate }: TestLeaf,
  pool: readonly Uint8Array[] = [intermediate.certificate],
  unixMs: number = TEST_UNIX_MS,
): string {
  const result = authenticator.authenticate(certificate, pool, unixMs);
  return result instanceof CertificateRefusal ? result.code : 'valid';
}

describe('what an authenticated node is', () => {
  test('Node-ID, user name, chain without the root, and until when', () => {
    const { authenticator } = counting();
    const pool = [root.certificate, intermediate.certificate];
    expect(authenticatedNode(authenticator, leaf.certificate, pool)).toMatchObject({
      nodeId: testNodeId(3),
      nodeIds: [testNodeId(3)],
      userName: 'juliet@capulet.lit',
      xmppAddr: 'juliet@capulet.lit',
      chain: [leaf.certificate, intermediate.certificate],
      validUntilUnixMs: Date.UTC(2030, 0, 1),
    });
  });

  test('XEP-0417: a trusted root at the end of the presented chain is accepted', () => {
    const direct = makeLeaf(root);
    expect(code(counting().authenticator, direct, [root.certificate])).toBe('valid');
  });

  test('nothing of the arguments is kept: a message buffer may be used again', () => {
    const { authenticator } = counting();
    const buffer = Uint8Array.from(leaf.certificate);
    const node = authenticatedNode(authenticator, buffer, [intermediate.certificate]);
    buffer.fill(0);
    expect(node.certificate.der).toEqual(leaf.certificate);
    expect(node.chain[0]).toEqual(leaf.certificate);
  });

  test('bytes that are no certificate are refused; such ones in the pool are passed over', () => {
    const { authenticator } = counting();
    const garbage = new Uint8Array([1, 2, 3]);
    expect(code(authenticator, { ...leaf, certificate: garbage })).toBe('malformed');
    expect(code(authenticator, { ...leaf, certificate: new Uint8Array(0) })).toBe('malformed');
    expect(code(authenticator, leaf, [garbage, intermediate.certificate])).toBe('valid');
  });

  test('a root certificate is no node', () => {
    expect(code(counting().authenticator, root, [])).not.toBe('valid');
  });
});

describe('RFC 6940 §11.1: bad-node', () => {
  test('refuses a Node-ID', () => {
    const { authenticator } = counting({ badNodes: new Set([testNodeId(3)]) });
    expect(code(authenticator, leaf)).toBe('bad-node');
    const other = makeLeaf(intermediate, { nodeId: testNodeId(4) });
    expect(code(authenticator, other)).toBe('valid');
  });
});

describe('RFC 5280 §6.1: certificate policies', () => {
  test('none is asked for, but what an authority requires is obeyed', () => {
    const requiring = makeIntermediate(root, {
      change: ({ extensions }) => ({
        extensions: {
          ...extensions,
          policies: certificatePolicies(['1.2.3']),
          constraints: policyConstraints({ requireExplicitPolicy: 0 }),
        },
      }),
    });
    const judge = (...policies: string[]) => {
      const below = makeLeaf(requiring, {
        change: ({ extensions }) => ({
          extensions: {
            ...extensions,
            policies: policies.length === 0 ? undefined : certificatePolicies(policies),
          },
        }),
      });
      return code(counting().authenticator, below, [requiring.certificate]);
    };
    expect(judge('1.2.3')).toBe('valid');
    expect(judge()).toBe('no-valid-policy');
    expect(judge('1.2.4')).toBe('no-valid-policy');
  });
});

describe('answers that are remembered', () => {
  test('the second answer verifies no signature, whatever pool comes with it', () => {
    const { authenticator, count } = counting();
    const node = authenticatedNode(authenticator, leaf.certificate, [intermediate.certificate]);
    const before = count();
    for (const pool of [[intermediate.certificate], [], [root.certificate]]) {
      expect(authenticatedNode(authenticator, Uint8Array.from(leaf.certificate), pool)).toBe(node);
    }
    expect(count()).toBe(before);
  });

  test('the signature of a known issuer is not verified again for another leaf', () => {
    const { authenticator, count } = counting();
    code(authenticator, leaf);
    const before = count();
    code(authenticator, makeLeaf(intermediate, { nodeId: testNodeId(8) }));
    expect(count()).toBe(before + 1);
  });

  test('dates are looked at on every call', () => {
    const { authenticator } = counting();
    const at = (unixMs: number) => code(authenticator, leaf, [intermediate.certificate], unixMs);
    expect(at(TEST_UNIX_MS)).toBe('valid');
    expect(at(Date.UTC(2031, 0, 1))).toBe('expired');
    expect(at(Date.UTC(2024, 0, 1))).toBe('not-yet-valid');
    expect(at(Date.UTC(2040, 0, 1))).toBe('expired');
    expect(at(TEST_UNIX_MS)).toBe('valid');
  });

  test('a refusal for dates is not remembered, not even beside another', () => {
    const { authenticator } = counting();
    const early = Date.UTC(2024, 0, 1);
    expect(code(authenticator, leaf, [intermediate.certificate], early)).toBe('not-yet-valid');
    expect(code(authenticator, leaf)).toBe('valid');
  });

  test('a renewed intermediate makes the path valid again', () => {
    const { authenticator } = counting();
    expect(code(authenticator, leaf)).toBe('valid');
    const renewed = makeIntermediate(root, { key: intermediate.key });
    const laterUnixMs = Date.UTC(2031, 0, 1);
    expect(code(authenticator, leaf, [intermediate.certificate], laterUnixMs)).toBe('expired');
    expect(code(authenticator, leaf, [renewed.certificate], laterUnixMs)).toBe('valid');
  });

  test('other refusals are remembered by leaf and pool', () => {
    const { authenticator, count } = counting();
    const stranger = makeLeaf(makeRoot());
    expect(code(authenticator, stranger)).toBe('signature-invalid');
    const before = count();
    expect(code(authenticator, stranger)).toBe('signature-invalid');
    expect(count()).toBe(before);
    expect(code(authenticator, leaf, [])).toBe('no-path');
    expect(code(authenticator, leaf)).toBe('valid');
  });

  test('a certificate that differs in its last byte is another one', () => {
    const { authenticator } = counting();
    expect(code(authenticator, leaf)).toBe('valid');
    const changed = Uint8Array.from(leaf.certificate);
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
    expect(code(authenticator, { ...leaf, certificate: changed })).toBe('signature-invalid');
    const inside = Uint8Array.from(leaf.certificate);
    inside[200] = (inside[200] ?? 0) ^ 1;
    expect(code(authenticator, { ...leaf, certificate: inside })).not.toBe('valid');
    expect(code(authenticator, leaf)).toBe('valid');
  });

  test('thousands of certificates leave the newest known and the tables bounded', () => {
    const cheap = new Authenticator(testTrustSettings([root]), () => true);
    const key = leaf.key;
    const leaves = Array.from({ length: 4200 }, (_, i) =>
      makeLeaf(root, { key, nodeId: testNodeId(i + 1) }),
    );
    const nodes = leaves.map(({ certificate }) => authenticatedNode(cheap, certificate));
    const known = nodes.filter(({ certificate }) => {
      const hash = Buffer.from(certificate.sha256, 'hex');
      return cheap.authenticateByHash(hash, TEST_UNIX_MS) !== undefined;
    });
    expect(known.length).toBe(4096);
    expect(known).toContain(nodes.at(-1));
  });
});

describe('a new epoch', () => {
  test('a root that goes, another profile and a bad-node count at once', () => {
    const { authenticator } = counting();
    const others: Partial<TrustSettings>[] = [
      { rootCertificates: [] },
      { profile: 'rfc6940' },
      { overlayName: 'example.org' },
      { badNodes: new Set([testNodeId(3)]) },
    ];
    for (const changed of others) {
      authenticator.replaceSettings(testTrustSettings([root]));
      const node = authenticatedNode(authenticator, leaf.certificate, [intermediate.certificate]);
      const hash = Buffer.from(node.certificate.sha256, 'hex');
      expect(authenticator.authenticateByHash(hash, TEST_UNIX_MS)?.node).toBe(node);
      authenticator.replaceSettings(testTrustSettings([root], changed));
      expect(authenticator.authenticateByHash(hash, TEST_UNIX_MS)).toBeUndefined();
      expect(code(authenticator, leaf)).not.toBe('valid');
    }
  });

  test('a root that comes turns a refusal', () => {
    const authenticator = new Authenticator(testTrustSettings([]));
    expect(code(authenticator, leaf)).toBe('no-path');
    authenticator.replaceSettings(testTrustSettings([root]));
    expect(code(authenticator, leaf)).toBe('valid');
    expect(authenticator.trustSettings.rootCertificates).toHaveLength(1);
  });

  test('a root that cannot be read is left out', () => {
    const settings = testTrustSettings([root]);
    const rootCertificates = [new Uint8Array([0x30]), ...settings.rootCertificates];
    const authenticator = new Authenticator({ ...settings, rootCertificates });
    expect(code(authenticator, leaf)).toBe('valid');
  });
});
