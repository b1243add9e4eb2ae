import { describe, expect, test } from 'vitest';
import {
  certificatePolicies,
  cpsQualifier,
  policyConstraints,
  policyQualifier,
} from '../../sim/certificates/policy-maker.ts';
import type { PolicyInputs } from '../../src/tls-auth/certificate-policies.ts';
import { CertificateRefusal } from '../../src/tls-auth/certificate-refusal.ts';
import { integer } from '../../src/tls-auth/der-writer.ts';
import { ANY, answer, GOLD, judge, type Link, RED, SILVER, WHITE } from './policy-fixtures.ts';

const accepting = (...policies: string[]) => ({ initialPolicies: new Set(policies) });
const explicit = { explicitPolicy: true };
const AT_F = 'no-valid-policy: RFC 5280 §6.1.3 (f) valid policy';
const AT_G = 'no-valid-policy: RFC 5280 §6.1.5 (g) valid policy';

describe('RFC 5280 §6.1: certificate policies', () => {
  test.each<[string, string, Link[], PolicyInputs]>([
    ['nothing asserted, nothing required', '', [{}, {}], {}],
    ['§6.1.3 (f): nothing asserted', AT_F, [{}, {}], explicit],
    [
      '§6.1.3 (d) (1) (i): the same policy',
      GOLD,
      [{ policies: [GOLD] }, { policies: [GOLD] }],
      explicit,
    ],
    ['… another one', AT_F, [{ policies: [GOLD] }, { policies: [SILVER] }], explicit],
    ['… another one, not required', '', [{ policies: [GOLD] }, { policies: [SILVER] }], {}],
    [
      '§6.1.3 (d) (1) (ii): below anyPolicy',
      GOLD,
      [{ policies: [ANY] }, { policies: [GOLD] }],
      explicit,
    ],
    [
      '§6.1.3 (d) (2): anyPolicy below',
      GOLD,
      [{ policies: [GOLD] }, { policies: [ANY] }],
      explicit,
    ],
    ['anyPolicy all along', ANY, [{ policies: [ANY] }, { policies: [ANY] }], explicit],
    [
      '§6.1.3 (e): a gap in the middle',
      AT_F,
      [{ policies: [GOLD] }, {}, { policies: [GOLD] }],
      explicit,
    ],
    [
      '§6.1.5 (g): one of two is accepted',
      SILVER,
      [{ policies: [GOLD, SILVER] }],
      accepting(SILVER),
    ],
    ['§6.1.5 (g): none is', AT_G, [{ policies: [GOLD] }], { ...explicit, ...accepting(SILVER) }],
    ['§6.1.5 (g): none is, none required', '', [{ policies: [GOLD] }], accepting(SILVER)],
    [
      '§6.1.5 (g) (iii) 3: anyPolicy stands for those accepted',
      `${GOLD} ${RED}`,
      [{ policies: [ANY, GOLD] }],
      accepting(GOLD, RED),
    ],
    [
      'any-policy in the user-initial-policy-set',
      GOLD,
      [{ policies: [GOLD] }],
      accepting(ANY, RED),
    ],
    ['an empty set accepts nothing', AT_G, [{ policies: [GOLD] }], { ...explicit, ...accepting() }],
  ])('%s', (_, expected, links, inputs) => {
    expect(answer(judge(links, inputs))).toBe(expected);
  });

  test.each<[string, string, Link[]]>([
    ['0 binds the next', AT_F, [{ require: 0 }, {}]],
    ['1 spares one', AT_F, [{ require: 1 }, {}, {}]],
    ['2 is not reached by two, but the last counts at the end', AT_G, [{ require: 2 }, {}, {}]],
    ['3 is not reached', '', [{ require: 3 }, {}, {}]],
    ['a later one only lowers', AT_F, [{ require: 0 }, { require: 9 }, {}]],
    [
      '§6.1.4 (h): a self-issued one does not count',
      '',
      [{ require: 3 }, { selfIssued: true }, {}, {}],
    ],
    ['… nor is it spared', AT_F, [{ require: 0 }, { selfIssued: true }, {}]],
    ['§6.1.5 (b): 0 in the last certificate', AT_G, [{}, { require: 0 }]],
    ['… 1 in the last certificate', '', [{}, { require: 1 }]],
    ['satisfied', GOLD, [{ policies: [GOLD], require: 0 }, { policies: [GOLD] }]],
  ])('§4.2.1.11 requireExplicitPolicy: %s', (_, expected, links) => {
    expect(answer(judge(links))).toBe(expected);
  });

  const mapped: Link = { policies: [GOLD], mappings: [[GOLD, SILVER]] };
  const below: Link = { policies: [SILVER] };
  test.each<[string, string, Link[], PolicyInputs]>([
    ['GOLD of the anchor is SILVER below', GOLD, [mapped, below], explicit],
    [
      'the user’s names are the anchor’s',
      AT_G,
      [mapped, below],
      { ...explicit, ...accepting(SILVER) },
    ],
    ['what is mapped is no longer valid itself', AT_F, [mapped, { policies: [GOLD] }], explicit],
    [
      'to itself and another',
      GOLD,
      [
        {
          policies: [GOLD],
          mappings: [
            [GOLD, GOLD],
            [GOLD, RED],
          ],
        },
        { policies: [GOLD] },
      ],
      explicit,
    ],
    [
      'two become one',
      `${GOLD} ${WHITE}`,
      [
        {
          policies: [GOLD, WHITE],
          mappings: [
            [GOLD, RED],
            [WHITE, RED],
          ],
        },
        { policies: [RED] },
      ],
      explicit,
    ],
    [
      'what is not asserted maps to nothing',
      AT_F,
      [{ policies: [WHITE], mappings: [[GOLD, SILVER]] }, below],
      explicit,
    ],
    [
      '§6.1.4 (b) (1): what anyPolicy stands for',
      GOLD,
      [{ policies: [ANY], mappings: [[GOLD, SILVER]] }, below],
      explicit,
    ],
    [
      'initial-policy-mapping-inhibit',
      AT_F,
      [mapped, below],
      { ...explicit, inhibitPolicyMapping: true },
    ],
    [
      'inhibitPolicyMapping 0 binds the next',
      AT_F,
      [{ policies: [GOLD], inhibitMapping: 0 }, mapped, below],
      explicit,
    ],
    [
      'inhibitPolicyMapping 1 spares one',
      GOLD,
      [{ policies: [GOLD], inhibitMapping: 1 }, mapped, below],
      explicit,
    ],
    [
      '… not two',
      AT_F,
      [{ policies: [GOLD], inhibitMapping: 1 }, { policies: [GOLD] }, mapped, below],
      explicit,
    ],
    [
      '… but self-issued ones do not count',
      GOLD,
      [
        { policies: [GOLD], inhibitMapping: 1 },
        { policies: [GOLD], selfIssued: true },
        mapped,
        below,
      ],
      explicit,
    ],
    [
      'in the certificate itself it comes after its mappings',
      GOLD,
      [{ ...mapped, inhibitMapping: 0 }, below],
      explicit,
    ],
  ])('§4.2.1.5 policyMappings: %s', (_, expected, links, inputs) => {
    expect(answer(judge(links, inputs))).toBe(expected);
  });

  const any: Link = { policies: [ANY] };
  const gold: Link = { policies: [GOLD] };
  test.each<[string, string, Link[], PolicyInputs]>([
    ['initial-any-policy-inhibit', AT_F, [any, any], { ...explicit, inhibitAnyPolicy: true }],
    ['0 binds the next', AT_F, [{ ...gold, inhibitAny: 0 }, any], explicit],
    ['0 does not bind its own', GOLD, [{ ...any, inhibitAny: 0 }, gold], explicit],
    ['1 spares one', GOLD, [{ ...gold, inhibitAny: 1 }, any, gold], explicit],
    ['… not two', AT_F, [{ ...gold, inhibitAny: 1 }, gold, any], explicit],
    [
      'a self-issued intermediate is free',
      GOLD,
      [{ ...gold, inhibitAny: 0 }, { ...any, selfIssued: true }, gold],
      explicit,
    ],
    [
      '… a self-issued leaf is not',
      AT_F,
      [
        { ...gold, inhibitAny: 0 },
        { ...any, selfIssued: true },
      ],
      explicit,
    ],
    [
      '… and does not count',
      GOLD,
      [{ ...gold, inhibitAny: 1 }, { ...gold, selfIssued: true }, any],
      explicit,
    ],
  ])('§4.2.1.14 inhibitAnyPolicy: %s', (_, expected, links, inputs) => {
    expect(answer(judge(links, inputs))).toBe(expected);
  });

  test('what the anchor requires or inhibits binds; its own policies do not count', () => {
    expect(answer(judge([gold, gold], {}, { policies: [RED] }))).toBe(GOLD);
    expect(answer(judge([{}, {}], {}, { require: 0 }))).toBe(AT_F);
    expect(answer(judge([any, any], explicit, { inhibitAny: 0 }))).toBe(AT_F);
    expect(answer(judge([mapped, below], explicit, { inhibitMapping: 0 }))).toBe(AT_F);
  });

  test('the refusal names the certificate and what was found', () => {
    const result = judge([gold, below], explicit);
    expect(result).toMatchObject({
      certificate: expect.stringContaining('a5a5'),
      detail: expect.stringContaining(SILVER),
    });
    expect(judge([gold], { ...explicit, ...accepting(RED) })).toMatchObject({
      detail: expect.stringContaining(RED),
    });
  });
});

