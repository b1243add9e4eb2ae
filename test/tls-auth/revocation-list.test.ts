import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { makeRoot, signTbs, TEST_UNIX_MS } from '../../sim/certificates/certificate-maker.ts';
import {
  extension,
  generalName,
  type TestExtension,
} from '../../sim/certificates/extension-maker.ts';
import {
  certificateIssuer,
  deltaIndicator,
  distributionPoints,
  entryOf,
  invalidityDate,
  issuingDistributionPoint,
  type ListChange,
  listNumber,
  makeList,
  reasonCode,
  type TestEntry,
} from '../../sim/certificates/revocation-list-maker.ts';
import { CertificateRefusal } from '../../src/tls-auth/certificate-refusal.ts';
import { der, implicit, integer, sequence } from '../../src/tls-auth/der-writer.ts';
import { ExtensionOid, ListExtensionOid } from '../../src/tls-auth/object-identifier.ts';
import {
  listLengthMax,
  parseRevocationList,
  type RevocationList,
} from '../../src/tls-auth/revocation-list.ts';

const root = makeRoot();
const other = makeRoot({ name: 'Other Root' });

function parsed(bytes: Uint8Array): RevocationList {
  const list = parseRevocationList(bytes);
  if (list instanceof CertificateRefusal) throw new Error(list.describe());
  return list;
}

function refusalOf(bytes: Uint8Array): string {
  const refusal = parseRevocationList(bytes);
  return refusal instanceof CertificateRefusal ? refusal.describe() : 'it was not refused';
}

/** A change that adds extensions to those that every list has. */
const withExtensions =
  (...added: readonly TestExtension[]): ListChange =>
  ({ extensions }) => ({ extensions: { ...extensions, ...Object.fromEntries(added.entries()) } });

