import { describe, expect, test } from 'vitest';
import {
  makeIntermediate,
  makeLeaf,
  makeRoot,
  TEST_UNIX_MS,
  testNodeId,
} from '../../sim/certificates/certificate-maker.ts';
import { Authenticator } from '../../src/tls-auth/authenticator.ts';
import { CertificateRefusal } from '../../src/tls-auth/certificate-refusal.ts';
import { SharedVerdicts } from '../../src/tls-auth/shared-verdicts.ts';
import { type SignatureVerifier, verifyWithKey } from '../../src/tls-auth/signature-verifier.ts';
import type { TrustSettings } from '../../src/tls-auth/trust-settings.ts';
import { authenticatedNode, testTrustSettings } from './test-node.ts';

const root = makeRoot();
const intermediate = makeIntermediate(root);
const leaf = makeLeaf(intermediate, { nodeId: testNodeId(3) });
const pool = [intermediate.certificate];

/** Makes Authenticators that share their verdicts, and counts the signatures that they verify. */
function sharing() {
  let count = 0;
  const verify: SignatureVerifier = (...args) => {
    count++;
    return verifyWithKey(...args);
  };
  const shared = new SharedVerdicts();
  const make = (others: Partial<TrustSettings> = {}) =>
    new Authenticator(testTrustSettings([root], others), verify, shared);
  return { make, count: () => count };
}

describe('verdicts that several Authenticators share', () => {
  test('a path is checked once and makes one node', () => {
    const { make, count } = sharing();
    const first = authenticatedNode(make(), leaf.certificate, pool);
    const checked = count();
    expect(checked).toBeGreaterThan(0);
    expect(authenticatedNode(make(), leaf.certificate, pool)).toBe(first);
    expect(count()).toBe(checked);
  });

  test('who has not seen a certificate does not know it by its hash, nor its issuer', () => {
    const { make } = sharing();
    const [one, other] = [make(), make()];
    const { certificate } = authenticatedNode(one, leaf.certificate, pool);
    const hash = Buffer.from(certificate.sha256, 'hex');
    expect(one.authenticateByHash(hash, TEST_UNIX_MS)).toBeDefined();
    expect(other.authenticateByHash(hash, TEST_UNIX_MS)).toBeUndefined();
    expect(other.authenticate(leaf.certificate, [], TEST_UNIX_MS)).toMatchObject({
      code: 'no-path',
    });
  });

  test('RFC 5280 §6.1: the anchor’s dates count, also of one with the same name and key', () => {
    const { make } = sharing();
    const untilUnixMs = Date.UTC(2027, 0, 1);
    const { certificate } = makeRoot({
      key: root.key,
      change: () => ({ notAfterUnixMs: untilUnixMs }),
    });
    const later = Date.UTC(2028, 0, 1);
    const renewed = make();
    expect(authenticatedNode(renewed, leaf.certificate, pool).validUntilUnixMs).toBeGreaterThan(
      later,
    );
    const short = make({ rootCertificates: [certificate] });
    const node = authenticatedNode(short, leaf.certificate, pool);
    expect(node.validUntilUnixMs).toBe(untilUnixMs);
    expect(short.authenticate(leaf.certificate, pool, later)).toMatchObject({ code: 'expired' });
    renewed.replaceSettings(testTrustSettings([root], { rootCertificates: [certificate] }));
    authenticatedNode(renewed, leaf.certificate, pool);
    expect(renewed.authenticate(leaf.certificate, pool, later)).toMatchObject({ code: 'expired' });
  });

  test('settings stay their own', () => {
    const { make } = sharing();
    authenticatedNode(make(), leaf.certificate, pool);
    for (const others of [
      { badNodes: new Set([testNodeId(3)]) },
      { overlayName: 'other.example.org' },
      { rootCertificates: [makeRoot().certificate] },
    ]) {
      const refused = make(others).authenticate(leaf.certificate, pool, TEST_UNIX_MS);
      expect(refused).toBeInstanceOf(CertificateRefusal);
    }
  });
});
