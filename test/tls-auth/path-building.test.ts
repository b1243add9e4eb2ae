import { describe, expect, test } from 'vitest';
import {
  makeIntermediate,
  makeKey,
  makeLeaf,
  makeRoot,
  TEST_UNIX_MS,
  type TestAuthority,
} from '../../sim/certificates/certificate-maker.ts';
import { CertificateRefusal } from '../../src/tls-auth/certificate-refusal.ts';
import { verifyWithKey } from '../../src/tls-auth/signature-verifier.ts';
import { pathTo, verdict } from './path-fixtures.ts';

const root = makeRoot();

/** The verdict, and how many signatures were verified on the way to it. */
function counted(
  leaf: { readonly certificate: Uint8Array } & TestAuthority,
  pool: readonly TestAuthority[],
  roots: readonly TestAuthority[],
) {
  let count = 0;
  const result = pathTo(leaf, pool, roots, {}, (...args) => {
    count++;
    return verifyWithKey(...args);
  });
  return { verdict: verdict(result), count };
}

/** The same name and key, certified by somebody else. */
function crossCertified(authority: TestAuthority, issuer: TestAuthority): TestAuthority {
  return makeIntermediate(issuer, {
    key: authority.key,
    change: () => ({ subject: authority.name }),
  });
}

describe('RFC 5280 §6.1: paths over a pool', () => {
  test('intermediates in any order, strangers and the root among them', () => {
    const upper = makeIntermediate(root, { name: 'Upper' });
    const lower = makeIntermediate(upper, { name: 'Lower' });
    const stranger = makeRoot({ name: 'Stranger' });
    const leaf = makeLeaf(lower);
    for (const pool of [
      [lower, upper],
      [upper, lower],
      [root, stranger, upper, lower],
    ]) {
      const path = pathTo(leaf, pool, [stranger, root]);
      expect(path).toMatchObject({
        certificates: [
          { der: leaf.certificate },
          { der: lower.certificate },
          { der: upper.certificate },
        ],
        anchor: { der: root.certificate },
      });
    }
  });

  test('a missing intermediate, and no anchor at all', () => {
    const upper = makeIntermediate(root, { name: 'Upper' });
    const lower = makeIntermediate(upper, { name: 'Lower' });
    expect(verdict(pathTo(makeLeaf(lower), [lower], [root]))).toBe('no-path');
    expect(verdict(pathTo(makeLeaf(root), [root], []))).toBe('no-path');
  });

  test('a root that is not trusted makes no path, presented or not', () => {
    const other = makeRoot({ name: 'Test Root' });
    expect(verdict(pathTo(makeLeaf(other), [other], [root]))).toBe('signature-invalid');
    expect(verdict(pathTo(other, [other], [root]))).toBe('signature-invalid');
  });

  test('an expired way is passed over for a valid one', () => {
    const key = makeKey();
    const expired = makeIntermediate(root, {
      name: 'Twice',
      key,
      change: () => ({ notAfterUnixMs: TEST_UNIX_MS - 1000 }),
    });
    const renewed = makeIntermediate(root, { name: 'Twice', key });
    const leaf = makeLeaf(renewed);
    expect(verdict(pathTo(leaf, [expired, renewed], [root]))).toBe('valid');
    expect(verdict(pathTo(leaf, [expired], [root]))).toBe('expired');
  });

  test('two authorities of one name: the one that signed is found', () => {
    const namesakes = Array.from({ length: 5 }, () => makeIntermediate(root, { name: 'Twin' }));
    const leaf = makeLeaf(namesakes[4] ?? root);
    expect(verdict(pathTo(leaf, namesakes, [root]))).toBe('valid');
  });

  test('a further rule passes over a path for another', () => {
    const key = makeKey();
    const [one, other] = [makeRoot({ name: 'One' }), makeRoot({ name: 'Other' })];
    const byOne = makeIntermediate(one, { name: 'Shared', key });
    const byOther = makeIntermediate(other, { name: 'Shared', key });
    const refusal = new CertificateRefusal('domain', 'a path', 'the test', 'not this one');
    const path = pathTo(makeLeaf(byOne), [byOne, byOther], [one, other], {
      furtherRule: ({ anchor }) => (anchor.subject.text === 'CN=Other' ? undefined : refusal),
    });
    expect(path).toMatchObject({ anchor: { der: other.certificate } });
  });
});

describe('limits of the search', () => {
  test('authorities that certify each other are no endless path', () => {
    const [a, b] = [makeRoot({ name: 'A' }), makeRoot({ name: 'B' })];
    const pool = [crossCertified(a, b), crossCertified(b, a)];
    expect(verdict(pathTo(makeLeaf(a), pool, [root]))).toBe('no-path');
    expect(verdict(pathTo(makeLeaf(a), [...pool, crossCertified(b, root)], [root]))).toBe('valid');
  });

  test('a hundred certificates of one name and key cost no more than a hundred signatures', () => {
    const shared = makeRoot({ name: 'Same' });
    const pool = Array.from({ length: 120 }, () => crossCertified(shared, shared));
    const leaf = { ...shared, ...makeLeaf(shared) };
    const outcome = counted(leaf, pool, [root]);
    expect(outcome.verdict).toBe('work-limit');
    expect(outcome.count).toBeLessThanOrEqual(100);
  });

  test('a mesh of authorities that all certify each other ends', () => {
    const nodes = Array.from({ length: 10 }, (_, i) => makeRoot({ name: `Mesh ${i}` }));
    const pool = nodes.flatMap((one) =>
      nodes.filter((other) => other !== one).map((other) => crossCertified(one, other)),
    );
    const [first] = nodes;
    const startedMs = performance.now();
    expect(verdict(pathTo(makeLeaf(first ?? root), pool, [root]))).toBe('work-limit');
    expect(performance.now() - startedMs).toBeLessThan(5000);
  });

  test('a chain of 16 certificates is the longest that is followed', () => {
    const chain = [root];
    for (let i = 0; i < 20; i++)
      chain.push(makeIntermediate(chain.at(-1) ?? root, { name: `${i}` }));
    const leaf = makeLeaf(chain.at(-1) ?? root);
    expect(verdict(pathTo(leaf, chain.slice(1), [root]))).toBe('path-too-long');
  });
});
