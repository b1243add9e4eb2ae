import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TEST_UNIX_MS } from '../../sim/certificates/certificate-maker.ts';
import type { PolicyInputs } from '../../src/tls-auth/certificate-policies.ts';
import { CertificateRefusal } from '../../src/tls-auth/certificate-refusal.ts';
import { validatePath } from '../../src/tls-auth/path-validation.ts';
import {
  ANY,
  answer,
  chain,
  GOLD,
  judge,
  type Link,
  RED,
  SILVER,
  WHITE,
} from './policy-fixtures.ts';
import { policiesByTree } from './policy-tree.ts';

describe('RFC 9618: the policy graph', () => {
  const oid = fc.constantFrom(GOLD, SILVER, WHITE, RED);
  const count = fc.option(fc.nat(3), { nil: undefined, freq: 2 });
  const link: fc.Arbitrary<Link> = fc.record({
    policies: fc.option(fc.uniqueArray(fc.oneof(oid, fc.constant(ANY)), { minLength: 1 }), {
      nil: undefined,
      freq: 12,
    }),
    mappings: fc.array(fc.tuple(oid, oid), { maxLength: 4 }),
    require: count,
    inhibitMapping: count,
    inhibitAny: count,
    selfIssued: fc.boolean(),
  });
  const inputs: fc.Arbitrary<PolicyInputs> = fc.record({
    initialPolicies: fc.option(
      fc.uniqueArray(oid).map((list) => new Set(list)),
      { nil: undefined },
    ),
    explicitPolicy: fc.boolean(),
    inhibitPolicyMapping: fc.boolean(),
    inhibitAnyPolicy: fc.boolean(),
  });

  test('it says what the tree of RFC 5280 §6.1 says', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(fc.array(link, { minLength: 1, maxLength: 4 }), inputs, (links, policies) => {
        const [path, anchor] = chain(links);
        const result = validatePath(path.toReversed(), anchor, { unixMs: TEST_UNIX_MS, policies });
        const byTree = policiesByTree(path, policies);
        const found = result instanceof CertificateRefusal ? result.code : answer(result);
        expect(found).toBe(byTree === 'invalid' ? 'no-valid-policy' : byTree.toSorted().join(' '));
        seen.add(found);
      }),
      { numRuns: 300 },
    );
    expect(seen.size, 'many different answers').toBeGreaterThan(8);
  });

  test('a path that would make a tree of 7^8 leaves is judged at once', () => {
    const policies = Array.from({ length: 7 }, (_, index) => `1.3.${index}`);
    const mappings = policies.flatMap((from) => policies.map((to) => [from, to] as const));
    const links: Link[] = Array.from({ length: 8 }, () => ({ policies, mappings }));
    const [path, anchor] = chain([...links, { policies }]);
    const startMs = performance.now();
    const result = validatePath(path.toReversed(), anchor, {
      unixMs: TEST_UNIX_MS,
      policies: { explicitPolicy: true },
    });
    expect(answer(result)).toBe(policies.join(' '));
    expect(performance.now() - startMs).toBeLessThan(200);
  });

  test('more than policyNodesMax policies are refused', () => {
    const policies = Array.from({ length: 256 }, (_, index) => `1.3.${index}`);
    const links: Link[] = Array.from({ length: 9 }, () => ({ policies }));
    expect(answer(judge(links.slice(0, 3)))).not.toContain(':');
    expect(answer(judge(links))).toBe('work-limit: limit policyNodesMax');
  });
});
