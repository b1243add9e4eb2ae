import { describe, expect, it } from 'vitest';
import { SignInFailures } from '../../../src/host/authority/sign-in-failures.ts';
import { SignInLockout } from '../../../src/host/authority/sign-in-lockout.ts';

const limit = { free: 3, firstMs: 1_000, maxMs: 10_000, forgetMs: 60_000 };

function failed(lockout: SignInLockout, times: number, nowMs = 0): number {
  for (let count = 0; count < times; count++) lockout.fail('juliet', nowMs);
  return lockout.waitMs('juliet', nowMs);
}

describe('SignInLockout', () => {
  it('lets some failures pass, then waits twice as long after each, up to a limit', () => {
    const waits = [1, 2, 3, 4, 5, 6, 7, 60].map((times) => failed(new SignInLockout(limit), times));
    expect(waits).toEqual([0, 0, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
  });

  it('lets another try when the time is over, and then waits longer', () => {
    const lockout = new SignInLockout(limit);
    failed(lockout, 3);
    expect(lockout.waitMs('juliet', 999)).toBe(1);
    expect(lockout.waitMs('juliet', 1_000)).toBe(0);
    expect(failed(lockout, 1, 1_000)).toBe(2_000);
    expect(lockout.waitMs('romeo', 1_000)).toBe(0);
  });

  it('forgets the failures of a key that proved itself, or was silent for long', () => {
    const lockout = new SignInLockout(limit);
    failed(lockout, 5);
    lockout.clear('juliet');
    expect(lockout.waitMs('juliet', 0)).toBe(0);
    failed(lockout, 5);
    expect(failed(lockout, 1, 60_001)).toBe(0);
  });

  it('takes back what was no failure', () => {
    const lockout = new SignInLockout(limit);
    for (let count = 0; count < 9; count++) {
      lockout.fail('juliet', 0);
      lockout.takeBack('juliet');
    }
    expect(lockout.waitMs('juliet', 0)).toBe(0);
    failed(lockout, 4);
    lockout.takeBack('juliet');
    expect(lockout.waitMs('juliet', 0)).toBe(1_000);
  });

  it('remembers a bounded number of keys', () => {
    const lockout = new SignInLockout({ ...limit, free: 1 });
    for (let index = 0; index <= 10_000; index++) lockout.fail(`key-${index}`, 0);
    expect(lockout.waitMs('key-0', 0)).toBe(0);
    expect(lockout.waitMs('key-10000', 0)).toBe(1_000);
  });
});

describe('SignInFailures', () => {
  it('tells how many there were since when, and where the most came from', () => {
    const failures = new SignInFailures();
    expect(failures.take(1)).toBeUndefined();
    failures.add('192.0.2.1', 5);
    failures.add('192.0.2.2', 6);
    failures.add('192.0.2.2', 7);
    expect(failures.take(9)).toEqual({
      type: 'signInsFailed',
      unixMs: 9,
      sinceUnixMs: 5,
      count: 3,
      addresses: ['192.0.2.2', '192.0.2.1'],
    });
    expect(failures.take(10)).toBeUndefined();
  });

  it('names few addresses, however many there were', () => {
    const failures = new SignInFailures();
    for (let index = 0; index < 5_000; index++) failures.add(`address-${index}`, index);
    expect(failures.take(5_000)).toMatchObject({ count: 5_000, addresses: { length: 10 } });
  });
});