describe('RFC 5280 §5: what stands in a list', () => {
  test('issuer, times, number, key identifier and entries', () => {
    const date = Date.UTC(2024, 1, 29, 12);
    const entries = [
      entryOf(0x10n),
      entryOf(0x80n, 'keyCompromise'),
      entryOf(-5n, 'certificateHold', invalidityDate(date)),
      entryOf(2n ** 200n, 'aACompromise'),
    ];
    const list = parsed(makeList(root, entries));
    expect(list).toMatchObject({ version: 2, crlNumber: 1n, baseCrlNumber: undefined });
    expect(list.issuer.text).toBe('CN=Test Root');
    expect(list.thisUpdateUnixMs).toBe(Date.UTC(2025, 11, 31));
    expect(list.nextUpdateUnixMs).toBe(Date.UTC(2026, 0, 7));
    expect(list.authorityKeyIdentifier?.keyIdentifier).toHaveLength(20);
    expect(list.describe()).toMatch(/^list of CN=Test Root, number 1 \(sha256 [0-9a-f]{16}…\)$/);
    expect(list.entries.size).toBe(4);
    const revokedUnixMs = Date.UTC(2025, 10, 3);
    const find = (serial: string) => list.entries.find(list.issuer, serial);
    expect(find('10')).toMatchObject({ revokedUnixMs, reason: 'unspecified' });
    expect(find('0080')).toMatchObject({ revokedUnixMs, reason: 'keyCompromise' });
    expect(find('80')).toBeUndefined();
    expect(find('fb')).toMatchObject({ reason: 'certificateHold', invalidUnixMs: date });
    expect(find(`01${'00'.repeat(25)}`)).toMatchObject({ reason: 'aACompromise' });
  });

  test('every reason, on plain dates and on 29 February', () => {
    const reasons = ['superseded', 'affiliationChanged', 'cessationOfOperation'] as const;
    const more = ['cACompromise', 'privilegeWithdrawn', 'unspecified'] as const;
    for (const reason of [...reasons, ...more]) {
      for (const revokedUnixMs of [Date.UTC(2025, 0, 31), Date.UTC(2024, 1, 29), 0]) {
        const list = parsed(makeList(root, [{ ...entryOf(7n, reason), revokedUnixMs }]));
        expect(list.entries.find(list.issuer, '07')).toMatchObject({ reason, revokedUnixMs });
      }
    }
  });

  test('version 1, without extensions; and an empty list of entries', () => {
    const change: ListChange = () => ({ version: undefined, extensions: {} });
    const list = parsed(makeList(root, [entryOf(5n)], change));
    expect(list).toMatchObject({ version: 1, crlNumber: undefined });
    expect(list.entries.find(list.issuer, '05')).toMatchObject({ reason: 'unspecified' });
    expect(parsed(makeList(root, [], () => ({ entries: [] }))).entries.size).toBe(0);
    expect(parsed(makeList(root)).entries.size).toBe(0);
  });

  test('an indirect list: entries belong to the issuer that was named last', () => {
    const entries = [
      entryOf(1n, 'superseded'),
      entryOf(2n, 'keyCompromise', certificateIssuer(other.name)),
      entryOf(3n, 'keyCompromise'),
    ];
    const scope = issuingDistributionPoint({ isIndirect: true });
    const list = parsed(makeList(root, entries, withExtensions(scope)));
    const otherName = parsed(makeList(other)).issuer;
    const owners = ['01', '02', '03'].map((serial) => [
      list.entries.find(list.issuer, serial) !== undefined,
      list.entries.find(otherName, serial) !== undefined,
    ]);
    expect(owners).toEqual([
      [true, false],
      [false, true],
      [false, true],
    ]);
  });

  test('a distribution point with everything, delta and freshest lists', () => {
    const fullName = [generalName.uri('http://crl.example.org/1.crl')];
    const scope = { fullName, onlyContains: [1] as const, reasons: [1, 8], isIndirect: true };
    const freshest = distributionPoints([{ fullName }], ExtensionOid.freshestCrl);
    const complete = parsed(
      makeList(root, [], withExtensions(issuingDistributionPoint(scope), freshest)),
    );
    expect(complete.issuingDistributionPoint).toMatchObject({
      fullName: { uris: ['http://crl.example.org/1.crl'] },
      onlyContains: 'userCerts',
      reasons: new Set([1, 8]),
      isIndirect: true,
    });
    expect(complete.freshestCrl[0]?.fullName?.uris).toEqual(['http://crl.example.org/1.crl']);
    const named = issuingDistributionPoint({ relativeName: ['CN', 'one'] });
    const relative = parsed(makeList(root, [], withExtensions(named)));
    expect(relative.issuingDistributionPoint?.relativeName?.[0]?.text).toBe('one');
    const delta = makeList(root, [entryOf(1n, 'removeFromCRL')], withExtensions(deltaIndicator(1)));
    expect(parsed(delta).baseCrlNumber).toBe(1n);
  });

  test('of two entries for one certificate the one that revokes counts', () => {
    for (const reasons of [
      ['removeFromCRL', 'superseded'],
      ['superseded', 'removeFromCRL'],
    ] as const) {
      const entries = reasons.map((reason) => entryOf(9n, reason));
      const list = parsed(makeList(root, entries, withExtensions(deltaIndicator(0))));
      expect(list.entries.find(list.issuer, '09')?.reason).toBe('superseded');
    }
  });

  test('critical extensions that are not known are named, other ones passed over', () => {
    const unknown = (critical: boolean) => extension('1.2.3.4', integer(1), critical);
    const { unknownCritical: plain } = parsed(makeList(root, [], withExtensions(unknown(false))));
    expect(plain).toBeUndefined();
    expect(parsed(makeList(root, [], withExtensions(unknown(true)))).unknownCritical).toBe(
      '1.2.3.4',
    );
    const { issuerAltName, authorityInfoAccess } = ExtensionOid;
    const names = sequence(generalName.uri('http://ca.example/'));
    const named = extension(issuerAltName, names, true);
    expect(parsed(makeList(root, [], withExtensions(named))).unknownCritical).toBeUndefined();
    const noNames = extension(issuerAltName, integer(1), true);
    expect(refusalOf(makeList(root, [], withExtensions(noNames)))).toContain('expected tag 0x30');
    const access = extension(authorityInfoAccess, names, true);
    expect(refusalOf(makeList(root, [], withExtensions(access)))).toContain('is critical');
    const entry = (critical: boolean) => [entryOf(1n, 'superseded', unknown(critical))];
    expect(parsed(makeList(root, entry(false))).unknownCritical).toBeUndefined();
    expect(parsed(makeList(root, entry(true))).unknownCritical).toBe('1.2.3.4');
  });
});

