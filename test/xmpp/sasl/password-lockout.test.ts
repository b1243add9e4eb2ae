import { describe, expect, test } from 'vitest';
import { PasswordLockout, PasswordLockouts } from '../../../src/xmpp/sasl/password-lockout.ts';
import {
  KNOWN_ADDRESSES_MAX,
  PASSWORD_FAILURES_FORGOTTEN_MS,
  PASSWORD_FAILURES_FREE,
  PASSWORD_LOCKOUT_FIRST_MS,
  PASSWORD_LOCKOUT_MAX_MS,
} from '../../../src/xmpp/sasl/sasl-limits.ts';

function failing(times: number): PasswordLockout {
  const lockout = new PasswordLockout();
  for (let i = 0; i < times; i += 1) lockout.fail(0);
  return lockout;
}

describe('wrong passwords over all connections', () => {
  test('the first ones cost nothing, then the wait doubles up to a limit', () => {
    expect(failing(PASSWORD_FAILURES_FREE - 1).waitMs(0)).toBe(0);
    expect(failing(PASSWORD_FAILURES_FREE).waitMs(0)).toBe(PASSWORD_LOCKOUT_FIRST_MS);
    expect(failing(PASSWORD_FAILURES_FREE + 3).waitMs(0)).toBe(8 * PASSWORD_LOCKOUT_FIRST_MS);
    expect(failing(PASSWORD_FAILURES_FREE + 1_000).waitMs(0)).toBe(PASSWORD_LOCKOUT_MAX_MS);
  });

  test('the wait passes, and the count is forgotten after a long silence', () => {
    const lockout = failing(PASSWORD_FAILURES_FREE);
    expect(lockout.waitMs(PASSWORD_LOCKOUT_FIRST_MS)).toBe(0);
    lockout.fail(PASSWORD_FAILURES_FORGOTTEN_MS + 1);
    expect(lockout.waitMs(PASSWORD_FAILURES_FORGOTTEN_MS + 1)).toBe(0);
  });

  test('a login clears it', () => {
    const lockout = failing(PASSWORD_FAILURES_FREE + 5);
    lockout.clear();
    lockout.fail(0);
    expect(lockout.waitMs(0)).toBe(0);
  });
});

test('so many addresses of logins are remembered, the latest ones', () => {
  const lockouts = new PasswordLockouts();
  const [first, second] = ['192.0.2.1', '192.0.2.2'];
  for (const address of [first, second]) lockouts.noteLogin(address);
  const ofFirst = lockouts.of(first);
  expect(ofFirst).not.toBe(lockouts.of(second));
  lockouts.noteLogin(first);
  for (let i = 1; i < KNOWN_ADDRESSES_MAX; i += 1) lockouts.noteLogin(`198.51.100.${i}`);
  expect(lockouts.of(first)).toBe(ofFirst);
  expect(lockouts.of(second)).toBe(lockouts.of('203.0.113.9'));
  expect(lockouts.of(undefined)).toBe(lockouts.of('203.0.113.9'));
});
