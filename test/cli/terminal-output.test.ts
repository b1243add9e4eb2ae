import { afterEach, describe, expect, test, vi } from 'vitest';
import { printJson, printTable } from '../../src/cli/terminal-output.ts';

/** What a command writes to its stdout. */
function written(print: () => void): string {
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  print();
  return write.mock.calls.map(([text]) => String(text)).join('');
}

describe('what strangers have written steers no terminal', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  test('a table has one line for each row, and no controls', () => {
    const hostile = 'Phone\n\u001b[2J\u009b2J\u202eevil';
    const text = written(() => printTable(['NAME', 'STATE'], [[hostile, 'active']]));
    expect(text.split('\n')).toHaveLength(3);
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(text).toContain('evil');
    expect(text).toContain('active');
  });

  test('JSON writes the controls out that its own rules let through, and means the same', () => {
    const value = { name: '\u009b2J\u007f\u202e\u2028 ü 🎭' };
    const text = written(() => printJson(value));
    expect(text.trimEnd()).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}]/u);
    expect(text).toContain('ü 🎭');
    expect(JSON.parse(text)).toEqual(value);
  });
});
