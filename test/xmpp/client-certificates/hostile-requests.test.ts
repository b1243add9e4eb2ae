import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { makeKey } from '../../../sim/certificates/certificate-maker.ts';
import { escapeXml } from '../../../src/xml/write-xml.ts';
import { toBase64 } from '../../../src/xmpp/sasl/base64.ts';
import { CertificateDesk, NOW, SASLCERT, selfSigned } from './certificate-desk.ts';
import '../../fast-check-seed.ts';

const PHONE = selfSigned();
const CERTIFICATES = [PHONE, selfSigned(), selfSigned({ key: makeKey('p384') })];
const NAMESPACES = [
  SASLCERT,
  'urn:xmpp:ccm2:add-cert:0',
  'urn:xmpp:ccm2:list-certs:0',
  'urn:xmpp:ccm2:revoke-cert:0',
  'jabber:iq:register',
];
const ELEMENTS = [
  ...['append', 'items', 'disable', 'revoke', 'add-certificate-request', 'revoke-certificate'],
  ...['list-certificates-request', 'query'],
];
const CHILDREN = [
  ...['name', 'x509cert', 'x509certificate-signing-request', 'fingerprint', 'no-cert-management'],
  ...['users', 'password'],
];

/** What stands between two tags. */
const text = fc.oneof(
  fc.constantFrom('Phone', 'Bot', ' Phone ', '', 'n'.repeat(2_000), '=', '===='),
  fc.string({ unit: 'grapheme', maxLength: 40 }).map(onlyXml),
  fc.constantFrom(...CERTIFICATES).map(toBase64),
  fc.uint8Array({ maxLength: 200 }).map(toBase64),
  mutated(PHONE).map(toBase64),
);

const payload = fc
  .record({
    namespace: fc.constantFrom(...NAMESPACES),
    name: fc.constantFrom(...ELEMENTS),
    children: fc.array(fc.tuple(fc.constantFrom(...CHILDREN), text), { maxLength: 4 }),
  })
  .map(({ namespace, name, children }) => {
    const inside = children.map(
      ([child, value]) => `<${child} hash='sha-256'>${escapeXml(value)}</${child}>`,
    );
    return `<${name} xmlns='${namespace}'>${inside.join('')}</${name}>`;
  });

const request = fc.record({
  type: fc.constantFrom('get', 'set'),
  to: fc.constantFrom(undefined, 'montague.lit', 'romeo@montague.lit'),
  payload,
});

function mutated(bytes: Uint8Array): fc.Arbitrary<Uint8Array> {
  const place = fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 0, max: 255 }));
  return fc.array(place, { minLength: 1, maxLength: 3 }).map((places) => {
    const copy = bytes.slice();
    for (const [at, value] of places) copy[at] = value;
    return copy;
  });
}

function onlyXml(value: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is left out
  return value.replace(/[\u0000-\u001f\ufffe\uffff]|\p{Cs}/gu, '');
}

describe('hostile requests of a client', () => {
  test('each has one answer or waits for the issuer; what is refused changes nothing', () => {
    fc.assert(
      fc.property(fc.array(request, { maxLength: 12 }), (requests) => {
        const desk = new CertificateDesk();
        const orchard = desk.withPassword('orchard');
        for (const { type, to, payload } of requests) {
          const before = { open: desk.issueRequests.length, stored: stored(desk) };
          const answer = orchard.asks(type as 'get' | 'set', payload, to);
          expect(orchard.isClosed).toBe(false);
          const hasWaiting = desk.issueRequests.length > before.open;
          expect(answer === undefined).toBe(hasWaiting);
          if (answer?.attributes.get('type') !== 'result') {
            expect(stored(desk)).toEqual(before.stored);
          }
        }
        const names = desk.listed();
        expect(new Set(names).size).toBe(names.length);
        desk.crash();
        expect([...desk.listed()].sort()).toEqual([...names].sort());
      }),
      { numRuns: 150 },
    );
  });

  test('bytes that are changed in a certificate are refused, or are another certificate', () => {
    fc.assert(
      fc.property(mutated(PHONE), (bytes) => {
        const desk = new CertificateDesk();
        const certificate = toBase64(bytes);
        const name = 'Phone';
        const outcome = desk.manage({ type: 'add', name, certificate, mayManage: true });
        if (Buffer.compare(bytes, PHONE) === 0) return;
        expect(desk.lets(PHONE)).toBe(false);
        const [added] = outcome?.ok === true ? outcome.certificates : [];
        // A change may make it valid later.
        expect(desk.lets(bytes)).toBe(added !== undefined && added.notBeforeUnixMs <= NOW);
      }),
      { numRuns: 150 },
    );
  });

  test('nothing that a client shows in TLS makes the judge throw', () => {
    const desk = new CertificateDesk();
    const certificate = toBase64(PHONE);
    desk.manage({ type: 'add', name: 'Phone', certificate, mayManage: true });
    fc.assert(
      fc.property(fc.oneof(mutated(PHONE), fc.uint8Array({ maxLength: 300 })), (bytes) => {
        expect(desk.lets(bytes)).toBe(Buffer.compare(bytes, PHONE) === 0);
      }),
      { numRuns: 150 },
    );
  });
});

function stored(desk: CertificateDesk): readonly string[] {
  return [...desk.store].map(([key, value]) => `${key} ${Buffer.from(value)}`);
}
