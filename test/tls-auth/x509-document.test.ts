import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CERTIFICATE_REFUSAL_CODES } from '../../src/tls-auth/certificate-refusal.ts';
import { pkixRuleNames } from '../../src/tls-auth/pkix-profile.ts';
import { rfc6940Rules } from '../../src/tls-auth/profile-rfc6940.ts';
import { xep0416Rules } from '../../src/tls-auth/profile-xep0416.ts';

const document = readFileSync(new URL('../../docs/x509.md', import.meta.url), 'utf8');

/** The first cells of the table whose heading begins with these words, without code marks. */
function firstCells(heading: string): string[] {
  const [, rest = ''] = document.split(`| ${heading}`);
  const [, , ...rows] = rest.split('\n');
  const end = rows.findIndex((row) => !row.startsWith('|'));
  return rows.slice(0, end).map((row) => (row.split('|')[1] ?? '').replaceAll('`', '').trim());
}

test('docs/x509.md names every code of a refusal', () => {
  expect(firstCells('code |')).toEqual([...CERTIFICATE_REFUSAL_CODES]);
});

test('docs/x509.md names every rule of RFC 5280 §4 that is insisted on', () => {
  expect(firstCells('rule | what breaks it').toSorted()).toEqual(pkixRuleNames().toSorted());
});

test('docs/x509.md names every rule of the profiles', () => {
  expect(firstCells('rule of `xep-0416`')).toEqual(xep0416Rules.map(({ name }) => name));
  expect(firstCells('rule of `rfc6940`')).toEqual(rfc6940Rules.map(({ name }) => name));
});
