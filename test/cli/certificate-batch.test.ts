import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type ContentChange,
  makeIntermediate,
  makeLeaf,
  makeRfc6940Leaf,
  makeRoot,
} from '../../sim/certificates/certificate-maker.ts';
import { extendedKeyUsage, type TestExtension } from '../../sim/certificates/extension-maker.ts';
import { certificatePolicies, policyMappings } from '../../sim/certificates/policy-maker.ts';
import { entryOf, makeList } from '../../sim/certificates/revocation-list-maker.ts';
import { type BatchVerdict, verifyBatch } from '../../src/cli/certificate-batch.ts';
import { read } from '../tls-auth/path-fixtures.ts';

const root = makeRoot();
const intermediate = makeIntermediate(root);
const leaf = makeLeaf(intermediate);
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
const pem = (bytes: Uint8Array) =>
  `-----BEGIN CERTIFICATE-----\n${base64(bytes)}\n-----END CERTIFICATE-----\n`;

const good = {
  id: 'good',
  anchors: [pem(root.certificate)],
  chain: [base64(leaf.certificate), pem(intermediate.certificate)],
  time: '2026-01-01T00:00:00Z',
  revocation: 'off',
  profile: 'xep-0416',
};

function verdict(changes: Readonly<Record<string, unknown>> = {}): BatchVerdict {
  const verdicts = verifyBatch(JSON.stringify({ cases: [{ ...good, ...changes }] }), 0);
  const first = typeof verdicts === 'string' ? undefined : verdicts[0];
  if (first === undefined) throw new Error(String(verdicts));
  return first;
}