describe('RFC 5280 §4.2.1.4: qualifiers', () => {
  const withPolicies = (...policies: Parameters<typeof certificatePolicies>): Link => ({
    extensions: { policies: certificatePolicies(...policies) },
  });

  test('those of the last certificate come with the policies that are valid', () => {
    const [first, second, third] = ['http://1', 'http://2', 'http://3'];
    const leaf = withPolicies([
      [GOLD, cpsQualifier(first)],
      [RED, cpsQualifier(second)],
      [ANY, cpsQualifier(third)],
    ]);
    const uris = (policies: PolicyInputs) => {
      const result = judge([any(), leaf], policies);
      if (result instanceof CertificateRefusal) throw new Error(result.describe());
      return result.policies.qualifiers.map((one) => (one.kind === 'cps' ? one.uri : one.kind));
    };
    const any = (): Link => ({ policies: [ANY] });
    expect(uris(accepting(GOLD))).toEqual([first]);
    expect(uris(accepting(SILVER))).toEqual([third]);
    expect(uris(accepting(RED, SILVER))).toEqual([second, third]);
    expect(uris({})).toEqual([first, second, third]);
  });

  test('anyPolicy’s own stand only for what is not asserted beside it', () => {
    const leaf = withPolicies([
      [GOLD, cpsQualifier('http://1')],
      [ANY, cpsQualifier('http://2')],
    ]);
    const above: Link = { policies: [GOLD, SILVER] };
    const qualifiers = (policy: string) => {
      const result = judge([above, leaf], accepting(policy));
      return result instanceof CertificateRefusal ? [] : result.policies.qualifiers;
    };
    expect(qualifiers(GOLD)).toEqual([{ kind: 'cps', uri: 'http://1' }]);
    expect(qualifiers(SILVER)).toEqual([{ kind: 'cps', uri: 'http://2' }]);
  });

  test('a type that is not known may stand in an extension that is not critical, not under anyPolicy', () => {
    const unknown = policyQualifier('1.2.9', integer(1));
    const refused = 'pkix-profile: RFC 5280 §4.2.1.4 policyQualifiers';
    expect(answer(judge([withPolicies([[GOLD, unknown]])]))).toBe(GOLD);
    expect(answer(judge([withPolicies([[GOLD, unknown]], true)]))).toBe(refused);
    expect(answer(judge([withPolicies([[ANY, unknown]])]))).toBe(refused);
    expect(answer(judge([withPolicies([[ANY, cpsQualifier('http://1')]], true)]))).toBe(ANY);
  });
});

describe('RFC 5280 §4: what contradicts the profile', () => {
  test('§4.2.1.5: anyPolicy is never mapped', () => {
    for (const pair of [
      [ANY, GOLD],
      [GOLD, ANY],
    ] as const) {
      const result = judge([{ policies: [ANY], mappings: [pair] }, {}]);
      expect(answer(result)).toBe('pkix-profile: RFC 5280 §4.2.1.5 policyMappings');
    }
  });

  test('§4.2.1.11: policyConstraints are critical, unless the certificate asserts policies', () => {
    const constraints = policyConstraints({ requireExplicitPolicy: 9 }, false);
    const rule = 'pkix-profile: RFC 5280 §4.2.1.11 policyConstraints';
    expect(answer(judge([{ extensions: { constraints } }, {}]))).toBe(rule);
    expect(answer(judge([{ policies: [GOLD], extensions: { constraints } }, {}]))).toBe('');
  });
});
