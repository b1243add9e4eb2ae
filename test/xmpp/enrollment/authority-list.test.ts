/** XEP-0417 §5.3: whom a client asks, out of its own list and that of its server. */
import { describe, expect, it } from 'vitest';
import {
  makeIntermediate,
  makeLeaf,
  makeRoot,
  TEST_UNIX_MS,
  type TestAuthority,
} from '../../../sim/certificates/certificate-maker.ts';
import { generalName, subjectAltName } from '../../../sim/certificates/extension-maker.ts';
import {
  authorityListIn,
  localAuthorities,
  mergeAuthorities,
} from '../../../src/xmpp/enrollment/authority-list.ts';
import { element } from '../../../src/xmpp/stanza/xmpp-element.ts';
import { authorityListElement, X509_NAMESPACE } from '../../../src/xmpp/x509/x509-element.ts';
import { jidOf, xmppRoot } from './exchange-world.ts';

const romeo = jidOf('romeo@montague.lit');

function merged(local: readonly TestAuthority[], remote: readonly TestAuthority[]): string[] {
  const list = (of: readonly TestAuthority[]) => of.map(({ certificate }) => certificate);
  const found = mergeAuthorities(list(local), list(remote), romeo, TEST_UNIX_MS);
  return found.map(({ address }) => address.text);
}

function below(root: TestAuthority, ...names: Uint8Array[]): TestAuthority {
  return makeIntermediate(root, {
    change: ({ extensions }) => ({
      extensions: { ...extensions, subjectAltName: subjectAltName(names) },
    }),
  });
}

describe('XEP-0417 §5.3: merging lists of authorities', () => {
  const one = xmppRoot('one.lit');
  const two = xmppRoot('two.lit');
  const silent = makeRoot();

  it('what both lists have is taken', () => {
    expect(merged([one, two], [two])).toEqual(['two.lit']);
  });

  it('what the server alone lists is never trusted', () => {
    expect(merged([one], [two])).toEqual([]);
    expect(merged([], [two])).toEqual([]);
  });

  it('a root of the same name with another key is another one', () => {
    expect(merged([xmppRoot('two.lit')], [two])).toEqual([]);
  });

  it('where nothing is on both, what a local one has signed is taken', () => {
    expect(merged([one], [below(one, generalName.xmppAddr('three.lit'))])).toEqual(['three.lit']);
    expect(merged([one], [below(two, generalName.xmppAddr('three.lit'))])).toEqual([]);
  });

  it('a local root without an address is not asked, but vouches', () => {
    expect(merged([silent], [silent])).toEqual([]);
    const three = below(silent, generalName.xmppAddr('three.lit'));
    expect(merged([silent], [three])).toEqual(['three.lit']);
  });

  it('the path may go over others of the list', () => {
    const middle = makeIntermediate(one, { name: 'Middle' });
    const three = below(middle, generalName.xmppAddr('three.lit'));
    expect(merged([one], [three, middle])).toEqual(['three.lit']);
  });

  it('an XmppAddr with a localpart or resource, or a second one, is no address of an authority', () => {
    const names = ['x@three.lit', 'three.lit/x'].map((text) => [generalName.xmppAddr(text)]);
    const twice = [generalName.xmppAddr('three.lit'), generalName.xmppAddr('four.lit')];
    for (const given of [...names, twice])
      expect(merged([one], [below(one, ...given)])).toEqual([]);
  });

  it('an authority of another domain is passed over, one of the own domain is not', () => {
    const of = (domain: string) => [generalName.dnsName(domain), generalName.xmppAddr('three.lit')];
    expect(merged([one], [below(one, ...of('capulet.lit'))])).toEqual([]);
    expect(merged([one], [below(one, ...of('Montague.lit'))])).toEqual(['three.lit']);
  });

  it('a certificate that signs no others, or has ended, is no authority', () => {
    const leaf = makeLeaf(one, {
      change: ({ extensions }) => ({
        extensions: {
          ...extensions,
          subjectAltName: subjectAltName([generalName.xmppAddr('three.lit')]),
        },
      }),
    });
    const found = mergeAuthorities([one.certificate], [leaf.certificate], romeo, TEST_UNIX_MS);
    expect(found).toEqual([]);
    const later = Date.UTC(2040, 0, 1);
    expect(mergeAuthorities([one.certificate], [one.certificate], romeo, later)).toEqual([]);
  });

  it('for whoever wants to log in nowhere with it, the own list alone counts', () => {
    const found = localAuthorities([one.certificate, silent.certificate], romeo, TEST_UNIX_MS);
    expect(found.map(({ address }) => address.text)).toEqual(['one.lit']);
  });
});

describe('XEP-0417 §5.2: a list of authorities', () => {
  it('is read, whatever its order', () => {
    const list = [xmppRoot('one.lit').certificate, xmppRoot('two.lit').certificate];
    expect(authorityListIn(authorityListElement(list))).toEqual(list);
    expect(authorityListIn(authorityListElement([]))).toEqual([]);
  });

  it('what is no list, or has something else in it, is none', () => {
    expect(authorityListIn(undefined)).toBeUndefined();
    expect(authorityListIn(element('x509-cert-chain', X509_NAMESPACE))).toBeUndefined();
    const bad = element('x509-cert', X509_NAMESPACE, {}, ['%']);
    expect(authorityListIn(element('x509-ca-list', X509_NAMESPACE, {}, [bad]))).toBeUndefined();
    const long = Array<Uint8Array>(257).fill(new Uint8Array(3));
    expect(authorityListIn(authorityListElement(long))).toBeUndefined();
  });
});
