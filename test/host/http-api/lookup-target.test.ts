import { describe, expect, test } from 'vitest';
import { readLookupTarget, readNodeIdText } from '../../../src/host/http-api/lookup-target.ts';

const hex = '6f1d8c0a00112233445566778899aabb';

describe('readNodeIdText', () => {
  test('takes all three forms', () => {
    expect(readNodeIdText(hex)).toBe(hex);
    expect(readNodeIdText(hex.toUpperCase())).toBe(hex);
    expect(readNodeIdText(`0110${hex}`)).toBe(hex);
    expect(readNodeIdText(BigInt(`0x${hex}`).toString())).toBe(hex);
    expect(readNodeIdText('1')).toBe(`${'0'.repeat(31)}1`);
  });

  test.each([
    '',
    'juliet',
    '01',
    '0'.repeat(32),
    'f'.repeat(32),
    '1'.repeat(32),
    (2n ** 128n).toString(),
    (2n ** 128n - 1n).toString(),
    hex.slice(1),
    `0111${hex}`,
  ])('"%s" is refused with a sentence', (text) => {
    expect(readNodeIdText(text)).toHaveProperty('fault');
  });
});

describe('readLookupTarget', () => {
  test('an @ makes it an address, which is prepared', () => {
    expect(readLookupTarget('Juliet@Example.ORG')).toEqual({ userName: 'juliet@example.org' });
    expect(readLookupTarget('juliet@xn--bcher-kva.example.')).toEqual({
      userName: 'juliet@bücher.example',
    });
    expect(readLookupTarget('Ｊuliet@capulet。lit')).toEqual({ userName: 'juliet@capulet.lit' });
    expect(readLookupTarget(hex)).toEqual({ nodeId: hex });
  });

  test.each([
    '@example.org',
    'juliet@',
    'a@b@c',
    'juliet@example.org/balcony',
    'a b@c',
    'juliet@example.org#x',
    'juliet@example.org:80',
    'juliet@%65xample.org',
    'ju:liet@example.org',
  ])('"%s" is refused with a sentence', (text) => {
    expect(readLookupTarget(text)).toHaveProperty('fault');
  });
});
