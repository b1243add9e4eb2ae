import { describe, expect, test } from 'vitest';
import {
  type CertificateContent,
  type ContentChange,
  makeIntermediate,
  makeKey,
  makeLeaf,
  makeRoot,
  TEST_UNIX_MS,
  type TestAuthority,
  testNodeId,
} from '../../sim/certificates/certificate-maker.ts';
import {
  basicConstraints,
  generalName,
  keyUsage,
  subjectAltName,
} from '../../sim/certificates/extension-maker.ts';
import { certificateReports } from '../../src/cli/certificate-report.ts';
import { Authenticator } from '../../src/tls-auth/authenticator.ts';
import { profileChecks } from '../../src/tls-auth/certificate-profile.ts';
import { CertificateRefusal } from '../../src/tls-auth/certificate-refusal.ts';
import { reloadUri } from '../../src/tls-auth/node-identity.ts';
import type { ProfileRules } from '../../src/tls-auth/profile-rule.ts';
import { type BadCertificate, brokenRules, having, named, without } from './bad-certificates.ts';
import { read } from './path-fixtures.ts';
import { testTrustSettings } from './test-node.ts';

const rules: ProfileRules = { profile: 'xep-0416', overlayName: 'xmpp.org', nodeIdLength: 16 };
const JID = 'juliet@capulet.lit';
const URI = reloadUri(testNodeId(1), 'xmpp.org');
const { xmppAddr, rfc822Name, uri, dnsName } = generalName;
const root = makeRoot();
const ecKey = makeKey();
const rsaKey = makeKey('rsa2048');

const usageWithout = (bit: 'digitalSignature' | 'keyCertSign') =>
  having({ keyUsage: keyUsage(bit === 'keyCertSign' ? 'digitalSignature' : 'keyCertSign') });

/** No subject, so that rule 2 is broken and RFC 5280 is not: the names are critical. */
const noSubject: ContentChange = (content: CertificateContent) => ({
  subject: [],
  extensions: {
    ...content.extensions,
    subjectAltName: subjectAltName([xmppAddr(JID), uri(URI), rfc822Name(JID)], true),
  },
});

interface Xep0416Bad extends BadCertificate {
  readonly isRsa?: boolean;
}

/** One bad certificate for every rule of XEP-0416 §3.2. */
const badCertificates: readonly Xep0416Bad[] = [
  { rule: 'rfc5280', role: 'leaf', change: without('authorityKeyIdentifier') },
  { rule: 'subject', role: 'leaf', change: noSubject },
  { rule: 'key-usage-digital-signature', role: 'leaf', change: without('keyUsage') },
  { rule: 'elliptic-curve', role: 'leaf', change: () => ({}), isRsa: true },
  {
    rule: 'leaf-basic-constraints',
    role: 'leaf',
    change: having({ basicConstraints: basicConstraints(true) }),
  },
  {
    rule: 'leaf-crl-distribution-point',
    role: 'leaf',
    change: without('crlDistributionPoints'),
  },
  {
    rule: 'leaf-single-xmpp-addr',
    role: 'leaf',
    change: named(xmppAddr(JID), xmppAddr('j@capulet.lit'), uri(URI), rfc822Name(JID)),
  },
  {
    rule: 'leaf-xmpp-addr',
    role: 'leaf',
    change: named(xmppAddr(`${JID}/balcony`), uri(URI), rfc822Name(JID)),
  },
  {
    rule: 'leaf-rfc822-name',
    role: 'leaf',
    change: named(xmppAddr(JID), uri(URI)),
  },
  {
    rule: 'leaf-single-reload-uri',
    role: 'leaf',
    change: named(
      xmppAddr(JID),
      rfc822Name(JID),
      uri(URI),
      uri(reloadUri(testNodeId(2), 'xmpp.org')),
    ),
  },
  {
    rule: 'leaf-reload-uri',
    role: 'leaf',
    change: named(xmppAddr(JID), rfc822Name(JID), uri('reload://0@xmpp.org/')),
  },
  {
    rule: 'leaf-reload-overlay',
    role: 'leaf',
    change: named(xmppAddr(JID), rfc822Name(JID), uri(reloadUri(testNodeId(1), 'example.org'))),
  },
  {
    rule: 'leaf-reload-specifier',
    role: 'leaf',
    change: named(xmppAddr(JID), rfc822Name(JID), uri(`${URI}?x`)),
  },
  ...(['domain-associated', 'intermediate', 'root'] as const).flatMap((role): Xep0416Bad[] => [
    {
      rule: `${role}-key-cert-sign`,
      role,
      change: usageWithout('keyCertSign'),
      also: role === 'domain-associated' ? ['rfc5280'] : [],
    },
    {
      rule: `${role}-basic-constraints`,
      role,
      change: without('basicConstraints'),
      also: ['rfc5280', ...(role === 'domain-associated' ? [`${role}-path-length`] : [])],
    },
  ]),
  ...(['domain-associated', 'intermediate'] as const).map((role) => ({
    rule: `${role}-crl-distribution-point`,
    role,
    change: without('crlDistributionPoints'),
  })),
  {
    rule: 'domain-associated-path-length',
    role: 'domain-associated',
    change: having({ basicConstraints: basicConstraints(true, 1) }),
  },
  {
    rule: 'domain-associated-domain-name',
    role: 'domain-associated',
    change: named(dnsName('capulet.lit'), dnsName('montague.lit')),
  },
  {
    rule: 'domain-associated-wildcard',
    role: 'domain-associated',
    change: named(dnsName('*.capulet.lit')),
  },
];

