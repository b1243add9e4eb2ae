import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatUtcTime, parseUtcTime } from '../../src/overlay-config/date-time.ts';

describe('RFC 3339 §5.6, times in UTC by arithmetic', () => {
  const firstMs = Date.parse('0000-01-01T00:00:00Z');
  const lastMs = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

  test('every time is written and read as Date does', () => {
    fc.assert(
      fc.property(fc.integer({ min: firstMs, max: lastMs }), (unixMs) => {
        expect(parseUtcTime(new Date(unixMs).toISOString())).toBe(unixMs);
        const text = formatUtcTime(unixMs);
        expect(text).toBe(new Date(unixMs).toISOString().replace('.000Z', 'Z'));
        expect(parseUtcTime(text)).toBe(unixMs);
      }),
      { numRuns: 1_000 },
    );
  });

  test.each([
    ['2002-10-10T07:00:00Z', Date.UTC(2002, 9, 10, 7)],
    ['2002-10-10t07:00:00z', Date.UTC(2002, 9, 10, 7)],
    ['2002-10-10T07:00:00+00:00', Date.UTC(2002, 9, 10, 7)],
    ['2002-10-10T07:00:00-00:00', Date.UTC(2002, 9, 10, 7)],
    ['2002-10-10T07:00:00.123456Z', Date.UTC(2002, 9, 10, 7, 0, 0, 123)],
    ['2000-02-29T00:00:00Z', Date.UTC(2000, 1, 29)],
    ['1969-12-31T23:59:59Z', -1000],
    ['2016-12-31T23:59:60Z', Date.UTC(2017, 0, 1)],
  ])('%s is %i ms', (text, unixMs) => {
    expect(parseUtcTime(text)).toBe(unixMs);
  });

  test.each([
    '',
    '2002-10-10',
    '2002-10-10 07:00:00Z',
    '2002-10-10T07:00:00',
    '2002-10-10T07:00:00+02:00',
    '1900-02-29T00:00:00Z',
    '2002-13-01T00:00:00Z',
    '2002-00-01T00:00:00Z',
    '2002-04-31T00:00:00Z',
    '2002-01-00T00:00:00Z',
    '2002-01-01T24:00:00Z',
    '2002-01-01T00:60:00Z',
    '2002-01-01T00:00:60Z',
    '02002-01-01T00:00:00Z',
    '2002-01-01T00:00:00.Z',
  ])('"%s" is no time in UTC', (text) => {
    expect(parseUtcTime(text)).toBeUndefined();
  });

  test.each([Number.NaN, 0.5, Date.UTC(10_000, 0)])('%d ms cannot be written', (unixMs) => {
    expect(() => formatUtcTime(unixMs)).toThrow(RangeError);
  });
});
