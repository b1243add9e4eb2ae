import { expect, test } from 'vitest';

/**
 * Whether all these programs are here. Where one is not, a test in place of the others says so: it
 * fails in continuous integration, and is skipped elsewhere.
 */
export function areInstalled(programs: Readonly<Record<string, boolean>>): boolean {
  const absent = Object.keys(programs).filter((name) => programs[name] !== true);
  if (absent.length === 0) return true;
  const names = absent.join(' and ');
  if (process.env.CI === 'true') test(`installed: ${names}`, () => expect(absent).toEqual([]));
  else test.skip(`skipped: not installed: ${names}`, () => undefined);
  return false;
}
