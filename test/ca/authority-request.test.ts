import { sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  basicConstraints,
  generalName,
  keyUsage,
  subjectAltName,
  type TestExtension,
} from '../../sim/certificates/extension-maker.ts';
import {
  encodeAuthorityRequestInfo,
  readAuthorityRequest,
} from '../../src/ca/authority-request.ts';
import { encodeSigned } from '../../src/ca/certificate-encoding.ts';
import { keyDer, makeRequest, REQUEST_KEY } from './request-maker.ts';

const ca = basicConstraints(true);
const subject = [['CN', 'ca shakespeare.lit']] as const;

function read(wishes: readonly TestExtension[]) {
  return readAuthorityRequest(makeRequest({ subject, wishes }));
}

describe('the request of an authority', () => {
  it.each([
    { commonName: 'ca xmpp.org', domain: undefined, xmppAddress: undefined },
    {
      commonName: 'ca shakespeare.lit',
      domain: 'shakespeare.lit',
      xmppAddress: 'ca.shakespeare.lit',
    },
    { commonName: 'ca x.lit', domain: 'xn--mnchen-3ya.example', xmppAddress: 'münchen.example' },
  ])('is read as it was written: %o', (identity) => {
    const key = keyDer(REQUEST_KEY);
    const info = encodeAuthorityRequestInfo(identity, key);
    const request = encodeSigned(info, key, sign('sha256', info, REQUEST_KEY));
    expect(readAuthorityRequest(request)).toEqual({ ...identity, subjectPublicKeyInfo: key });
  });

  it('XEP-0416 §2: names a domain and an XMPP server', () => {
    const names = [generalName.dnsName('shakespeare.lit'), generalName.xmppAddr('shakespeare.lit')];
    expect(read([ca, subjectAltName(names)])).toMatchObject({
      commonName: 'ca shakespeare.lit',
      domain: 'shakespeare.lit',
      xmppAddress: 'shakespeare.lit',
    });
  });

  it('other wishes are ignored', () => {
    expect(read([ca, keyUsage('digitalSignature')])).toMatchObject({ domain: undefined });
  });

  it.each<[string, readonly TestExtension[], string]>([
    ['without cA TRUE', [keyUsage('keyCertSign')], 'basicConstraints cA'],
    ['with a wildcard', [ca, subjectAltName([generalName.dnsName('*.lit')])], 'host name'],
    ['with upper case', [ca, subjectAltName([generalName.dnsName('A.lit')])], 'host name'],
    [
      'with two domains',
      [ca, subjectAltName([generalName.dnsName('a.lit'), generalName.dnsName('b.lit')])],
      'more than one',
    ],
    ['with the address of a user', [ca, subjectAltName([generalName.xmppAddr('a@b.lit')])], 'XMPP'],
    ['with a resource', [ca, subjectAltName([generalName.xmppAddr('b.lit/r')])], 'XMPP address'],
    ['with a mail address', [ca, subjectAltName([generalName.rfc822Name('a@b')])], 'rfc822Name'],
    ['with a URI', [ca, subjectAltName([generalName.uri('reload://aa@b/')])], 'uri:reload'],
  ])('is refused %s', (_what, wishes, detail) => {
    expect(read(wishes)).toEqual({ detail: expect.stringContaining(detail) });
  });

  it.each([
    ['no name', []],
    [
      'two common names',
      [
        ['CN', 'a'],
        ['CN', 'b'],
      ],
    ],
    [
      'something beside it',
      [
        ['CN', 'a'],
        ['O', 'b'],
      ],
    ],
    ['a name that is none of ours', [['CN', 'A/B']]],
  ] as const)('is refused with a subject of %s', (_what, name) => {
    const request = makeRequest({ subject: name, wishes: [ca] });
    expect(readAuthorityRequest(request)).toEqual({ detail: expect.stringContaining('name') });
  });
});
