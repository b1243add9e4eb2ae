import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { conformanceLines, ISSUES, titlesIn } from './conformance-lines.ts';

const lines = conformanceLines(readFileSync('docs/conformance.md', 'utf8'));

describe('docs/conformance.md', () => {
  test('every line from 001 to 325 is there once', () => {
    const numbers = lines.map(({ number }) => number);
    expect(numbers).toEqual(Array.from({ length: 325 }, (_, i) => String(i + 1).padStart(3, '0')));
  });

  test('each says in words what is required, and in which section', () => {
    for (const { number, section, requirement } of lines) {
      expect(section, number).toMatch(/^§\d+(\.\d+)*([–-]\d+(\.\d+)*)?$/);
      expect(requirement.length, number).toBeGreaterThan(3);
    }
  });

  test('what is not proved says what it waits for, or why it does not apply', () => {
    for (const { number, status } of lines) {
      if (status.type === 'tests') expect(status.tests.length, number).toBeGreaterThan(0);
      else if (status.type === 'not yet') expect(ISSUES, number).toContain(status.issue);
      else expect(status.why.length, number).toBeGreaterThan(10);
    }
  });

  test('every test that is named exists, under that title', () => {
    const titles = new Map<string, ReadonlySet<string>>();
    const missing: string[] = [];
    for (const { number, status } of lines) {
      if (status.type !== 'tests') continue;
      for (const { file, title } of status.tests) {
        const known = titles.get(file) ?? new Set(existsSync(file) ? titlesIn(file) : []);
        titles.set(file, known);
        if (!known.has(title)) missing.push(`${number}: ${file} has no test "${title}"`);
      }
    }
    expect(missing).toEqual([]);
  });

  test('a test whose title claims a line is named at that line, or the line names another', () => {
    const proved = new Set(
      lines.filter(({ status }) => status.type === 'tests').map(({ number }) => number),
    );
    const named = new Set(
      lines
        .flatMap(({ status }) => (status.type === 'tests' ? status.tests : []))
        .map(({ file }) => file),
    );
    for (const file of named) {
      for (const title of titlesIn(file)) {
        const claim = /^RFC 6940 [^:]*:/.exec(title)?.[0] ?? '';
        for (const [number] of claim.matchAll(/\b\d{3}\b(?=[\d, ]*\))/g)) {
          expect(proved, `${file}: "${title}" claims ${number}`).toContain(number);
        }
      }
    }
  });
});
