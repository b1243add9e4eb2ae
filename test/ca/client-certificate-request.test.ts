import { describe, expect, test } from 'vitest';
import {
  basicConstraints,
  generalName,
  keyUsage,
  subjectAltName,
} from '../../sim/certificates/extension-maker.ts';
import { MalformedRequest } from '../../src/ca/certification-request.ts';
import { readClientRequest } from '../../src/ca/client-certificate-request.ts';
import { AddressFault } from '../../src/xmpp-address/address-fault.ts';
import { parseJid } from '../../src/xmpp-address/jid.ts';
import { makeRequest } from './request-maker.ts';

const ROMEO = 'romeo@montague.lit';

function romeo() {
  const jid = parseJid(ROMEO);
  if (jid instanceof AddressFault) throw new Error(jid.describe());
  return jid;
}

const named = (...names: readonly string[]) =>
  readClientRequest(
    makeRequest({ wishes: [subjectAltName(names.map(generalName.xmppAddr))] }),
    romeo(),
  );

describe('a request for a certificate of one of the own clients', () => {
  test('without a name it is for the bare address of the user', () => {
    expect(readClientRequest(makeRequest(), romeo())).toMatchObject({ address: ROMEO });
    expect(named('Romeo@MONTAGUE.lit')).toMatchObject({ address: ROMEO });
  });

  test('with one full address of the user it is for that one', () => {
    expect(named(`${ROMEO}/phone`)).toMatchObject({ address: `${ROMEO}/phone` });
    expect(named(ROMEO, `${ROMEO}/phone`)).toMatchObject({ address: `${ROMEO}/phone` });
  });

  test.each([
    ['several resources', named(`${ROMEO}/phone`, `${ROMEO}/laptop`), /several resources/],
    ['another user', named('tybalt@capulet.lit'), /tybalt@capulet\.lit instead of romeo/],
    ['another user beside the own', named(ROMEO, 'tybalt@capulet.lit'), /tybalt/],
    ['a text that is no address', named('@'), /names @ instead/],
    [
      'another user in the subject',
      readClientRequest(makeRequest({ subject: [['CN', 'tybalt@capulet.lit']] }), romeo()),
      /tybalt/,
    ],
    [
      'the name of a host',
      readClientRequest(
        makeRequest({ wishes: [subjectAltName([generalName.dnsName('montague.lit')])] }),
        romeo(),
      ),
      /montague\.lit/,
    ],
    [
      'being an authority',
      readClientRequest(makeRequest({ wishes: [basicConstraints(true)] }), romeo()),
      /authority/,
    ],
    [
      'signing certificates',
      readClientRequest(makeRequest({ wishes: [keyUsage('keyCertSign')] }), romeo()),
      /keyCertSign/,
    ],
  ])('%s is refused', (_, read, detail) => {
    expect(read).toMatchObject({ detail: expect.stringMatching(detail) });
  });

  test('what is no request is told from one that is refused', () => {
    const malformed = readClientRequest(Buffer.from('x'), romeo());
    expect(malformed).toBeInstanceOf(MalformedRequest);
    const altered = makeRequest().slice();
    const last = altered.length - 1;
    altered[last] = (altered[last] ?? 0) ^ 1;
    const refused = readClientRequest(altered, romeo());
    expect(refused).not.toBeInstanceOf(MalformedRequest);
    expect(refused).toMatchObject({ detail: expect.stringContaining('signature') });
  });
});