/** The certificate of a role, changed, and a path that it stands on. */
function pathWith({ role, change, isRsa }: Xep0416Bad) {
  const key = isRsa === true ? rsaKey : ecKey;
  if (role === 'root') {
    const changed = makeRoot({ key, change });
    return { certificate: changed, leaf: makeLeaf(changed), pool: [], anchor: changed };
  }
  if (role === 'leaf') {
    const changed = makeLeaf(root, { key, change });
    return { certificate: changed, leaf: changed, pool: [], anchor: root };
  }
  const domain = role === 'domain-associated' ? { domain: 'capulet.lit' } : {};
  const changed = makeIntermediate(root, { ...domain, key, change });
  return { certificate: changed, leaf: makeLeaf(changed), pool: [changed], anchor: root };
}

function refusalOf(leaf: Uint8Array, pool: readonly TestAuthority[], anchor: TestAuthority) {
  const authenticator = new Authenticator(testTrustSettings([anchor]));
  const pooled = pool.map(({ certificate }) => certificate);
  const result = authenticator.authenticate(leaf, pooled, TEST_UNIX_MS);
  return result instanceof CertificateRefusal ? result : undefined;
}

describe('XEP-0416 §3.2: one bad certificate for every rule', () => {
  test.each(badCertificates.map((bad) => [bad.rule, bad.role, bad] as const))(
    '%s, in a certificate of role %s: broken, and no other rule is',
    (rule, role, bad) => {
      const { certificate } = pathWith(bad);
      expect(brokenRules(certificate, role, rules)).toEqual([rule, ...(bad.also ?? [])].toSorted());
      const [report] = certificateReports(certificate.certificate, {
        profile: 'xep-0416',
        overlayName: 'xmpp.org',
        role,
        unixMs: TEST_UNIX_MS,
      });
      const reported = typeof report === 'object' ? report : undefined;
      expect(reported?.rules.find((one) => one.rule === rule)?.outcome).toBe('broken');
      expect(reported?.obeysProfile).toBe(rule === 'elliptic-curve');
    },
  );

  test.each(badCertificates.map((bad) => [bad.rule, bad] as const))(
    '%s: a path with it is refused for that rule (the SHOULD is not)',
    (rule, bad) => {
      const { leaf, pool, anchor } = pathWith(bad);
      const refusal = refusalOf(leaf.certificate, pool, anchor);
      if (rule === 'elliptic-curve') {
        expect(refusal).toBeUndefined();
        return;
      }
      // What RFC 5280 §6.1 refuses by itself is refused before the profile is asked.
      expect(refusal?.rule).toMatch(pathRules.get(rule) ?? new RegExp(`^XEP-0416 §3.2 ${rule}$`));
    },
  );

  test('the table has one for each rule', () => {
    const every = (['leaf', 'domain-associated', 'intermediate', 'root'] as const).flatMap((role) =>
      profileChecks(read(root), role, rules)
        .filter(({ section }) => section === 'XEP-0416 §3.2')
        .map(({ name }) => name),
    );
    expect(badCertificates.map(({ rule }) => rule).toSorted()).toEqual(
      [...new Set(every)].toSorted(),
    );
  });
});

