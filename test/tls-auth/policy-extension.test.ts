import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { makeLeaf, makeRoot } from '../../sim/certificates/certificate-maker.ts';
import { extension, type TestExtension } from '../../sim/certificates/extension-maker.ts';
import {
  certificatePolicies,
  cpsQualifier,
  inhibitAnyPolicy,
  policyConstraints,
  policyQualifier,
  userNoticeQualifier,
} from '../../sim/certificates/policy-maker.ts';
import { parseCertificate } from '../../src/tls-auth/certificate.ts';
import { CertificateRefusal } from '../../src/tls-auth/certificate-refusal.ts';
import {
  der,
  integer,
  objectIdentifier,
  sequence,
  utf8String,
} from '../../src/tls-auth/der-writer.ts';
import { ExtensionOid } from '../../src/tls-auth/object-identifier.ts';

const root = makeRoot();

/** What a certificate with this extension says, or why it cannot be read. */
function extensionsOf(value: TestExtension) {
  const change = () => ({ extensions: { value } });
  const certificate = parseCertificate(makeLeaf(root, { key: root.key, change }).certificate);
  return certificate instanceof CertificateRefusal
    ? certificate.describe()
    : certificate.extensions;
}

const policiesWith = (...qualifiers: Uint8Array[]) =>
  extensionsOf(certificatePolicies([['1.2.3', ...qualifiers]]));
const ia5String = (text: string) => der(0x16, Buffer.from(text, 'latin1'));
const visibleString = (text: string) => der(0x1a, Buffer.from(text, 'latin1'));
const bmpString = (text: string) => der(0x1e, Buffer.from(text, 'utf16le').swap16());

describe('RFC 5280 §4.2.1.4: certificatePolicies', () => {
  test('policies with their qualifiers', () => {
    const reference = sequence(visibleString('Globe'), sequence(integer(7), integer(300)));
    const policies = certificatePolicies([
      '2.5.29.32.0',
      ['1.2.3', cpsQualifier('https://cps.example/'), policyQualifier('1.2.9', integer(5))],
      ['1.2.4', userNoticeQualifier(reference, utf8String('Whist!')), userNoticeQualifier()],
    ]);
    expect(extensionsOf(policies)).toMatchObject({
      certificatePolicies: [
        { policy: '2.5.29.32.0', qualifiers: [] },
        {
          policy: '1.2.3',
          qualifiers: [
            { kind: 'cps', uri: 'https://cps.example/' },
            { kind: 'unknown', oid: '1.2.9', der: new Uint8Array(integer(5)) },
          ],
        },
        {
          policy: '1.2.4',
          qualifiers: [
            {
              kind: 'userNotice',
              noticeReference: { organization: 'Globe', noticeNumbers: ['07', '012c'] },
              explicitText: 'Whist!',
            },
            { kind: 'userNotice', noticeReference: undefined, explicitText: undefined },
          ],
        },
      ],
    });
  });

  test('a notice in each of the four string types, also of more than 200 characters', () => {
    const long = 'w'.repeat(300);
    for (const text of [ia5String, visibleString, bmpString, utf8String]) {
      expect(policiesWith(userNoticeQualifier(text(long)))).toMatchObject({
        certificatePolicies: [{ qualifiers: [{ explicitText: long }] }],
      });
    }
  });

  test.each<[string, Uint8Array]>([
    ['a cps that is no IA5String', policyQualifier('1.3.6.1.5.5.7.2.1', utf8String('x'))],
    ['a cps that is not ASCII', cpsQualifier('é')],
    ['a cps with bytes behind it', Buffer.concat([cpsQualifier('x'), integer(1)])],
    ['a notice that is no SEQUENCE', policyQualifier('1.3.6.1.5.5.7.2.2', utf8String('x'))],
    ['a notice of a string type that DisplayText lacks', userNoticeQualifier(der(0x13))],
    ['an empty notice', userNoticeQualifier(utf8String(''))],
    ['a notice with bytes behind it', userNoticeQualifier(utf8String('x'), utf8String('x'))],
    ['a reference without numbers', userNoticeQualifier(sequence(utf8String('x')))],
    ['a qualifier without value', sequence(objectIdentifier('1.2.9'))],
  ])('%s is malformed', (_, qualifier) => {
    expect(policiesWith(qualifier)).toMatch(/^malformed: .*at byte \d+: /);
  });

  test('a reference to 257 notices is too large', () => {
    const numbers = sequence(...Array.from({ length: 257 }, () => integer(1)));
    const notice = userNoticeQualifier(sequence(utf8String('x'), numbers));
    expect(policiesWith(notice)).toMatch(/^too-large: .*limit noticeNumbersMax/);
  });

  test('an empty list, of policies or of qualifiers, is malformed', () => {
    const empty = sequence(sequence(objectIdentifier('1.2.3'), sequence()));
    expect(extensionsOf(certificatePolicies([]))).toMatch(/^malformed: /);
    expect(extensionsOf(extension(ExtensionOid.certificatePolicies, empty))).toMatch(
      /^malformed: /,
    );
  });

  test('any bytes are read or malformed', () => {
    const oids = [
      ExtensionOid.certificatePolicies,
      ExtensionOid.policyMappings,
      ExtensionOid.policyConstraints,
      ExtensionOid.inhibitAnyPolicy,
    ];
    const good = certificatePolicies([['1.2.3', userNoticeQualifier(utf8String('x'))]]).value;
    const mutated = fc
      .array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 4 })
      .map((changes) => {
        const bytes = Uint8Array.from(good);
        for (const [at, octet] of changes) bytes[at] = octet;
        return bytes;
      });
    const values = fc.oneof(fc.uint8Array(), mutated);
    fc.assert(
      fc.property(fc.constantFrom(...oids), values, (oid, value) => {
        const read = extensionsOf(extension(oid, value));
        expect(typeof read === 'string' ? read : 'malformed: ').toMatch(/^malformed: /);
      }),
      { numRuns: 500 },
    );
  });
});

describe('RFC 5280 §4.2.1.11, §4.2.1.14: numbers of certificates', () => {
  test('they are not negative', () => {
    expect(extensionsOf(policyConstraints({ requireExplicitPolicy: -1 }))).toMatch(/^malformed: /);
    expect(extensionsOf(policyConstraints({ inhibitPolicyMapping: -1 }))).toMatch(/^malformed: /);
    expect(extensionsOf(inhibitAnyPolicy(-1))).toMatch(/^malformed: /);
  });
});
