import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { defaultAuthorityLimits } from '../src/host/authority/authority-limits.ts';
import { titlesIn } from './conformance-lines.ts';

test.each(['N', 'P'])(
  'every test that section %s of docs/conformance.md names exists',
  (letter) => {
    const text = readFileSync('docs/conformance.md', 'utf8');
    const start = text.indexOf(`\n## ${letter}. Certificates over XMPP`);
    const section = text.slice(start, text.indexOf('\n## ', start + 1));
    const named = [...section.matchAll(/`(test\/[^`]+\.test\.ts)` — (.+?)(?=<br>| \|$)/gm)];
    expect(named.length).toBeGreaterThan(15);
    const missing = named.filter(([, file = '', title = '']) => !titlesIn(file).includes(title));
    expect(missing.map(([line]) => line)).toEqual([]);
  },
);

test('every limit that docs/xmpp-enrollment.md names exists', () => {
  const text = readFileSync('docs/xmpp-enrollment.md', 'utf8');
  const [, names = ''] =
    /`limits\.json` in the state directory changes them: (.*?)\. /s.exec(text) ?? [];
  const named = [...names.matchAll(/`(\w+)`/g)].map(([, name = '']) => name);
  expect(named).toHaveLength(8);
  for (const name of named) expect(defaultAuthorityLimits).toHaveProperty(name);
});
