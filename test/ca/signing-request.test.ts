import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  basicConstraints,
  crlDistributionPoints,
  extendedKeyUsage,
  extension,
  generalName,
  keyUsage,
  nameConstraints,
  subjectAltName,
  type TestExtension,
} from '../../sim/certificates/extension-maker.ts';
import { readSigningRequest } from '../../src/ca/signing-request.ts';
import { nullValue } from '../../src/tls-auth/der-writer.ts';
import { KeyPurposeOid } from '../../src/tls-auth/object-identifier.ts';
import { makeRequest, REQUEST_KEY } from './request-maker.ts';

const JULIET = 'juliet@capulet.lit';
const names = subjectAltName([generalName.xmppAddr(JULIET), generalName.rfc822Name(JULIET)]);
const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });

describe('what a request may wish', () => {
  it('RFC 2986: nothing at all', () => {
    expect(readSigningRequest(makeRequest())).toMatchObject({ userNames: [] });
  });

  it('XEP-0417 §2.2: the XmppAddr of its user, and the rfc822Name', () => {
    const read = readSigningRequest(makeRequest({ wishes: [names] }));
    expect(read).toMatchObject({ userNames: [JULIET, JULIET] });
  });

  it('names of the subject count as well: an e-mail address, a common name with an @', () => {
    const subject = [
      ['CN', 'romeo@montague.lit'],
      ['CN', 'Romeo'],
      ['emailAddress', 'r@m.lit'],
    ] as const;
    expect(readSigningRequest(makeRequest({ subject }))).toMatchObject({
      userNames: ['r@m.lit', 'romeo@montague.lit'],
    });
  });

  it.each<[string, TestExtension]>([
    ['being no authority', basicConstraints(false)],
    ['key usages of a node', keyUsage('digitalSignature', 'nonRepudiation', 'keyAgreement')],
    ['purposes', extendedKeyUsage(KeyPurposeOid.serverAuth, KeyPurposeOid.clientAuth)],
    ['another revocation list', crlDistributionPoints('https://evil.example/none.crl')],
    ['an extension that nobody knows', extension('1.3.6.1.4.1.99999.1', nullValue(), true)],
  ])('XEP-0417 §2.2: is ignored: %s', (_what, wish) => {
    const read = readSigningRequest(makeRequest({ wishes: [names, wish] }));
    expect(read).toMatchObject({ userNames: [JULIET, JULIET] });
    expect(Object.keys(read)).toEqual(['subjectPublicKeyInfo', 'userNames', 'xmppAddrs']);
  });

  it.skipIf(!hasVectors())('the example of XEP-0417 is read', () => {
    const read = readSigningRequest(new Uint8Array(readFileSync(EXAMPLE)));
    expect(read).toMatchObject({ userNames: ['user@localhost', 'user@localhost'] });
  });
});

describe('what refuses a request, one rule each', () => {
  it.each<[string, TestExtension, string]>([
    ['being an authority', basicConstraints(true, 0), 'basicConstraints cA'],
    ['signing certificates', keyUsage('digitalSignature', 'keyCertSign'), 'keyCertSign'],
    ['signing lists', keyUsage('cRLSign'), 'cRLSign'],
    [
      'a Node-ID of its choice',
      subjectAltName([generalName.uri('reload://0110aa@xmpp.org/')]),
      'uri:reload:',
    ],
    ['a host name', subjectAltName([generalName.dnsName('capulet.lit')]), 'dnsName:capulet.lit'],
    ['an IP address', subjectAltName([generalName.ipAddress(192, 0, 2, 1)]), '192.0.2.1'],
    [
      'a directory name',
      subjectAltName([generalName.directoryName([['CN', 'ca']])]),
      'directoryName',
    ],
    [
      'another kind of name',
      subjectAltName([generalName.otherName('1.2.3', nullValue())]),
      '1.2.3',
    ],
    ['a registered name', subjectAltName([generalName.registeredId('1.2.3.4')]), 'registeredId'],
  ])('the wish of %s', (_what, wish, detail) => {
    const wishes = [wish];
    expect(readSigningRequest(makeRequest({ wishes }))).toEqual({
      detail: expect.stringContaining(detail),
    });
  });

  it('RFC 2986 §4.1: another version than 0', () => {
    expect(readSigningRequest(makeRequest({ version: 1 }))).toEqual({
      detail: 'its version is not 0',
    });
  });

  it('RFC 2986 §4.2: a signature of another key: no proof of possession', () => {
    const publicKey = new Uint8Array(other.publicKey.export({ type: 'spki', format: 'der' }));
    expect(readSigningRequest(makeRequest({ publicKey }))).toEqual({
      detail: 'its signature does not belong to its key',
    });
  });

  it.each([
    ['SHA-1', '1.2.840.10045.4.1', 'sha1'],
    ['RSA, which its key is not', '1.2.840.113549.1.1.11', 'sha256'],
  ])('a signature with %s', (_what, signatureOid, hash) => {
    expect(readSigningRequest(makeRequest({ signatureOid, hash }))).toEqual({
      detail: expect.stringContaining('not signed with SHA-256'),
    });
  });

  it('two lists of wishes, and one extension twice', () => {
    expect(readSigningRequest(makeRequest({ wishes: [names], times: 2 }))).toEqual({
      detail: expect.stringContaining('a second extensionRequest'),
    });
    expect(readSigningRequest(makeRequest({ wishes: [names, names] }))).toEqual({
      detail: expect.stringContaining('a second extension'),
    });
  });

  it('a wish that is not the DER of what it says', () => {
    const wishes = [extension('2.5.29.15', Uint8Array.of(0x05, 0x00))];
    expect(readSigningRequest(makeRequest({ wishes }))).toHaveProperty('detail');
    expect(readSigningRequest(makeRequest({ wishes: [nameConstraints([], [])] }))).toHaveProperty(
      'detail',
    );
  });

  it('a key on a curve that no peer takes', () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-521' });
    const der = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }));
    const request = makeRequest({ key: privateKey, publicKey: der });
    expect(readSigningRequest(request)).toEqual({ detail: expect.stringContaining('its key') });
    expect(readSigningRequest(makeRequest({ key: REQUEST_KEY }))).toHaveProperty('userNames');
  });
});

const EXAMPLE = new URL('../../../shared/vectors/xep-0417/request.der', import.meta.url);

function hasVectors(): boolean {
  try {
    return readFileSync(EXAMPLE).length > 0;
  } catch {
    return false;
  }
}
