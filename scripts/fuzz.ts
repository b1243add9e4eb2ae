/**
 * `npm run fuzz -- --minutes N [--target der|path|crl|csr|config|all] [--seed S] [--inputs N]`:
 * mutated inputs to whatever reads bytes of strangers. An exception, a wrong verdict or an input
 * that takes a second of the processor is a finding: it is kept as a file, with the command that
 * repeats it, and the exit status is 1. `npm run fuzz -- --replay FILE` repeats it.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { generatedCorpus } from '../test/fuzz/fuzz-corpus.ts';
import {
  FUZZ_TARGETS,
  type FuzzInput,
  type FuzzTarget,
  type FuzzTargetName,
  fuzzTarget,
} from '../test/fuzz/fuzz-target.ts';
import { withVectors } from '../test/fuzz/vector-corpus.ts';

interface Finding {
  readonly target: FuzzTargetName;
  readonly seed: number;
  readonly number: number;
  readonly error: string;
  /** Base64. */
  readonly input: readonly string[];
}

interface FuzzOptions {
  readonly targets: readonly FuzzTargetName[];
  readonly seed: number;
  readonly untilMs: number;
  readonly inputsMax: number;
}

function main(args: readonly string[]): number {
  let values: ReturnType<typeof readArguments>;
  try {
    values = readArguments(args);
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    console.error(USAGE);
    return 2;
  }
  if (values.help === true) {
    console.log(USAGE);
    return 0;
  }
  if (values.replay !== undefined) return replay(values.replay);
  const targets = FUZZ_TARGETS.filter((name) => ['all', name].includes(values.target));
  const seed = Number(values.seed);
  const [minutes, inputsMax] = [Number(values.minutes), Number(values.inputs)];
  if (targets.length === 0 || !Number.isSafeInteger(seed) || !(minutes > 0) || !(inputsMax > 0)) {
    console.error(USAGE);
    return 2;
  }
  const untilMs = performance.now() + minutes * 60_000;
  return fuzz({ targets, seed, untilMs, inputsMax });
}

function readArguments(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string', default: '1' },
      inputs: { type: 'string', default: 'Infinity' },
      target: { type: 'string', default: 'all' },
      seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
      replay: { type: 'string' },
      help: { type: 'boolean' },
    },
  }).values;
}

function fuzz({ targets, seed, untilMs, inputsMax }: FuzzOptions): number {
  const corpus = withVectors(generatedCorpus());
  const parts = targets.map((name) => ({
    target: fuzzTarget(name, corpus, seed),
    count: 0,
    spentMs: 0,
  }));
  const findings: Finding[] = [];
  let total = 0;
  let toldMs = performance.now();
  while (performance.now() < untilMs && total < inputsMax && findings.length < FINDINGS_MAX) {
    for (const part of parts) {
      const startMs = performance.now();
      // A slice of time each, so that the quicker ones get the more inputs.
      while (performance.now() - startMs < SLICE_MS && total < inputsMax) {
        total++;
        const finding = tried(part.target, seed, part.count++);
        if (finding !== undefined) findings.push(finding);
      }
      part.spentMs += performance.now() - startMs;
    }
    if (process.stderr.isTTY && performance.now() - toldMs > TELL_MS) {
      toldMs = performance.now();
      console.error(`${total} inputs, ${findings.length} findings`);
    }
  }
  for (const { target, count, spentMs } of parts) {
    const rate = Math.round(count / (spentMs / 1000));
    console.log(`${target.name.padEnd(7)} ${count} inputs, ${rate} a second`);
  }
  console.log(`${total} inputs with seed ${seed}, ${findings.length} findings`);
  for (const finding of findings) keep(finding);
  return findings.length === 0 ? 0 : 1;
}

function tried(target: FuzzTarget, seed: number, number: number): Finding | undefined {
  const input = target.input(number);
  const error = errorOf(target, input);
  if (error === undefined) return undefined;
  return { target: target.name, seed, number, error, input: input.map(toBase64) };
}

function errorOf(target: FuzzTarget, input: FuzzInput): string | undefined {
  const startMs = performance.now();
  try {
    target.run(input);
    if (performance.now() - startMs <= SLOW_MS) return undefined;
    // Other programs may have had the processor: it counts what the input costs by itself.
    const before = process.cpuUsage();
    target.run(input);
    const { user, system } = process.cpuUsage(before);
    const tookMs = Math.round((user + system) / 1000);
    return tookMs > SLOW_MS ? `it takes ${tookMs} ms of the processor` : undefined;
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
}

function keep(finding: Finding): void {
  mkdirSync(FOLDER, { recursive: true });
  const file = join(FOLDER, `${finding.target}-${finding.seed}-${finding.number}.json`);
  writeFileSync(file, `${JSON.stringify(finding, undefined, 2)}\n`);
  console.log(`\n${finding.target}: ${finding.error}`);
  console.log(`repeat it: npm run fuzz -- --replay ${file}`);
}

function replay(file: string): number {
  const finding: Finding = JSON.parse(readFileSync(file, 'utf8'));
  const target = fuzzTarget(finding.target, withVectors(generatedCorpus()), finding.seed);
  const input = finding.input.map((text) => new Uint8Array(Buffer.from(text, 'base64')));
  const error = errorOf(target, input);
  console.log(error ?? 'nothing is wrong with it any more');
  return error === undefined ? 0 : 1;
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

const TARGETS = ['all', ...FUZZ_TARGETS].join('|');
const USAGE = `npm run fuzz -- [--minutes N] [--inputs N] [--target ${TARGETS}] [--seed S]
npm run fuzz -- --replay FILE
Numbers are above zero; the seed is a whole number. A finding is kept in fuzz-findings/.`;

const FOLDER = 'fuzz-findings';
const SLICE_MS = 50;
const FINDINGS_MAX = 20;
const SLOW_MS = 1000;
const TELL_MS = 5000;

process.exitCode = main(process.argv.slice(2));
