import { describe, expect, test } from 'vitest';
import {
  certificatePolicies,
  cpsQualifier,
  policyQualifier,
  userNoticeQualifier,
} from '../../sim/certificates/policy-maker.ts';
import type { PolicyInputs } from '../../src/tls-auth/certificate-policies.ts';
import { utf8String } from '../../src/tls-auth/der-writer.ts';
import { ANY, answer, GOLD, judge, type Link, RED, SILVER, WHITE } from './policy-fixtures.ts';

/**
 * What the tests 4.8 to 4.12 of PKITS check, in its order, with certificates of our own: those of
 * which the half at hand has no case. The answer is the policies that the path is valid for.
 */
type Row = readonly [
  title: string,
  expected: string,
  links: readonly Link[],
  inputs?: PolicyInputs,
];

const accepting = (...policies: string[]) => ({ initialPolicies: new Set(policies) });
const explicit = { explicitPolicy: true };
const F = 'no-valid-policy: RFC 5280 §6.1.3 (f) valid policy';
const G = 'no-valid-policy: RFC 5280 §6.1.5 (g) valid policy';
const has = (...policies: string[]): Link => ({ policies });
const none: Link = {};
const self: Link = { selfIssued: true };

function table(rows: readonly Row[]): void {
  for (const [title, expected, links, inputs] of rows) {
    test(title, () => expect(answer(judge(links, inputs))).toBe(expected));
  }
}

