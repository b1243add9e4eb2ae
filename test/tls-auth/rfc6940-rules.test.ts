import { describe, expect, test } from 'vitest';
import {
  makeIntermediate,
  makeKey,
  makeRfc6940Leaf,
  makeRoot,
  makeSelfSigned,
  TEST_UNIX_MS,
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
import { reloadUri, selfSignedNodeId } from '../../src/tls-auth/node-identity.ts';
import type { ProfileRules } from '../../src/tls-auth/profile-rule.ts';
import { type BadCertificate, brokenRules, having, without } from './bad-certificates.ts';
import { read } from './path-fixtures.ts';
import { testTrustSettings } from './test-node.ts';

const OVERLAY = 'overlay.example.org';
const rules: ProfileRules = { profile: 'rfc6940', overlayName: OVERLAY, nodeIdLength: 16 };
const root = makeRoot();
const key = makeKey();
const NODE_ID = selfSignedNodeId(
  key.publicKey.export({ format: 'der', type: 'spki' }),
  'sha256',
  16,
);
const USER = generalName.rfc822Name('alice@example.org');
const NODE = generalName.uri(reloadUri(NODE_ID, OVERLAY));

/** An empty subject makes the names critical (RFC 5280 §4.1.2.6). */
const named = (...names: readonly Uint8Array[]) =>
  having({ subjectAltName: subjectAltName(names, true) });

/** One bad certificate for every rule of RFC 6940 §11.3 about the certificate of a user. */
const badLeaves = [
  { rule: 'leaf-key-usage', change: having({ keyUsage: keyUsage('keyAgreement') }) },
  {
    rule: 'leaf-no-other-names',
    change: named(NODE, USER, generalName.dnsName('example.org')),
  },
  { rule: 'leaf-reload-uris', change: named(USER) },
  {
    rule: 'leaf-reload-uri',
    change: named(USER, generalName.uri(reloadUri(NODE_ID, 'xmpp.org'))),
  },
  { rule: 'leaf-single-user-name', change: named(NODE, USER, USER) },
  { rule: 'leaf-user-name', change: named(NODE, generalName.rfc822Name('alice')) },
] as const;

/** What RFC 5280 asks of each role, and the refusal of a path that lacks it. */
const badCertificates: readonly (BadCertificate & { readonly refusal?: RegExp })[] = [
  ...badLeaves.map((bad) => ({ ...bad, role: 'leaf' as const })),
  ...badLeaves.map((bad) => ({ ...bad, role: 'self-signed' as const })),
  { rule: 'leaf-empty-subject', role: 'leaf', change: () => ({ subject: [['CN', 'Alice']] }) },
  {
    rule: 'rfc5280',
    role: 'leaf',
    change: without('authorityKeyIdentifier'),
    refusal: /^RFC 5280 §4.2.1.1 authorityKeyIdentifier missing$/,
  },
  {
    rule: 'rfc5280',
    role: 'self-signed',
    change: having({ subjectAltName: subjectAltName([NODE, USER]) }),
    refusal: /^RFC 5280 §4.1.2.6 empty subject$/,
  },
  {
    rule: 'rfc5280',
    role: 'intermediate',
    change: without('subjectKeyIdentifier'),
    refusal: /^RFC 5280 §4.2.1.2 subjectKeyIdentifier of a CA$/,
  },
  {
    rule: 'rfc5280',
    role: 'root',
    change: having({ basicConstraints: basicConstraints(false) }),
    refusal: /^RFC 5280 §4.2.1.3 keyCertSign$/,
  },
];

/** The certificate of a role, changed, and a path that it stands on. */
function pathWith({ role, change }: Pick<BadCertificate, 'role' | 'change'>) {
  const leafOptions = { key, nodeIds: [NODE_ID], overlayName: OVERLAY };
  if (role === 'leaf') {
    const changed = makeRfc6940Leaf(root, { ...leafOptions, change });
    return { certificate: changed, leaf: changed, pool: [], anchor: root };
  }
  if (role === 'self-signed') {
    const changed = makeSelfSigned({ ...leafOptions, change });
    return { certificate: changed, leaf: changed, pool: [], anchor: root };
  }
  if (role === 'root') {
    const changed = makeRoot({ key, change });
    return { certificate: changed, leaf: makeRfc6940Leaf(changed), pool: [], anchor: changed };
  }
  const changed = makeIntermediate(root, { key, change });
  return { certificate: changed, leaf: makeRfc6940Leaf(changed), pool: [changed], anchor: root };
}

function refusalOf({ leaf, pool, anchor }: ReturnType<typeof pathWith>) {
  const authenticator = new Authenticator(
    testTrustSettings([anchor], {
      overlayName: OVERLAY,
      profile: 'rfc6940',
      selfSignedDigest: 'sha256',
    }),
  );
  const pooled = pool.map(({ certificate }) => certificate);
  const result = authenticator.authenticate(leaf.certificate, pooled, TEST_UNIX_MS);
  return result instanceof CertificateRefusal ? result : undefined;
}

describe('RFC 6940 §11.3: one bad certificate for every rule', () => {
  test.each(badCertificates.map((bad) => [bad.rule, bad.role, bad] as const))(
    '%s, in a certificate of role %s: broken, and no other rule is',
    (rule, role, bad) => {
      const { certificate } = pathWith(bad);
      expect(brokenRules(certificate, role, rules)).toEqual([rule]);
      const [report] = certificateReports(certificate.certificate, {
        profile: 'rfc6940',
        overlayName: OVERLAY,
        role,
        unixMs: TEST_UNIX_MS,
      });
      const reported = typeof report === 'object' ? report : undefined;
      expect(reported?.brokenRules.map((broken) => broken.rule)).toEqual([rule]);
      expect(reported?.obeysProfile).toBe(false);
    },
  );

  test.each(badCertificates.map((bad) => [bad.rule, bad.role, bad] as const))(
    '%s, in a certificate of role %s: a path with it is refused for that rule',
    (rule, _role, bad) => {
      const refusal = refusalOf(pathWith(bad));
      expect(refusal?.rule).toMatch(bad.refusal ?? new RegExp(`^RFC 6940 §11.3 ${rule}$`));
    },
  );

  test.each(['leaf', 'self-signed', 'intermediate', 'root'] as const)(
    'a good certificate of role %s obeys every rule, and is taken',
    (role) => {
      const path = pathWith({ role, change: () => ({}) });
      expect(brokenRules(path.certificate, role, rules)).toEqual([]);
      if (role === 'leaf' || role === 'self-signed') expect(refusalOf(path)).toBeUndefined();
    },
  );

  test('the table has one for each rule and role', () => {
    const roles = ['leaf', 'self-signed', 'intermediate', 'root'] as const;
    const every = roles.flatMap((role) =>
      profileChecks(read(root), role, rules)
        .filter(({ section }) => section === 'RFC 6940 §11.3')
        .map(({ name }) => `${role} ${name}`),
    );
    expect(badCertificates.map(({ role, rule }) => `${role} ${rule}`).toSorted()).toEqual(
      every.toSorted(),
    );
  });

  test('a Node-ID of another node in the same place is another certificate, not a broken one', () => {
    const { leaf } = pathWith({
      role: 'leaf',
      change: named(generalName.uri(reloadUri(testNodeId(7), OVERLAY)), USER),
    });
    expect(brokenRules(leaf, 'leaf', rules)).toEqual([]);
  });
});
