/**
 * `npm run bench [NAME…]`: runs every `bench/**\/*.bench.ts`, or those whose path contains a NAME.
 * One JSON line a result on stdout, then a table; exit status 1 when a bound does not hold.
 */
import { readdirSync } from 'node:fs';
import type { BenchResult } from './bench-result.ts';

const folder = new URL('.', import.meta.url);
const wanted = process.argv.slice(2);

const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.bench.ts'))
  .filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)))
  .sort();
if (files.length === 0) {
  console.error(`no benchmark in bench/ has ${wanted.join(' or ')} in its name`);
  process.exit(2);
}

const results: BenchResult[] = [];
for (const file of files) {
  const bench: { run(): Promise<BenchResult[]> } = await import(new URL(file, folder).href);
  for (const result of await bench.run()) {
    console.log(JSON.stringify(result));
    results.push(result);
  }
}

console.log('');
for (const { name, value, unit, referenceName, reference, ratio, bound, isMet } of results) {
  console.log(`${isMet ? 'ok    ' : 'MISSED'} ${name}: ${rounded(value)} ${unit}`);
  console.log(`         ${ratio.toFixed(2)} of ${referenceName} (${rounded(reference)} ${unit})`);
  console.log(`         wanted: ${bound}`);
}
process.exit(results.every(({ isMet }) => isMet) ? 0 : 1);

function rounded(value: number): string {
  return value.toLocaleString('en', { maximumSignificantDigits: 3 });
}
