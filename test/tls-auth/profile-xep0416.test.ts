import { describe, expect, test } from 'vitest';
import {
  type ContentChange,
  makeIntermediate,
  makeKey,
  makeLeaf,
  makeRoot,
  TEST_UNIX_MS,
  type TestAuthority,
  type TestLeaf,
  testNodeId,
} from '../../sim/certificates/certificate-maker.ts';
import {
  basicConstraints,
  crlDistributionPoints,
  generalName,
  keyUsage,
  subjectAltName,
  type TestExtension,
} from '../../sim/certificates/extension-maker.ts';
import { Authenticator } from '../../src/tls-auth/authenticator.ts';
import { leafIdentity, profileFaults } from '../../src/tls-auth/certificate-profile.ts';
import { CertificateRefusal } from '../../src/tls-auth/certificate-refusal.ts';
import { reloadUri } from '../../src/tls-auth/node-identity.ts';
import type { ProfileRole, ProfileRules } from '../../src/tls-auth/profile-rule.ts';
import { domainKey } from '../../src/tls-auth/xmpp-address.ts';
import { read } from './path-fixtures.ts';
import { testTrustSettings } from './test-node.ts';

const rules: ProfileRules = { profile: 'xep-0416', overlayName: 'xmpp.org', nodeIdLength: 16 };
const root = makeRoot();
const JID = 'juliet@capulet.lit';
const URI = reloadUri(testNodeId(1), 'xmpp.org');
const { xmppAddr, rfc822Name, uri, dnsName } = generalName;

function extensionsWith(
  changes: Readonly<Record<string, TestExtension | undefined>>,
): ContentChange {
  return ({ extensions }) => ({ extensions: { ...extensions, ...changes } });
}

function namesWith(...names: readonly Uint8Array[]): ContentChange {
  return extensionsWith({ subjectAltName: subjectAltName(names) });
}

/** The names of the rules that a certificate breaks in a role. */
function broken(made: TestLeaf | TestAuthority, role: ProfileRole): string[] {
  return profileFaults(read(made), role, rules).map(({ name }) => name);
}

const brokenLeaf = (change: ContentChange) => broken(makeLeaf(root, { change }), 'leaf');

/** `valid`, or the rule that authentication names. */
function authenticated(leaf: TestLeaf, pool: readonly TestAuthority[], anchor = root): string {
  const authenticator = new Authenticator(testTrustSettings([anchor]));
  const pooled = pool.map(({ certificate }) => certificate);
  const result = authenticator.authenticate(leaf.certificate, pooled, TEST_UNIX_MS);
  return result instanceof CertificateRefusal ? `${result.code}: ${result.rule}` : 'valid';
}

describe('XEP-0416 §3.2: any certificate', () => {
  test('good ones break nothing', () => {
    expect(broken(root, 'root')).toEqual([]);
    expect(broken(makeIntermediate(root), 'intermediate')).toEqual([]);
    expect(broken(makeIntermediate(root, { domain: 'capulet.lit' }), 'domain-associated')).toEqual(
      [],
    );
    expect(broken(makeLeaf(root), 'leaf')).toEqual([]);
  });

  test('rule 1: RFC 5280 is obeyed', () => {
    expect(
      broken(makeRoot({ change: extensionsWith({ subjectKeyIdentifier: undefined }) }), 'root'),
    ).toEqual(['rfc5280']);
  });

  test('rule 2: the subject is not null', () => {
    const names = [xmppAddr(JID), uri(URI), rfc822Name(JID)];
    const change: ContentChange = (content) => ({
      subject: [],
      ...extensionsWith({ subjectAltName: subjectAltName(names, true) })(content),
    });
    expect(brokenLeaf(change)).toEqual(['subject']);
  });

  test('rule 3: keyUsage with digitalSignature', () => {
    expect(brokenLeaf(extensionsWith({ keyUsage: undefined }))).toEqual([
      'key-usage-digital-signature',
    ]);
    expect(brokenLeaf(extensionsWith({ keyUsage: keyUsage('keyAgreement') }))).toEqual([
      'key-usage-digital-signature',
    ]);
    const change = extensionsWith({ keyUsage: keyUsage('keyCertSign') });
    expect(broken(makeRoot({ change }), 'root')).toEqual(['key-usage-digital-signature']);
  });

  test('rule 4: elliptic curves are a SHOULD and refuse nobody', () => {
    const leaf = makeLeaf(root, { key: makeKey('rsa2048') });
    expect(profileFaults(read(leaf), 'leaf', rules)).toMatchObject([
      { name: 'elliptic-curve', level: 'SHOULD' },
    ]);
    expect(authenticated(leaf, [])).toBe('valid');
  });
});