describe('a list for each rule that it can break', () => {
  const entry = (...extensions: TestExtension[]): TestEntry =>
    entryOf(1n, undefined, ...extensions);
  const list = (extensionsOf: TestExtension[], entries: TestEntry[] = [], change?: ListChange) =>
    makeList(root, entries, (content) => {
      const changed = { ...content, ...withExtensions(...extensionsOf)(content) };
      return { ...changed, ...change?.(changed) };
    });
  const scope = (value: Uint8Array) =>
    extension(ListExtensionOid.issuingDistributionPoint, value, true);
  const withoutExtension = (name: string) =>
    makeList(root, [], ({ extensions }) => ({ extensions: { ...extensions, [name]: undefined } }));
  const criticalNumber = makeList(root, [], ({ extensions }) => ({
    extensions: { ...extensions, listNumber: { ...listNumber(1), critical: true } },
  }));
  const fullName = [generalName.uri('http://crl.example.org/delta.crl')];
  const freshest = distributionPoints([{ fullName }], ExtensionOid.freshestCrl);

  const broken: readonly (readonly [rule: string, bytes: Uint8Array])[] = [
    ['§5.1.2.1', list([], [], () => ({ version: 0 }))],
    ['§5.1.2.1', list([], [], () => ({ version: 2 }))],
    ['§5.1.2.3', list([], [], () => ({ issuer: [] }))],
    ['§5.1.2.5', list([], [], () => ({ nextUpdateUnixMs: undefined }))],
    ['§5.1.2.7', list([], [], () => ({ version: undefined }))],
    [
      'version 1',
      list([], [entryOf(1n, 'superseded')], () => ({ version: undefined, extensions: {} })),
    ],
    ['§4.2', list([listNumber(1)])],
    ['§5.2.3', makeList(root, [], () => ({ extensions: { number: listNumber(-1) } }))],
    ['§5.2.3', makeList(root, [], () => ({ extensions: { number: listNumber(2n ** 160n) } }))],
    ['cRLNumber (RFC 5280 §5.2)', makeList(root, [], () => ({ extensions: {} }))],
    ['cRLNumber (RFC 5280 §5.2)', withoutExtension('listNumber')],
    ['cRLNumber (RFC 5280 §5.2)', withoutExtension('authorityKeyIdentifier')],
    ['2.5.29.20 is critical', criticalNumber],
    ['§5.2.5', list([issuingDistributionPoint({})])],
    ['only contains', list([issuingDistributionPoint({ onlyContains: [1, 2] })])],
    ['expected TRUE', list([scope(sequence(implicit(4, Uint8Array.of(0))))])],
    ['left over', list([scope(sequence(implicit(9, Uint8Array.of(0))))])],
    ['§5.2.6', list([deltaIndicator(0), freshest])],
    ['§5.3.1', list([], [entry(reasonCode(7))])],
    ['§5.3.1', list([], [entry(reasonCode(11))])],
    ['§5.3.1', list([], [entryOf(1n, 'removeFromCRL')])],
    [
      '§5.3.2',
      list(
        [],
        [
          entry(
            extension(ListExtensionOid.invalidityDate, der(0x17, Buffer.from('250101000000Z'))),
          ),
        ],
      ),
    ],
    ['§5.3.3', list([], [entry(certificateIssuer(other.name))])],
    [
      '§5.3.3',
      list(
        [issuingDistributionPoint({ isIndirect: true })],
        [
          entry(
            extension(ListExtensionOid.certificateIssuer, sequence(generalName.dnsName('a')), true),
          ),
        ],
      ),
    ],
    ['second extension', list([], [entry(reasonCode(1), reasonCode(1))])],
    [
      'an issuer without serial number',
      list([extension('1.2.3', integer(1))], [], ({ extensions }) => ({
        extensions: {
          ...extensions,
          authorityKeyIdentifier: extension(
            ExtensionOid.authorityKeyIdentifier,
            sequence(implicit(2, Uint8Array.of(1))),
          ),
        },
      })),
    ],
  ];

  test.each(broken)('%s', (rule, bytes) => {
    expect(refusalOf(bytes)).toContain(rule);
    expect(refusalOf(bytes)).toContain('malformed');
  });

  test('§5.1.1.2: two signature algorithms that differ', () => {
    const bytes = makeList(root);
    const tbsEnd = parsed(bytes).tbsCertList.length;
    const changed = Uint8Array.from(bytes);
    // The last octet of the outer algorithm's identifier: SHA-256 becomes SHA-384.
    const at = changed.indexOf(0x02, tbsEnd + 4 + 2 + 8);
    changed[at] = 0x03;
    expect(refusalOf(changed)).toContain('§5.1.1.2');
  });

  test('integers and times that are no DER, also in plain entries', () => {
    const good = Buffer.from(makeList(root, [entryOf(0x1234n, 'superseded')]));
    const replaced = (from: string, to: string) => {
      const at = good.indexOf(from, 0, 'hex');
      expect(at).toBeGreaterThan(0);
      const bytes = Uint8Array.from(good);
      bytes.set(Buffer.from(to, 'hex'), at);
      return refusalOf(bytes);
    };
    expect(replaced('02021234', '02020034')).toContain('shortest form');
    expect(replaced('02021234', '0202ff84')).toContain('shortest form');
    expect(replaced('02021234', '04021234')).toContain('expected tag 0x02');
    const date = Buffer.from('251103').toString('hex');
    for (const wrong of ['250003', '251303', '251100', '251131', '250230', '2511 3']) {
      expect(replaced(date, Buffer.from(wrong).toString('hex'))).toMatch(/time|UTCTime/);
    }
    expect(replaced('0a0104', '0a0107')).toContain('§5.3.1');
  });
});