describe('PKITS 4.8: certificate policies', () => {
  const same = [has(GOLD), has(GOLD)];
  const narrowing = [has(GOLD, SILVER, WHITE, RED), has(GOLD, SILVER, WHITE), has(GOLD, SILVER)];
  table([
    ['4.8.1 (1)', GOLD, same, explicit],
    ['4.8.1 (2)', GOLD, same, { ...explicit, ...accepting(GOLD) }],
    ['4.8.1 (3)', G, same, { ...explicit, ...accepting(SILVER) }],
    ['4.8.1 (4)', GOLD, same, { ...explicit, ...accepting(GOLD, SILVER) }],
    ['4.8.2 (1)', '', [none, none]],
    ['4.8.2 (2)', F, [none, none], explicit],
    ['4.8.3 (1)', '', [has(GOLD), has(SILVER), has(GOLD)]],
    ['4.8.3 (2)', F, [has(GOLD), has(SILVER), has(GOLD)], explicit],
    [
      '4.8.3 (3)',
      F,
      [has(GOLD), has(SILVER), has(GOLD)],
      { ...explicit, ...accepting(GOLD, SILVER) },
    ],
    ['4.8.4', F, [has(GOLD), has(GOLD), has(SILVER)], explicit],
    ['4.8.5', F, [has(GOLD), has(SILVER), has(SILVER)], explicit],
    ['4.8.6 (1)', GOLD, [...narrowing, has(GOLD)], explicit],
    ['4.8.6 (2)', GOLD, [...narrowing, has(GOLD)], { ...explicit, ...accepting(GOLD) }],
    ['4.8.6 (3)', G, [...narrowing, has(GOLD)], { ...explicit, ...accepting(SILVER) }],
    ['4.8.7', F, [...narrowing, has(WHITE)], explicit],
    ['4.8.8', F, [has(GOLD, SILVER), has(GOLD), has(SILVER), has(GOLD)], explicit],
    [
      '4.8.9',
      F,
      [has(GOLD, SILVER, WHITE), has(GOLD, SILVER), has(SILVER), has(SILVER), has(GOLD)],
      explicit,
    ],
    ['4.8.10 (1)', `${GOLD} ${SILVER}`, [has(GOLD, SILVER), has(GOLD, SILVER)], explicit],
    ['4.8.10 (2)', GOLD, [has(GOLD, SILVER), has(GOLD, SILVER)], accepting(GOLD)],
    ['4.8.10 (3)', SILVER, [has(GOLD, SILVER), has(GOLD, SILVER)], accepting(SILVER)],
    ['4.8.11 (1)', ANY, [has(ANY), has(ANY)], explicit],
    ['4.8.11 (2)', GOLD, [has(ANY), has(ANY)], { ...explicit, ...accepting(GOLD) }],
    ['4.8.12', F, [has(WHITE), has(RED)], explicit],
    ['4.8.13 (2)', SILVER, [has(GOLD, SILVER, WHITE), has(GOLD, SILVER, WHITE)], accepting(SILVER)],
    ['4.8.14 (1)', GOLD, [has(ANY), has(GOLD)], { ...explicit, ...accepting(GOLD) }],
    ['4.8.14 (2)', G, [has(ANY), has(GOLD)], { ...explicit, ...accepting(SILVER) }],
  ]);

  const notice = (text: string) => userNoticeQualifier(utf8String(text));
  const qualified = (...policies: (readonly [string, ...Uint8Array[]])[]): Link => ({
    extensions: { policies: certificatePolicies(policies) },
  });
  const texts = (links: readonly Link[], inputs: PolicyInputs): unknown => {
    const result = judge(links, inputs);
    return 'policies' in result ? result.policies : undefined;
  };

  test('4.8.15 to 4.8.20: qualifiers of the last certificate, also of its anyPolicy', () => {
    const q1 = { kind: 'userNotice', explicitText: 'q1' };
    const q2 = { kind: 'userNotice', explicitText: 'q2' };
    const matching = (policies: string[], ...qualifiers: object[]) => ({
      policies,
      qualifiers: qualifiers.map((one) => expect.objectContaining(one)),
    });
    const last = qualified([GOLD, notice('q1')]);
    expect(texts([last], accepting(GOLD))).toEqual(matching([GOLD], q1));
    expect(texts([has(GOLD), last], accepting(GOLD))).toEqual(matching([GOLD], q1));
    const three = qualified([GOLD, notice('q1')], [SILVER, notice('q2')], [ANY, notice('q3')]);
    expect(texts([has(ANY), three], accepting(GOLD))).toEqual(matching([GOLD], q1));
    expect(texts([has(ANY), three], accepting(SILVER))).toEqual(matching([SILVER], q2));
    const q3 = { kind: 'userNotice', explicitText: 'q3' };
    expect(texts([has(ANY), three], accepting(RED))).toEqual(matching([RED], q3));
    const long = 'x'.repeat(201);
    expect(texts([qualified([GOLD, notice(long)])], explicit)).toEqual(
      matching([GOLD], { explicitText: long }),
    );
    const pointer = qualified([GOLD, cpsQualifier('http://cps.example/')]);
    expect(texts([pointer], { ...explicit, ...accepting(GOLD) })).toEqual(
      matching([GOLD], { kind: 'cps', uri: 'http://cps.example/' }),
    );
    expect(answer(judge([qualified([GOLD, policyQualifier('1.2.3', utf8String('x'))])]))).toBe(
      GOLD,
    );
  });
});

describe('PKITS 4.9: requireExplicitPolicy', () => {
  const after = (...requires: (number | undefined)[]) =>
    requires.map((require): Link => ({ require }));
  table([
    ['4.9.1: 10', '', [...after(10, undefined, undefined, undefined), none]],
    ['4.9.2: 5', '', [...after(5, undefined, undefined, undefined), none]],
    ['4.9.3: 4', G, [...after(4, undefined, undefined, undefined), none]],
    ['4.9.4: 0, and all have one', GOLD, [{ require: 0, policies: [GOLD] }, has(GOLD), has(GOLD)]],
    ['4.9.5: 7, then 2', F, [...after(7, 2, 4, undefined), none]],
    ['4.9.6: 2, a self-issued one between', '', [{ require: 2 }, self, none]],
    ['4.9.7: 2, a self-issued one between, one more', G, [{ require: 2 }, self, none, none]],
    ['4.9.8: 2, two self-issued ones, one more', G, [{ require: 2 }, self, none, self, none]],
  ]);
});