/** Rules of RFC 5280 that refuse the same certificate on a path. */
const pathRules: ReadonlyMap<string, RegExp> = new Map([
  ['rfc5280', /^RFC 5280 §4.2.1.1 authorityKeyIdentifier missing$/],
  ...(['domain-associated', 'intermediate', 'root'] as const).flatMap(
    (role) =>
      [
        [`${role}-key-cert-sign`, /^RFC 5280 §(6.1.4 \(n\) keyUsage|4.2.1.9 pathLenConstraint)$/],
        [`${role}-basic-constraints`, /^RFC 5280 §(4.2.1.3 keyCertSign|6.1.4 \(k\) basicC.*)$/],
      ] as const,
  ),
]);

describe('XEP-0416 §3.2 and §4: good certificates obey every rule', () => {
  const domain = makeIntermediate(root, { domain: 'capulet.lit' });
  const file = (...certificates: readonly { readonly certificate: Uint8Array }[]) =>
    Buffer.from(certificates.map(({ certificate }) => pem(certificate)).join(''));
  const reports = (bytes: Uint8Array) => {
    const found = certificateReports(bytes, {
      profile: 'xep-0416',
      overlayName: 'xmpp.org',
      unixMs: TEST_UNIX_MS,
    });
    if (typeof found === 'string') throw new Error(found);
    return found;
  };
  const outcomes = (bytes: Uint8Array, name: string) =>
    reports(bytes).map(({ rules: all }) => all.find(({ rule }) => rule === name)?.outcome);

  test('leaf, domain-associated and other intermediate, root', () => {
    const plain = makeIntermediate(root);
    const found = reports(file(makeLeaf(domain), domain, plain, makeLeaf(plain), root));
    expect(found.map(({ role }) => role)).toEqual([
      'leaf',
      'domain-associated',
      'intermediate',
      'leaf',
      'root',
    ]);
    for (const { brokenRules, obeysProfile } of found) {
      expect({ brokenRules, obeysProfile }).toEqual({ brokenRules: [], obeysProfile: true });
    }
  });

  test('§4 is judged where the issuer stands in the same file, undetermined elsewhere', () => {
    const [juliet, romeo] = [makeLeaf(domain), makeLeaf(domain, { jid: 'romeo@montague.lit' })];
    const sameDomain = (...all: readonly { readonly certificate: Uint8Array }[]) =>
      outcomes(file(...all), 'domain-associated-domain')[0];
    expect(sameDomain(juliet, domain)).toBe('obeyed');
    expect(sameDomain(romeo, domain)).toBe('broken');
    expect(sameDomain(romeo)).toBe('undetermined');
    const impostor = makeIntermediate(root, { domain: 'capulet.lit' });
    expect(sameDomain(romeo, impostor)).toBe('undetermined');
    const below = makeIntermediate(domain, { name: 'Below' });
    expect(outcomes(file(below, domain), 'domain-associated-signs-leaf')[0]).toBe('broken');
  });
});

function pem(certificate: Uint8Array): string {
  const base64 = Buffer.from(certificate).toString('base64');
  return `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`;
}
