/**
 * Takes the guards of `mutations.ts` out of the source, one at a time, in a copy of the work tree,
 * and expects the test named for each to fail. Ends with 1 where a guard was not missed.
 */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Mutation, mutations } from './mutations.ts';

type Verdict = 'missed' | 'survived' | 'not found once' | 'does not pass unchanged';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** `wanted`: parts of file names or titles; none: every mutation. */
function main(wanted: readonly string[]): number {
  const chosen = mutations.filter(
    ({ file, title }) =>
      wanted.length === 0 || wanted.some((part) => file.includes(part) || title.includes(part)),
  );
  const copy = copyOfTree();
  try {
    return judgeAll(copy, chosen);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function judgeAll(copy: string, chosen: readonly Mutation[]): number {
  let failed = 0;
  const passing = new Map<string, readonly string[]>();
  for (const mutation of chosen) {
    const verdict = judge(copy, mutation, passing);
    if (verdict !== 'missed') failed++;
    const mark = verdict === 'missed' ? 'ok  ' : 'FAIL';
    console.log(`${mark}  ${mutation.file.padEnd(40)}  ${mutation.title}  (${verdict})`);
  }
  console.log(`${chosen.length - failed} passed, ${failed} failed`);
  return failed === 0 && chosen.length > 0 ? 0 : 1;
}

/** `passing`: by test file, the titles that pass in the unchanged copy. */
function judge(copy: string, mutation: Mutation, passing: Map<string, readonly string[]>): Verdict {
  const { file, find, replace, test, title } = mutation;
  const path = join(copy, file);
  const source = readFileSync(path, 'utf8');
  if (source.split(find).length !== 2) return 'not found once';
  const titles = passing.get(test) ?? runTests(copy, test).passed;
  passing.set(test, titles);
  if (!titles.some((passed) => passed.includes(title))) return 'does not pass unchanged';
  writeFileSync(
    path,
    source.replace(find, () => replace),
  );
  try {
    const without = runTests(copy, test, title);
    return without.status === 0 ? 'survived' : 'missed';
  } finally {
    writeFileSync(path, source);
  }
}

interface TestRun {
  /** 0 where all passed; null for a run that had no end. */
  readonly status: number | null;
  readonly passed: readonly string[];
}

/** Runs a test file, or what of it has `title` in its titles. One that hangs fails. */
function runTests(copy: string, test: string, title?: string): TestRun {
  const vitest = join(copy, 'node_modules', 'vitest', 'vitest.mjs');
  const chosen = title === undefined ? [] : ['-t', title.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')];
  const args = [vitest, 'run', test, ...chosen, '--reporter=json'];
  const { status, stdout } = spawnSync(process.execPath, args, {
    cwd: copy,
    encoding: 'utf8',
    timeout: TEST_MS_MAX,
    maxBuffer: 64 * 1024 * 1024,
  });
  return { status, passed: passedTitles(stdout) };
}

function passedTitles(stdout: string): string[] {
  const start = stdout.indexOf('{');
  if (start < 0) return [];
  const report = JSON.parse(stdout.slice(start)) as VitestReport;
  return report.testResults.flatMap(({ assertionResults }) =>
    assertionResults.filter(({ status }) => status === 'passed').map(({ title }) => title),
  );
}

/** What we read of vitest's JSON report. */
interface VitestReport {
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly title: string; readonly status: string }[];
  }[];
}

function copyOfTree(): string {
  const copy = mkdtempSync(join(tmpdir(), 'xor-mutate-'));
  for (const name of readdirSync(root)) {
    if (name === 'node_modules') symlinkSync(join(root, name), join(copy, name), 'dir');
    else if (!NOT_COPIED.has(name)) cpSync(join(root, name), join(copy, name), { recursive: true });
  }
  return copy;
}

const NOT_COPIED = new Set(['.git', 'dist', 'coverage']);
const TEST_MS_MAX = 120_000;

process.exitCode = main(process.argv.slice(2));
