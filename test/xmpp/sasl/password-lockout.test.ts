import { describe, expect, test } from 'vitest';
import { PasswordLockout } from '../../../src/xmpp/sasl/password-lockout.ts';
import {
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
