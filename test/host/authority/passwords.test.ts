import { describe, expect, it } from 'vitest';
import { defaultAuthorityLimits as limits } from '../../../src/host/authority/authority-limits.ts';
import { PasswordChecksExhausted, PasswordHasher } from '../../../src/host/authority/passwords.ts';
import { RateLimiter, rateLimitKeyOf } from '../../../src/host/authority/rate-limits.ts';

const bytes = (text: string) => new Uint8Array(Buffer.from(text));

describe('PasswordHasher', () => {
  it('RFC 6940 §11.3 (300): knows a password again by its bytes and no other', async () => {
    const hasher = new PasswordHasher(limits);
    const hash = await hasher.hash(bytes('pässword'));
    expect(hash).toMatch(/^scrypt\$32768\$8\$1\$/);
    expect(await hasher.verify(bytes('pässword'), hash)).toBe(true);
    expect(await hasher.verify(bytes('pa\u0308ssword'), hash)).toBe(false);
    expect(await hasher.verify(bytes(''), hash)).toBe(false);
  });

  it('salts: the same password has another hash each time', async () => {
    const hasher = new PasswordHasher(limits);
    expect(await hasher.hash(bytes('same'))).not.toBe(await hasher.hash(bytes('same')));
  });

  it('works as long for an account that does not exist', async () => {
    const hasher = new PasswordHasher(limits);
    const hash = await hasher.hash(bytes('password'));
    const timed = async (known: string | undefined) => {
      const startedMs = performance.now();
      expect(await hasher.verify(bytes('wrong'), known)).toBe(false);
      return performance.now() - startedMs;
    };
    await timed(hash);
    const ratios = [];
    for (let round = 0; round < 5; round++)
      ratios.push((await timed(undefined)) / (await timed(hash)));
    const median = ratios.sort((a, b) => a - b)[2] ?? 0;
    expect(median).toBeGreaterThan(0.3);
    expect(median).toBeLessThan(3);
  });

  it('lets few wait, so that floods cost neither memory nor threads', async () => {
    const few = { passwordChecksRunningMax: 2, passwordChecksWaitingMax: 3 };
    const hasher = new PasswordHasher(few);
    const checks = Array.from({ length: 9 }, () => hasher.verify(bytes('x'), undefined));
    const settled = await Promise.allSettled(checks);
    const reasons = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
    expect(reasons).toHaveLength(4);
    for (const reason of reasons) expect(reason).toBeInstanceOf(PasswordChecksExhausted);
    expect(await hasher.verify(bytes('x'), undefined)).toBe(false);
  });

  it('refuses a hash that it did not write', async () => {
    await expect(new PasswordHasher(limits).verify(bytes('x'), 'md5$abc')).rejects.toThrow(
      RangeError,
    );
  });
});

describe('RateLimiter', () => {
  it('allows a burst and refills one by one', () => {
    const limiter = new RateLimiter({ burst: 2, refillMs: 100 });
    expect([limiter.take('a', 0), limiter.take('a', 0), limiter.take('a', 0)]).toEqual([
      true,
      true,
      false,
    ]);
    expect(limiter.waitMs('a', 0)).toBe(100);
    expect(limiter.take('a', 99)).toBe(false);
    expect(limiter.take('a', 199)).toBe(true);
    expect(limiter.take('b', 0)).toBe(true);
  });

  it('forgets the key that was used longest ago when the table is full', () => {
    const limiter = new RateLimiter({ burst: 1, refillMs: 1_000_000 });
    for (let index = 0; index <= 10_000; index++) limiter.take(`key-${index}`, 0);
    expect(limiter.take('key-0', 0)).toBe(true);
    expect(limiter.take('key-9999', 0)).toBe(false);
  });

  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    [undefined, 'unknown'],
  ])('counts %s as %s', (address, key) => {
    expect(rateLimitKeyOf(address)).toBe(key);
  });
});
