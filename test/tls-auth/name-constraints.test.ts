import { describe, expect, test } from 'vitest';
import {
  type ContentChange,
  makeIntermediate,
  makeKey,
  makeLeaf,
  makeRoot,
} from '../../sim/certificates/certificate-maker.ts';
import {
  extension,
  generalName,
  nameConstraints,
  subjectAltName,
  type TestName,
} from '../../sim/certificates/extension-maker.ts';
import { explicit, implicit, integer, sequence } from '../../src/tls-auth/der-writer.ts';
import { pathTo, verdict } from './path-fixtures.ts';

interface Case {
  readonly permitted?: readonly Uint8Array[];
  readonly excluded?: readonly Uint8Array[];
  readonly names?: readonly Uint8Array[];
  readonly subject?: TestName;
}

const { dnsName, rfc822Name, uri, ipAddress, directoryName, xmppAddr, otherName } = generalName;

/** A leaf of these names below an authority with these constraints. */
function judge({
  permitted = [],
  excluded = [],
  names = [],
  subject = [['CN', 'x']],
}: Case): string {
  const root = makeRoot({
    change: ({ extensions }) => ({
      extensions: { ...extensions, constraints: nameConstraints(permitted, excluded) },
    }),
  });
  const leaf = makeLeaf(root, {
    change: ({ extensions }) => ({
      subject,
      extensions: {
        ...extensions,
        subjectAltName: names.length === 0 ? undefined : subjectAltName(names),
      },
    }),
  });
  return verdict(pathTo(leaf, [], [root]));
}

/** For certificates whose bytes were changed after they were signed. */
const leafShell = { key: makeKey() };

function judgeAll(cases: readonly (readonly [Case, boolean])[]): void {
  for (const [one, isValid] of cases) {
    expect(judge(one), JSON.stringify(one)).toBe(isValid ? 'valid' : 'name-constraints');
  }
}