describe('XEP-0416 §3.2: leaf certificates', () => {
  test('rule 1: no cA TRUE', () => {
    const change = extensionsWith({ basicConstraints: basicConstraints(true) });
    expect(brokenLeaf(change)).toEqual(['leaf-basic-constraints']);
    expect(brokenLeaf(extensionsWith({ basicConstraints: undefined }))).toEqual([]);
  });

  test('rule 2: a CRL distribution point with a URI', () => {
    expect(brokenLeaf(extensionsWith({ crlDistributionPoints: undefined }))).toEqual([
      'leaf-crl-distribution-point',
    ]);
    const two = crlDistributionPoints('http://a.example/crl', 'http://b.example/crl');
    expect(brokenLeaf(extensionsWith({ crlDistributionPoints: two }))).toEqual([]);
  });

  test('rule 3: one XmppAddr', () => {
    expect(brokenLeaf(namesWith(uri(URI), rfc822Name(JID)))).toEqual(['leaf-single-xmpp-addr']);
    const two = namesWith(xmppAddr(JID), xmppAddr(JID), uri(URI), rfc822Name(JID));
    expect(brokenLeaf(two)).toEqual(['leaf-single-xmpp-addr']);
    expect(brokenLeaf(extensionsWith({ subjectAltName: undefined }))).toEqual([
      'leaf-single-xmpp-addr',
      'leaf-single-reload-uri',
    ]);
  });

  test.each([
    'capulet.lit',
    '@capulet.lit',
    'juliet@',
    'juliet@capulet.lit/balcony',
    'ju liet@capulet.lit',
    'juliet@capulet@lit',
    'juliet@capulet.lit\u0000',
    `${'j'.repeat(1024)}@capulet.lit`,
  ])('rule 3: the XmppAddr is the bare JID of a user, not %j', (jid) => {
    expect(brokenLeaf(namesWith(xmppAddr(jid), uri(URI), rfc822Name(jid)))).toEqual([
      'leaf-xmpp-addr',
    ]);
  });

  test('rule 4: one reload URI, other URIs are free', () => {
    const names = [xmppAddr(JID), rfc822Name(JID)];
    expect(brokenLeaf(namesWith(...names))).toEqual(['leaf-single-reload-uri']);
    expect(brokenLeaf(namesWith(...names, uri(URI), uri(URI)))).toEqual(['leaf-single-reload-uri']);
    expect(brokenLeaf(namesWith(...names, uri(URI), uri('https://capulet.lit/')))).toEqual([]);
  });

  test('rule 4: its Node-ID, overlay and specifier', () => {
    const brokenUri = (wrong: string) =>
      brokenLeaf(namesWith(xmppAddr(JID), rfc822Name(JID), uri(wrong)));
    expect(brokenUri(reloadUri(testNodeId(1), 'example.org'))).toEqual(['leaf-reload-overlay']);
    expect(brokenUri(`${URI}00`)).toEqual(['leaf-reload-specifier']);
    for (const wrong of [
      'reload:xyz',
      'reload://0@xmpp.org/',
      `reload://${'f'.repeat(32)}@xmpp.org`,
    ]) {
      expect(brokenUri(wrong)).toEqual(['leaf-reload-uri']);
    }
  });

  test('rule 5: an ASCII address stands as rfc822Name too, and no other does', () => {
    const names = [xmppAddr(JID), uri(URI)];
    expect(brokenLeaf(namesWith(...names))).toEqual(['leaf-rfc822-name']);
    expect(brokenLeaf(namesWith(...names, rfc822Name('Juliet@capulet.lit')))).toEqual([
      'leaf-rfc822-name',
    ]);
    expect(brokenLeaf(namesWith(...names, rfc822Name(JID), rfc822Name('a@b.example')))).toEqual([
      'leaf-rfc822-name',
    ]);
  });

  test('rule 5: an address that is not ASCII has no rfc822Name', () => {
    const jid = 'jülié@capulet.lit';
    expect(brokenLeaf(namesWith(xmppAddr(jid), uri(URI)))).toEqual([]);
    expect(brokenLeaf(namesWith(xmppAddr(jid), uri(URI), rfc822Name(JID)))).toEqual([
      'leaf-rfc822-name',
    ]);
  });

  test('the identity: Node-ID and XmppAddr, byte for byte', () => {
    const jid = 'jülié@capulet.lit';
    const leaf = makeLeaf(root, { jid, nodeId: testNodeId(9) });
    expect(leafIdentity(read(leaf), rules)).toEqual({
      nodeIds: [testNodeId(9)],
      userName: jid,
      xmppAddr: jid,
    });
    const broken = makeLeaf(root, { change: namesWith(xmppAddr(JID), uri(URI)) });
    expect(leafIdentity(read(broken), rules)).toBeUndefined();
  });
});

