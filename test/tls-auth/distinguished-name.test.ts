import { describe, expect, test } from 'vitest';
import { DerReader } from '../../src/tls-auth/der-reader.ts';
import { der, objectIdentifier, sequence, set } from '../../src/tls-auth/der-writer.ts';
import { type DistinguishedName, derName } from '../../src/tls-auth/distinguished-name.ts';

type Attribute = readonly [oid: string, tag: number, value: string | Uint8Array];

/** A name of relative names that each hold the given attributes. */
function name(...relativeNames: readonly (readonly Attribute[])[]): DistinguishedName {
  const written = relativeNames.map((attributes) =>
    set(
      ...attributes.map(([oid, tag, value]) =>
        sequence(
          objectIdentifier(oid),
          der(tag, typeof value === 'string' ? Buffer.from(value) : value),
        ),
      ),
    ),
  );
  return derName(new DerReader(sequence(...written)));
}

const [UTF8, PRINTABLE, TELETEX, BMP] = [0x0c, 0x13, 0x14, 0x1e];
const [CN, O, OU] = ['2.5.4.3', '2.5.4.10', '2.5.4.11'];
const cn = (text: string, tag: number = UTF8) => name([[CN, tag, text]]);

describe('RFC 4514: names as text', () => {
  test('the last relative name comes first, several attributes are joined', () => {
    const long = name(
      [[O, UTF8, 'Capulet']],
      [
        [CN, UTF8, 'Juliet'],
        [OU, UTF8, 'House'],
      ],
    );
    expect(long.text).toBe('CN=Juliet+OU=House,O=Capulet');
  });

  test('special characters are escaped, unknown types are hex', () => {
    expect(cn(' a,b+c"d\\<e>;f ').text).toBe('CN=\\ a\\,b\\+c\\"d\\\\\\<e\\>\\;f\\ ');
    expect(cn('#1\u0000').text).toBe('CN=\\#1\\00');
    expect(name([['1.2.3', UTF8, 'x']]).text).toBe('1.2.3=#0c0178');
  });

  test('an empty name', () => {
    expect(name().isEmpty).toBe(true);
    expect(name().text).toBe('');
  });
});

describe('RFC 5280 §7.1: comparing names', () => {
  test.each([
    ['case', cn('Juliet'), cn('jULIET')],
    ['string type', cn('Juliet'), cn('Juliet', PRINTABLE)],
    ['insignificant space', cn('  Juliet   Capulet '), cn('Juliet Capulet')],
    ['compatibility forms', cn('ﬁne'), cn('fine')],
    ['case folding beyond ASCII', cn('STRASSE'), cn('straße')],
    ['characters without width', cn('Ju\u200bli\u00adet'), cn('Juliet')],
    ['BMPString', name([[CN, BMP, Uint8Array.of(0, 0x4a)]]), cn('J')],
    ['TeletexString', name([[CN, TELETEX, Uint8Array.of(0xe9)]]), cn('é')],
    [
      'order inside a relative name',
      name([
        [CN, UTF8, 'a'],
        [O, UTF8, 'b'],
      ]),
      name([
        [O, UTF8, 'b'],
        [CN, UTF8, 'a'],
      ]),
    ],
  ])('%s does not matter', (_, one, other) => {
    expect(one.equals(other)).toBe(true);
  });

  test.each([
    ['another value', cn('Juliet'), cn('Romeo')],
    ['another type', cn('Juliet'), name([[O, UTF8, 'Juliet']])],
    [
      'another order',
      name([[CN, UTF8, 'a']], [[O, UTF8, 'b']]),
      name([[O, UTF8, 'b']], [[CN, UTF8, 'a']]),
    ],
    [
      'one relative name or two',
      name([
        [CN, UTF8, 'a'],
        [O, UTF8, 'b'],
      ]),
      name([[CN, UTF8, 'a']], [[O, UTF8, 'b']]),
    ],
    [
      'values that look like two',
      cn('a"],["2.5.4.10=b'),
      name([[CN, UTF8, 'a']], [[O, UTF8, 'b']]),
    ],
    ['no string type', name([[CN, 0x02, Uint8Array.of(1)]]), name([[CN, 0x02, Uint8Array.of(2)]])],
  ])('%s makes another name', (_, one, other) => {
    expect(one.equals(other)).toBe(false);
  });

  test('a subtree holds the names that begin with its relative names', () => {
    const capulet = name([[O, UTF8, 'Capulet']]);
    const juliet = name([[O, UTF8, 'capulet']], [[CN, UTF8, 'Juliet']]);
    expect(juliet.isWithin(capulet)).toBe(true);
    expect(juliet.isWithin(name())).toBe(true);
    expect(capulet.isWithin(juliet)).toBe(false);
    expect(juliet.isWithin(name([[CN, UTF8, 'Juliet']]))).toBe(false);
  });
});