describe('RFC 5280 §4.2.1.10', () => {
  test('dNSName: the name and everything below it', () => {
    const permitted = [dnsName('host.example.com')];
    judgeAll([
      [{ permitted, names: [dnsName('host.example.com')] }, true],
      [{ permitted, names: [dnsName('www.HOST.example.com')] }, true],
      [{ permitted, names: [dnsName('host1.example.com')] }, false],
      [{ permitted, names: [dnsName('ahost.example.com')] }, false],
      [{ permitted, names: [dnsName('a.host.example.com'), dnsName('example.com')] }, false],
      [{ excluded: permitted, names: [dnsName('example.com')] }, true],
      [{ excluded: permitted, names: [dnsName('a.host.example.com')] }, false],
      [{ excluded: [dnsName('')], names: [dnsName('a.example')] }, false],
    ]);
  });

  test('dNSName: a wildcard may meet what is excluded', () => {
    judgeAll([
      [{ excluded: [dnsName('foo.example.com')], names: [dnsName('*.example.com')] }, false],
      [{ permitted: [dnsName('foo.example.com')], names: [dnsName('*.example.com')] }, false],
      [{ permitted: [dnsName('example.com')], names: [dnsName('*.example.com')] }, true],
      // It stands for one label: no name of *.com is foo.example.com, or below it.
      [{ excluded: [dnsName('foo.example.com')], names: [dnsName('*.com')] }, true],
      [{ excluded: [dnsName('foo.example.com')], names: [dnsName('*.foo.example.com')] }, false],
      [{ excluded: [dnsName('example.com')], names: [dnsName('*.com')] }, false],
    ]);
  });

  test('dNSName: names that are none', () => {
    judgeAll([
      [{ permitted: [dnsName('example.com')], names: [dnsName('.example.com')] }, false],
      [{ permitted: [dnsName('.example.com')], names: [dnsName('a.example.com')] }, false],
    ]);
  });

  test('rfc822Name: a mailbox, a host, a domain', () => {
    judgeAll([
      [
        { permitted: [rfc822Name('root@example.com')], names: [rfc822Name('root@EXAMPLE.com')] },
        true,
      ],
      [
        { permitted: [rfc822Name('root@example.com')], names: [rfc822Name('Root@example.com')] },
        false,
      ],
      [{ permitted: [rfc822Name('example.com')], names: [rfc822Name('a@example.com')] }, true],
      [{ permitted: [rfc822Name('example.com')], names: [rfc822Name('a@b.example.com')] }, false],
      [{ permitted: [rfc822Name('.example.com')], names: [rfc822Name('a@b.example.com')] }, true],
      [{ permitted: [rfc822Name('.example.com')], names: [rfc822Name('a@example.com')] }, false],
      [{ excluded: [rfc822Name('example.com')], names: [rfc822Name('a@example.com')] }, false],
      [{ excluded: [rfc822Name('example.com')], names: [rfc822Name('a@example.org')] }, true],
      [{ permitted: [rfc822Name('example.com')], names: [rfc822Name('a@b@example.com')] }, false],
      [{ permitted: [rfc822Name('a@b@c')], names: [] }, false],
    ]);
  });

  test('rfc822Name applies to emailAddress where there is no subjectAltName', () => {
    const subject: TestName = [['emailAddress', 'a@example.org']];
    judgeAll([
      [{ permitted: [rfc822Name('example.com')], subject }, false],
      [{ permitted: [rfc822Name('example.org')], subject }, true],
      [{ permitted: [rfc822Name('example.com')], subject, names: [dnsName('x.org')] }, true],
    ]);
  });

  test('rfc822Name: an emailAddress of a type that is no text is not overlooked', () => {
    // VisibleString and NumericString.
    for (const tag of [0x1a, 0x12]) {
      const root = makeRoot({
        change: ({ extensions }) => ({
          extensions: { ...extensions, subtree: nameConstraints([rfc822Name('example.com')], []) },
        }),
      });
      const { certificate } = makeLeaf(root, {
        change: ({ extensions }) => ({
          subject: [['emailAddress', 'a@example.org']],
          extensions: { ...extensions, subjectAltName: undefined },
        }),
      });
      const text = Buffer.from('a@example.org');
      const from = Buffer.concat([Uint8Array.of(0x0c, text.length), text]);
      const changed = new Uint8Array(certificate);
      changed[Buffer.from(certificate).indexOf(from)] = tag;
      const constrained = pathTo(
        { ...leafShell, certificate: changed },
        [],
        [root],
        {},
        () => true,
      );
      expect(verdict(constrained)).toBe('name-constraints');
    }
  });

  test('uniformResourceIdentifier: the host', () => {
    judgeAll([
      [
        { permitted: [uri('host.example.com')], names: [uri('reload://01@host.example.com/')] },
        true,
      ],
      [{ permitted: [uri('host.example.com')], names: [uri('http://a.host.example.com')] }, false],
      [{ permitted: [uri('.example.com')], names: [uri('http://my.host.example.com:80/x')] }, true],
      [{ permitted: [uri('.example.com')], names: [uri('http://example.com/')] }, false],
      [{ excluded: [uri('example.com')], names: [uri('http://EXAMPLE.com/')] }, false],
      [{ permitted: [uri('example.com')], names: [uri('urn:isbn:1')] }, false],
      [{ permitted: [uri('example.com')], names: [uri('http://192.0.2.1/')] }, false],
      [{ excluded: [uri('example.com')], names: [uri('http://[::1]/')] }, false],
      [{ permitted: [uri('http://example.com')], names: [] }, false],
    ]);
  });

  test('iPAddress: address and mask', () => {
    const net = ipAddress(192, 0, 2, 0, 255, 255, 255, 0);
    judgeAll([
      [{ permitted: [net], names: [ipAddress(192, 0, 2, 77)] }, true],
      [{ permitted: [net], names: [ipAddress(192, 0, 3, 1)] }, false],
      [{ excluded: [net], names: [ipAddress(192, 0, 2, 77)] }, false],
      [{ permitted: [net], names: [ipAddress(...new Array<number>(16).fill(0))] }, false],
      [{ excluded: [net], names: [ipAddress(...new Array<number>(16).fill(0))] }, true],
      [{ permitted: [ipAddress(192, 0, 2, 0)], names: [] }, false],
      [{ permitted: [ipAddress(192, 0, 2, 0, 255, 0, 255, 0)], names: [] }, false],
    ]);
  });

  test('directoryName: the subject, unless it is empty, and names in the subjectAltName', () => {
    const permitted = [directoryName([['O', 'Capulet']])];
    judgeAll([
      [
        {
          permitted,
          subject: [
            ['O', 'CAPULET'],
            ['CN', 'Juliet'],
          ],
        },
        true,
      ],
      [{ permitted, subject: [['O', 'Montague']] }, false],
      [
        { permitted, subject: [['O', 'Capulet']], names: [directoryName([['O', 'Montague']])] },
        false,
      ],
      [{ excluded: permitted, subject: [['O', 'Capulet']] }, false],
    ]);
  });

  test('what is excluded is invalid even where it is permitted', () => {
    const names = [dnsName('a.example.com')];
    const both = [dnsName('example.com')];
    judgeAll([[{ permitted: both, excluded: both, names }, false]]);
  });

  test('forms without a name in the certificate, and names without constraint, are free', () => {
    judgeAll([
      [{ permitted: [ipAddress(10, 0, 0, 0, 255, 0, 0, 0)], names: [dnsName('a.example')] }, true],
      [
        { permitted: [otherName('1.2.3', integer(1))], names: [otherName('1.2.4', integer(1))] },
        true,
      ],
    ]);
  });

  test('forms that are not supported refuse a name of that form', () => {
    judgeAll([
      [
        { permitted: [otherName('1.2.3', integer(1))], names: [otherName('1.2.3', integer(1))] },
        false,
      ],
      [
        {
          excluded: [generalName.registeredId('1.2.3')],
          names: [generalName.registeredId('1.2.4')],
        },
        false,
      ],
    ]);
  });

  test('minimum and maximum refuse a name of the form', () => {
    const subtree = sequence(dnsName('example.com'), implicit(1, Uint8Array.of(2)));
    const constraints = extension('2.5.29.30', sequence(explicit(0, subtree)), true);
    const root = makeRoot({
      change: ({ extensions }) => ({ extensions: { ...extensions, constraints } }),
    });
    const withNames =
      (...names: Uint8Array[]): ContentChange =>
      ({ extensions }) => ({
        extensions: { ...extensions, subjectAltName: subjectAltName(names) },
      });
    const named = makeLeaf(root, { change: withNames(dnsName('a.example.com')) });
    const other = makeLeaf(root, { change: withNames(rfc822Name('a@example.com')) });
    expect(verdict(pathTo(named, [], [root]))).toBe('name-constraints');
    expect(verdict(pathTo(other, [], [root]))).toBe('valid');
  });
});