describe('XEP-0416 §3.2: domain-associated certificates', () => {
  const brokenDomain = (change: ContentChange) =>
    broken(makeIntermediate(root, { domain: 'capulet.lit', change }), 'domain-associated');

  test('rule 1: keyCertSign', () => {
    const change = extensionsWith({
      keyUsage: keyUsage('digitalSignature'),
      basicConstraints: basicConstraints(true),
    });
    expect(brokenDomain(change)).toEqual([
      'domain-associated-key-cert-sign',
      'domain-associated-path-length',
    ]);
  });

  test('rule 2: cA TRUE and pathLenConstraint 0', () => {
    for (const constraints of [basicConstraints(true), basicConstraints(true, 1)]) {
      expect(brokenDomain(extensionsWith({ basicConstraints: constraints }))).toEqual([
        'domain-associated-path-length',
      ]);
    }
    const none = extensionsWith({ basicConstraints: undefined });
    expect(brokenDomain(none)).toContain('domain-associated-basic-constraints');
  });

  test('rule 3: a CRL distribution point', () => {
    expect(brokenDomain(extensionsWith({ crlDistributionPoints: undefined }))).toEqual([
      'domain-associated-crl-distribution-point',
    ]);
  });

  test('rule 4: one domain name, no wildcard', () => {
    expect(brokenDomain(namesWith(dnsName('a.lit'), dnsName('b.lit')))).toEqual([
      'domain-associated-domain-name',
    ]);
    expect(brokenDomain(namesWith(dnsName('*.capulet.lit')))).toEqual([
      'domain-associated-wildcard',
    ]);
  });
});

describe('XEP-0416 §3.2: other intermediate and root certificates', () => {
  test('keyCertSign and cA TRUE', () => {
    const noSign = extensionsWith({ keyUsage: keyUsage('digitalSignature') });
    const noCa = extensionsWith({ basicConstraints: basicConstraints(false) });
    expect(broken(makeIntermediate(root, { change: noSign }), 'intermediate')).toEqual([
      'intermediate-key-cert-sign',
    ]);
    expect(broken(makeIntermediate(root, { change: noCa }), 'intermediate')).toContain(
      'intermediate-basic-constraints',
    );
    expect(broken(makeRoot({ change: noSign }), 'root')).toEqual(['root-key-cert-sign']);
    expect(broken(makeRoot({ change: noCa }), 'root')).toContain('root-basic-constraints');
  });

  test('intermediates have a CRL distribution point, roots need none', () => {
    const change = extensionsWith({ crlDistributionPoints: undefined });
    expect(broken(makeIntermediate(root, { change }), 'intermediate')).toEqual([
      'intermediate-crl-distribution-point',
    ]);
  });
});

