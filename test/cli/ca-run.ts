import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** What a `xor ca` command is given beside its arguments. */
export interface Given {
  readonly env?: Readonly<Record<string, string>>;
  /** What it reads from stdin; nothing otherwise. */
  readonly input?: string;
  /** What file descriptor 3 reads. */
  readonly third?: string;
}

export interface CaResult {
  readonly exitStatus: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts `xor ca …`. */
export function startCa(args: readonly string[], { env = {}, third }: Given = {}): ChildProcess {
  const child = spawn(process.execPath, ['--import', 'tsx', PROGRAM, ...args], {
    stdio: ['pipe', 'pipe', 'pipe', third === undefined ? 'ignore' : 'pipe'],
    env: { ...process.env, ...env },
  });
  const [, , , pipe] = child.stdio;
  if (third !== undefined && pipe && 'end' in pipe) pipe.end(third);
  return child;
}

/** Runs `xor ca …` to its end. */
export async function runCa(args: readonly string[], given: Given = {}): Promise<CaResult> {
  const child = startCa(args, given);
  const output = { stdout: '', stderr: '' };
  child.stdout?.on('data', (chunk) => {
    output.stdout += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    output.stderr += chunk;
  });
  child.stdin?.end(given.input ?? '');
  const [exitStatus] = (await once(child, 'close')) as [number | null];
  return { exitStatus, ...output };
}

const PROGRAM = fileURLToPath(new URL('./ca-program.ts', import.meta.url));