describe('hostile input', () => {
  const entries = [
    entryOf(1n),
    entryOf(2n, 'keyCompromise', certificateIssuer(other.name), invalidityDate(TEST_UNIX_MS)),
  ];
  const scope = issuingDistributionPoint({
    isIndirect: true,
    relativeName: ['CN', 'x'],
    reasons: [1],
  });
  const good = makeList(root, entries, withExtensions(scope));

  test('arbitrary bytes give a list or a refusal', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        expect(parseRevocationList(bytes)).toBeInstanceOf(CertificateRefusal);
      }),
    );
  });

  test('mutated lists are read or refused, and can be asked', () => {
    const octets = fc.integer({ min: 0, max: 255 });
    const places = fc.integer({ min: 0, max: good.length - 1 });
    const mutations = fc.array(fc.tuple(places, octets), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(mutations, (changes) => {
        const mutated = Uint8Array.from(good);
        for (const [at, value] of changes) mutated[at] = value;
        const list = parseRevocationList(mutated);
        if (list instanceof CertificateRefusal) return;
        list.describe();
        for (const serial of ['01', '02']) list.entries.find(list.issuer, serial);
      }),
      { numRuns: 3000 },
    );
  });

  test('every prefix of a list is refused', () => {
    for (let length = 0; length < good.length; length++) {
      expect(parseRevocationList(good.subarray(0, length))).toBeInstanceOf(CertificateRefusal);
    }
  });

  test('what is too large is not looked at', () => {
    expect(refusalOf(new Uint8Array(listLengthMax + 1))).toContain('too-large');
  });

  test('100,000 entries are read in well under a second, then found at once', () => {
    const count = 100_000;
    const large = Array.from({ length: count }, (_, at) =>
      entryOf(2n ** 126n + BigInt(at) * 7919n, 'superseded'),
    );
    const bytes = makeList(root, large);
    const startedMs = performance.now();
    const list = parsed(bytes);
    expect(performance.now() - startedMs).toBeLessThan(2000);
    expect(list.entries.size).toBe(count);
    const last = (2n ** 126n + BigInt(count - 1) * 7919n).toString(16);
    expect(list.entries.find(list.issuer, last)?.reason).toBe('superseded');
  });
});

test('a list signed by anything is read: its signature is the business of the check', () => {
  const { tbsCertList, signatureAlgorithm } = parsed(makeList(root));
  const foreign = signTbs(tbsCertList, signatureAlgorithm.oid, other.key.privateKey);
  expect(parsed(foreign).issuer.text).toBe('CN=Test Root');
});