describe('xor cert verify --batch', () => {
  test('a valid path, with the names along it', () => {
    expect(verdict()).toMatchObject({ id: 'good', valid: true, reason: 'valid' });
    expect(verdict().detail).toMatch(/^CN=.* <- CN=Test Intermediate <- CN=Test Root$/);
    for (const profile of ['pkix', undefined, null]) {
      expect(verdict({ profile })).toMatchObject({ valid: true });
    }
  });

  test('an invalid one, with the code and the whole reason', () => {
    expect(verdict({ time: '2036-01-01T01:00:00+01:00' })).toMatchObject({
      valid: false,
      reason: 'expired',
      detail: expect.stringContaining('RFC 5280 §4.1.2.5'),
    });
    for (const time of ['2034-12-31T23:00:00-00:59', '2035-01-01t01:00:00.999+01:00']) {
      expect(verdict({ time })).toMatchObject({ valid: true });
    }
    expect(verdict({ time: '2034-12-31T23:00:00-01:01' })).toMatchObject({ reason: 'expired' });
    expect(verdict({ chain: [base64(leaf.certificate)] }).reason).toBe('no-path');
    expect(verdict({ anchors: [] }).reason).toBe('no-path');
    expect(verdict({ depthMax: 0 }).reason).toBe('path-length');
    expect(verdict({ profile: 'rfc6940' }).valid).toBe(false);
  });

  test('the profile rfc6940, on the certificate’s own overlay or a named one', () => {
    const chain = [base64(makeRfc6940Leaf(root).certificate)];
    expect(verdict({ chain, profile: 'rfc6940' }).valid).toBe(true);
    expect(verdict({ chain, profile: 'rfc6940', overlay: 'xmpp.org' }).reason).toBe('node-id');
    expect(verdict({ chain }).valid).toBe(false);
  });

  test('purpose and peer name', () => {
    const purposed = makeLeaf(root, {
      change: ({ extensions }) => ({
        extensions: { ...extensions, purposes: extendedKeyUsage('1.3.6.1.5.5.7.3.2') },
      }),
    });
    const chain = [base64(purposed.certificate)];
    expect(verdict({ chain, purpose: 'clientAuth' }).valid).toBe(true);
    expect(verdict({ chain, purpose: 'any' }).valid).toBe(true);
    expect(verdict({ chain, purpose: 'serverAuth' }).reason).toBe('purpose');
    const named = (kind: string, value: string) => verdict({ peerName: { kind, value } }).reason;
    expect(named('email', 'juliet@capulet.lit')).toBe('valid');
    expect(named('dns', 'capulet.lit')).toBe('peer-name');
    expect(named('ip', '192.0.2.1')).toBe('peer-name');
    expect(named('ip', 'capulet.lit')).toBe('bad-case');
    expect(named('uri', 'x')).toBe('bad-case');
  });

  test('policies', () => {
    const withPolicies =
      (...added: TestExtension[]): ContentChange =>
      ({ extensions }) => ({
        extensions: { ...extensions, ...Object.fromEntries(added.map((one) => [one.oid, one])) },
      });
    const authority = makeIntermediate(root, {
      change: withPolicies(certificatePolicies(['1.2.3']), policyMappings(['1.2.3', '1.2.4'])),
    });
    const below = (policy: string) => {
      const { certificate } = makeLeaf(authority, {
        change: withPolicies(certificatePolicies([policy])),
      });
      return [base64(certificate), base64(authority.certificate)];
    };
    const chain = below('1.2.4');
    const explicitPolicy = true;
    expect(verdict({ explicitPolicy }).reason).toBe('no-valid-policy');
    expect(verdict({ initialPolicies: ['1.2.3'] })).toMatchObject({ valid: true });
    expect(verdict({ chain, explicitPolicy }).detail).toMatch(/Test Root; policies 1\.2\.3$/);
    const judge = (changes: object) => verdict({ chain, explicitPolicy, ...changes }).reason;
    expect(judge({ initialPolicies: [] })).toBe('valid');
    expect(judge({ initialPolicies: ['1.2.9', '1.2.3'] })).toBe('valid');
    expect(judge({ initialPolicies: ['1.2.4'] })).toBe('no-valid-policy');
    expect(judge({ inhibitPolicyMapping: true })).toBe('no-valid-policy');
    expect(judge({ chain: below('2.5.29.32.0') })).toBe('valid');
    expect(judge({ chain: below('2.5.29.32.0'), inhibitAnyPolicy: true })).toBe('no-valid-policy');
  });

  test('revocation lists, in PEM or base64 and in any order', () => {
    const crlPem = pem(makeList(root)).replaceAll('CERTIFICATE', 'X509 CRL');
    const crls = [base64(makeList(intermediate)), crlPem];
    const judge = (changes: object) => verdict({ revocation: 'require', ...changes });
    expect(judge({ crls })).toMatchObject({ valid: true });
    expect(judge({}).reason).toBe('revocation-undetermined');
    expect(judge({ crls: [crlPem] }).detail).toContain('RFC 5280 §6.3.3');
    expect(judge({ crls: [crlPem, 'x'] }).detail).toContain('not read: malformed');
    expect(judge({ crls, time: '2026-02-01T00:00:00Z' }).detail).toContain('nextUpdate');
    expect(judge({ crls: [], revocation: undefined })).toMatchObject({ valid: true });
    expect(judge({ crls: ['x'], revocation: 'off' })).toMatchObject({ valid: true });
    // One that cannot be read may be the one that is missing: it is held, and cannot be used.
    for (const revocation of ['prefer', undefined]) {
      expect(judge({ crls: ['x'], revocation })).toMatchObject({
        reason: 'revocation-undetermined',
        detail: expect.stringContaining('not read: malformed'),
      });
      expect(judge({ crls: [...crls, 'x'], revocation })).toMatchObject({ valid: true });
    }
    const { serialNumber } = read(leaf);
    const entry = entryOf(BigInt(`0x${serialNumber}`), 'superseded');
    const revoking = [base64(makeList(intermediate, [entry])), crlPem];
    for (const revocation of ['require', 'prefer', undefined]) {
      const answer = judge({ crls: revoking, revocation });
      expect(answer).toMatchObject({ valid: false, reason: 'revoked' });
      expect(answer.detail).toContain('since 2025-11-03T00:00:00Z for superseded');
    }
  });

  test('certificates that cannot be read', () => {
    for (const broken of ['', 'x', 'AAAA', pem(new Uint8Array([0x30, 0x80])), '-----BEGIN']) {
      expect(verdict({ chain: [broken, ...good.chain.slice(1)] })).toMatchObject({
        valid: false,
        reason: 'malformed',
      });
      expect(verdict({ chain: [good.chain[0], broken, good.chain[1]] }).valid).toBe(true);
      expect(verdict({ anchors: [broken] }).valid).toBe(false);
    }
    expect(verdict({ chain: [] }).reason).toBe('bad-case');
  });

  test('fields of a wrong type make a bad case, and the others are still answered', () => {
    const broken = [
      { chain: 'x' },
      { anchors: [1] },
      { time: 'yesterday' },
      { time: '2026-02-31T00:00:00Z' },
      { time: '2026-01-01T00:00:00' },
      { crls: {} },
      { depthMax: -1 },
      { depthMax: 1.5 },
      { revocation: 'maybe' },
      { explicitPolicy: 'yes' },
      { initialPolicies: ['gold'] },
      { initialPolicies: '1.2.3' },
      { profile: 'x' },
      { peerName: { kind: 'dns' } },
      { peerName: 'x' },
    ];
    for (const changes of broken) expect(verdict(changes).reason).toBe('bad-case');
    const verdicts = verifyBatch(JSON.stringify({ cases: [null, 7, [], good] }), 0);
    expect(verdicts).toMatchObject([
      { id: '0', reason: 'bad-case' },
      { id: '1', reason: 'bad-case' },
      { id: '2', reason: 'bad-case' },
      { id: 'good', valid: true },
    ]);
  });

  test('input that is no batch gives a reason', () => {
    expect(verifyBatch('{', 0)).toMatch(/^expected JSON: /);
    for (const text of ['null', '[]', '{}', '{"cases":{}}']) {
      expect(verifyBatch(text, 0)).toBe('expected {"cases":[…]}');
    }
  });

  test('arbitrary cases never throw', () => {
    const names = Object.keys(good);
    const values = fc.oneof(fc.jsonValue(), fc.constant(good.chain));
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...names, 'crls', '__proto__'), values), (one) => {
        const verdicts = verifyBatch(JSON.stringify({ cases: [one, { ...good, ...one }] }), 0);
        expect(verdicts).toHaveLength(2);
      }),
      { numRuns: 300 },
    );
  });
});
