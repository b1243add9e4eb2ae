/**
 * `node --import tsx scripts/conformance-ran.ts REPORT.json`: every test that docs/conformance.md
 * names has run and passed, by the JSON report of the run. A skipped one is told, and not counted.
 */
import { readFileSync } from 'node:fs';
import { conformanceLines } from '../test/conformance-lines.ts';

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly { readonly title: string; readonly status: string }[];
  }[];
}

/** What vitest fills in when a test runs. */
const GAP = /%[sdifjo]|\$\{[^}]*\}|\$[a-zA-Z.]+/;

const [path] = process.argv.slice(2);
if (path === undefined) throw new Error('name the JSON report of the test run');
const report = JSON.parse(readFileSync(path, 'utf8')) as Report;
const lines = conformanceLines(readFileSync('docs/conformance.md', 'utf8'));

let ran = 0;
const skipped: string[] = [];
const missing: string[] = [];
for (const { number, status } of lines) {
  if (status.type !== 'tests') continue;
  for (const { file, title } of status.tests) {
    const outcome = outcomeOf(file, title);
    if (outcome === 'passed') ran++;
    else if (outcome === 'skipped') skipped.push(`${number}: ${file} — ${title}`);
    else missing.push(`${number}: ${file} — ${title} (${outcome})`);
  }
}
for (const line of skipped) console.log(`skipped  ${line}`);
for (const line of missing) console.log(`NOT RUN  ${line}`);
console.log(`${ran} tests that prove a line ran, ${skipped.length} skipped, ${missing.length} not`);
if (missing.length > 0) process.exitCode = 1;

/** A title of `test.each` or of a template stands in the document with its gaps. */
function outcomeOf(file: string, title: string): 'passed' | 'skipped' | 'failed' | 'absent' {
  const pattern = new RegExp(`^${title.split(GAP).map(escaped).join('.*')}$`, 's');
  const found = report.testResults
    .filter(({ name }) => name.endsWith(`/${file}`))
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ title: actual }) => pattern.test(actual));
  if (found.length === 0) return 'absent';
  if (found.some(({ status }) => status === 'failed')) return 'failed';
  return found.some(({ status }) => status === 'passed') ? 'passed' : 'skipped';
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