describe('XmppAddr (RFC 6120 §13.7.1.4), constrained like mailboxes', () => {
  test('a user, a domain, the domains below it', () => {
    const juliet = xmppAddr('juliet@capulet.lit');
    judgeAll([
      [{ permitted: [xmppAddr('capulet.lit')], names: [juliet] }, true],
      [{ permitted: [xmppAddr('CAPULET.lit')], names: [juliet] }, true],
      [{ permitted: [xmppAddr('juliet@capulet.lit')], names: [juliet] }, true],
      [{ permitted: [xmppAddr('romeo@capulet.lit')], names: [juliet] }, false],
      [{ permitted: [xmppAddr('montague.lit')], names: [juliet] }, false],
      [{ permitted: [xmppAddr('.lit')], names: [juliet] }, true],
      [{ permitted: [xmppAddr('lit')], names: [juliet] }, false],
    ]);
  });

  test('domains are compared as A-labels', () => {
    const names = [xmppAddr('juliet@bücher.example')];
    judgeAll([
      [{ permitted: [xmppAddr('xn--bcher-kva.example')], names }, true],
      [{ excluded: [xmppAddr('xn--bcher-kva.example')], names }, false],
    ]);
  });

  test('an excluded domain takes its subdomains along', () => {
    const names = [xmppAddr('a@im.capulet.lit')];
    judgeAll([
      [{ excluded: [xmppAddr('capulet.lit')], names }, false],
      [{ excluded: [xmppAddr('pulet.lit')], names }, true],
      [{ permitted: [xmppAddr('capulet.lit')], names }, false],
    ]);
  });
});

describe('RFC 5280 §6.1.4 (g) and §6.1.3 (b): along a path', () => {
  const constrained =
    (permitted: readonly string[]): ContentChange =>
    ({ extensions }) => ({
      extensions: { ...extensions, constraints: nameConstraints(permitted.map(dnsName), []) },
    });
  const named =
    (...names: readonly string[]): ContentChange =>
    ({ extensions }) => ({
      extensions: { ...extensions, subjectAltName: subjectAltName(names.map(dnsName)) },
    });

  test('permitted subtrees of several authorities intersect', () => {
    const root = makeRoot({ change: constrained(['foo.example', 'bar.example']) });
    const lower = makeIntermediate(root, { change: constrained(['bar.example']) });
    const judgeLeaf = (name: string) =>
      verdict(pathTo(makeLeaf(lower, { change: named(name) }), [lower], [root]));
    expect(judgeLeaf('bar.example')).toBe('valid');
    expect(judgeLeaf('foo.example')).toBe('name-constraints');
  });

  test('intermediates must obey, self-issued ones need not, the leaf always', () => {
    const root = makeRoot({ change: constrained(['example.com']) });
    const judgeBelow = (name: string) => {
      const lower = makeIntermediate(root, { name, change: named('other.org') });
      const leaf = makeLeaf(lower, { change: named('example.com') });
      return verdict(pathTo(leaf, [lower], [root]));
    };
    expect(judgeBelow('Lower')).toBe('name-constraints');
    expect(judgeBelow('Test Root')).toBe('valid');
    const selfIssuedLeaf = makeLeaf(root, {
      change: (content) => ({ subject: root.name, ...named('other.org')(content) }),
    });
    expect(verdict(pathTo(selfIssuedLeaf, [], [root]))).toBe('name-constraints');
  });

  test('the number of comparisons is limited', () => {
    const bases = Array.from({ length: 250 }, (_, i) => dnsName(`h${i}.example`));
    const many = (count: number) =>
      Array.from({ length: count }, (_, i) => `a.h${i % 250}.example`);
    const change: ContentChange = ({ extensions }) => ({
      extensions: { ...extensions, constraints: nameConstraints(bases, []) },
    });
    const root = makeRoot({ change });
    const one = makeIntermediate(root, { name: 'One', change });
    const two = makeIntermediate(one, { name: 'Two', change });
    const leaf = makeLeaf(two, { change: named(...many(250)) });
    expect(verdict(pathTo(leaf, [two, one], [root]))).toBe('work-limit');
  });
});