describe('PKITS 4.10: policy mappings', () => {
  const maps = (policies: string[], ...mappings: [string, string][]): Link => ({
    policies,
    mappings,
  });
  const simple = [maps([GOLD], [GOLD, SILVER]), has(SILVER)];
  const twice = [maps([GOLD], [GOLD, SILVER]), maps([SILVER], [SILVER, WHITE]), has(WHITE)];
  const either = maps([GOLD, SILVER], [GOLD, WHITE], [SILVER, RED]);
  const forked = maps([GOLD], [GOLD, SILVER], [GOLD, WHITE]);
  table([
    ['4.10.1 (1)', GOLD, simple, { ...explicit, ...accepting(GOLD) }],
    ['4.10.1 (2)', G, simple, { ...explicit, ...accepting(SILVER) }],
    ['4.10.1 (3)', F, simple, { ...explicit, inhibitPolicyMapping: true }],
    ['4.10.2 (1)', F, [maps([GOLD], [GOLD, SILVER]), has(GOLD)], explicit],
    [
      '4.10.2 (2)',
      F,
      [maps([GOLD], [GOLD, SILVER]), has(GOLD)],
      { ...explicit, inhibitPolicyMapping: true },
    ],
    ['4.10.3 (1)', G, twice, { ...explicit, ...accepting(SILVER) }],
    ['4.10.3 (2)', GOLD, twice, { ...explicit, ...accepting(GOLD) }],
    [
      '4.10.4',
      F,
      [maps([GOLD], [GOLD, SILVER]), maps([SILVER], [SILVER, WHITE]), has(RED)],
      explicit,
    ],
    ['4.10.5 (1)', GOLD, [either, has(WHITE)], { ...explicit, ...accepting(GOLD) }],
    ['4.10.5 (2)', G, [either, has(WHITE)], { ...explicit, ...accepting(RED) }],
    ['4.10.6 (1)', GOLD, [either, has(WHITE)], { ...explicit, ...accepting(GOLD) }],
    ['4.10.6 (2)', G, [either, has(WHITE)], { ...explicit, ...accepting(SILVER) }],
    [
      '4.10.7',
      'pkix-profile: RFC 5280 §4.2.1.5 policyMappings',
      [maps([GOLD], [ANY, GOLD]), has(GOLD)],
      explicit,
    ],
    [
      '4.10.8',
      'pkix-profile: RFC 5280 §4.2.1.5 policyMappings',
      [maps([GOLD], [GOLD, ANY]), has(GOLD)],
      explicit,
    ],
    ['4.10.9', GOLD, [has(ANY), maps([GOLD], [GOLD, SILVER]), has(SILVER)], explicit],
    ['4.10.10', F, [has(GOLD), maps([ANY], [GOLD, SILVER]), has(GOLD)], explicit],
    ['4.10.11', GOLD, [has(GOLD), maps([ANY], [GOLD, SILVER]), has(SILVER)], explicit],
    ['4.10.12 (1)', GOLD, [either, has(WHITE, ANY)], { ...explicit, ...accepting(GOLD) }],
    ['4.10.12 (2)', SILVER, [either, has(WHITE, ANY)], { ...explicit, ...accepting(SILVER) }],
    ['4.10.13 (1)', GOLD, [forked, has(SILVER)], { ...explicit, ...accepting(GOLD) }],
    ['4.10.13 (2)', G, [forked, has(SILVER)], { ...explicit, ...accepting(SILVER) }],
    ['4.10.13 (3)', GOLD, [forked, has(WHITE)], { ...explicit, ...accepting(GOLD, WHITE) }],
    ['4.10.14', GOLD, [forked, has(ANY)], explicit],
  ]);
});