describe('XEP-0416 §4: certificate validation', () => {
  const domainAuthority = makeIntermediate(root, { domain: 'capulet.lit' });

  test('the authority of a domain signs for its users', () => {
    const leaf = makeLeaf(domainAuthority, { jid: 'juliet@CAPULET.lit' });
    expect(authenticated(leaf, [domainAuthority])).toBe('valid');
  });

  test('and for nobody else, not even in a subdomain', () => {
    for (const jid of ['romeo@montague.lit', 'a@im.capulet.lit', 'a@lit', 'a@xcapulet.lit']) {
      const leaf = makeLeaf(domainAuthority, { jid });
      expect(authenticated(leaf, [domainAuthority])).toBe(
        'domain: XEP-0416 §4 domain-associated-domain',
      );
    }
  });

  test('domains are compared as A-labels', () => {
    const authority = makeIntermediate(root, { domain: 'xn--bcher-kva.example' });
    const leaf = makeLeaf(authority, { jid: 'a@Bücher.example' });
    expect(authenticated(leaf, [authority])).toBe('valid');
  });

  test('it signs no other authority, even where pathLenConstraint is forgotten', () => {
    const below = makeIntermediate(domainAuthority, { name: 'Below' });
    expect(authenticated(makeLeaf(below), [below, domainAuthority])).toMatch(/^path-length: /);
    const careless = makeIntermediate(root, {
      domain: 'capulet.lit',
      change: extensionsWith({ basicConstraints: basicConstraints(true) }),
    });
    const belowCareless = makeIntermediate(careless, { name: 'Below' });
    expect(authenticated(makeLeaf(belowCareless), [belowCareless, careless])).toBe(
      'certificate-profile: XEP-0416 §3.2 domain-associated-path-length',
    );
  });

  test('nor one of its own name, which no pathLenConstraint counts', () => {
    const selfIssued = makeIntermediate(domainAuthority, { name: 'capulet.lit' });
    expect(read(selfIssued).isSelfIssued).toBe(true);
    const leaf = makeLeaf(selfIssued, { jid: 'romeo@montague.lit' });
    expect(authenticated(leaf, [selfIssued, domainAuthority])).toBe(
      'domain: XEP-0416 §4 domain-associated-signs-leaf',
    );
  });

  test('RFC 7622 §3.2: what is no domain is not read up to the part that is one', () => {
    for (const end of ['#x', '?x', '%2e', '%63', '\\x', ':1', "'x"]) {
      const leaf = makeLeaf(domainAuthority, { jid: `juliet@capulet.lit${end}` });
      expect(authenticated(leaf, [domainAuthority]), end).toBe(
        'certificate-profile: XEP-0416 §3.2 leaf-xmpp-addr',
      );
      expect(domainKey(`capulet.lit${end}`), end).not.toBe('capulet.lit');
    }
    expect(domainKey('c%61pulet.lit')).not.toBe('capulet.lit');
    expect(domainKey('[::1]')).toBe('[::1]');
  });

  test('the authority of a domain may stand below another intermediate', () => {
    const upper = makeIntermediate(root, { name: 'Upper' });
    const authority = makeIntermediate(upper, { domain: 'capulet.lit' });
    expect(authenticated(makeLeaf(authority), [upper, authority])).toBe('valid');
    const romeo = makeLeaf(authority, { jid: 'romeo@montague.lit' });
    expect(authenticated(romeo, [upper, authority])).toMatch(/^domain: /);
  });

  test('a path on which any certificate breaks a MUST is refused', () => {
    const change = extensionsWith({ crlDistributionPoints: undefined });
    expect(authenticated(makeLeaf(root, { change }), [])).toBe(
      'certificate-profile: XEP-0416 §3.2 leaf-crl-distribution-point',
    );
    const intermediate = makeIntermediate(root, { change });
    expect(authenticated(makeLeaf(intermediate), [intermediate])).toBe(
      'certificate-profile: XEP-0416 §3.2 intermediate-crl-distribution-point',
    );
    const keyUsageChange = extensionsWith({ keyUsage: keyUsage('keyCertSign') });
    const brokenRoot = makeRoot({ change: keyUsageChange });
    expect(authenticated(makeLeaf(brokenRoot), [], brokenRoot)).toBe(
      'certificate-profile: XEP-0416 §3.2 key-usage-digital-signature',
    );
  });
});