describe('PKITS 4.11: inhibitPolicyMapping', () => {
  const allows = (inhibitMapping: number, link: Link = {}): Link => ({
    policies: [GOLD],
    inhibitMapping,
    ...link,
  });
  const map = (from: string, to: string): Link => ({ policies: [from], mappings: [[from, to]] });
  const selfGold: Link = { selfIssued: true, policies: [GOLD] };
  table([
    ['4.11.1: 0', F, [allows(0), map(GOLD, WHITE), has(WHITE)], explicit],
    ['4.11.2: 1, one maps', GOLD, [allows(1), map(GOLD, WHITE), has(WHITE)], explicit],
    [
      '4.11.3: 1, two map',
      F,
      [allows(1), map(GOLD, SILVER), map(SILVER, WHITE), has(WHITE)],
      explicit,
    ],
    [
      '4.11.4: 1, one maps below it',
      GOLD,
      [allows(1), map(GOLD, SILVER), has(SILVER), has(SILVER)],
      explicit,
    ],
    [
      '4.11.5: 5, then 1',
      F,
      [allows(5), allows(1), has(GOLD), map(GOLD, WHITE), has(WHITE)],
      explicit,
    ],
    ['4.11.6: 1, then 5', F, [allows(1), allows(5), map(GOLD, WHITE), has(WHITE)], explicit],
    [
      '4.11.7: a self-issued one between',
      GOLD,
      [allows(1), selfGold, map(GOLD, SILVER), has(SILVER)],
      explicit,
    ],
    [
      '4.11.8: … and two map',
      F,
      [allows(1), selfGold, map(GOLD, SILVER), map(SILVER, WHITE), has(WHITE)],
      explicit,
    ],
    [
      '4.11.9: … the second maps alone',
      F,
      [allows(1), selfGold, has(GOLD), map(GOLD, SILVER), has(SILVER)],
      explicit,
    ],
    [
      '4.11.10: the self-issued one maps',
      GOLD,
      [allows(1), { ...map(GOLD, SILVER), selfIssued: true }, has(SILVER)],
      explicit,
    ],
    [
      '4.11.11: 0, and it maps',
      F,
      [allows(0), { ...map(GOLD, SILVER), selfIssued: true }, has(SILVER)],
      explicit,
    ],
  ]);
});

describe('PKITS 4.12: inhibitAnyPolicy', () => {
  const inhibits = (inhibitAny: number, policies: string[] = [ANY]): Link => ({
    policies,
    inhibitAny,
  });
  const selfAny: Link = { selfIssued: true, policies: [ANY] };
  table([
    ['4.12.1: 0', F, [inhibits(0), has(ANY)], explicit],
    ['4.12.2: 0, and another policy beside it', GOLD, [inhibits(0), has(GOLD, ANY)], explicit],
    ['4.12.3 (1): 1', ANY, [inhibits(1), has(ANY), has(ANY)].slice(0, 2), explicit],
    [
      '4.12.3 (2): 1, inhibited from the start',
      F,
      [inhibits(1), has(ANY)],
      { ...explicit, inhibitAnyPolicy: true },
    ],
    ['4.12.4: 1, one more', F, [inhibits(1), has(ANY), has(ANY)], explicit],
    [
      '4.12.5: 5, then 1',
      F,
      [inhibits(5, [GOLD]), inhibits(1, [GOLD]), has(ANY), has(ANY)],
      explicit,
    ],
    ['4.12.6: 1, then 5', F, [inhibits(1, [GOLD]), inhibits(5, [GOLD]), has(ANY)], explicit],
    [
      '4.12.7: 1, a self-issued one between',
      GOLD,
      [inhibits(1, [GOLD]), selfAny, has(ANY)],
      explicit,
    ],
    ['4.12.8: … and one more', F, [inhibits(1, [GOLD]), selfAny, has(GOLD), has(ANY)], explicit],
    [
      '4.12.9: … and a self-issued one again',
      GOLD,
      [inhibits(1, [GOLD]), selfAny, has(GOLD), selfAny, has(GOLD)],
      explicit,
    ],
    [
      '4.12.10: a self-issued leaf is not free',
      F,
      [inhibits(1, [GOLD]), has(GOLD), selfAny],
      explicit,
    ],
  ]);
});
