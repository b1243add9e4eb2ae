import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** How a command that ends has ended. */
export interface XorResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface XorOptions {
  /** What it reads from stdin; nothing otherwise. */
  readonly input?: string;
  /** Where `$XDG_STATE_HOME` is: the tests never touch the user's own state. */
  readonly stateHome?: string;
}

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Runs `xor` to its end. Needs the build: `npm run build`. */
export async function runXor(
  args: readonly string[],
  options: XorOptions = {},
): Promise<XorResult> {
  const child = start(args, options);
  const [stdout, stderr] = await Promise.all([textOf(child.stdout), textOf(child.stderr)]);
  return { status: await exitOf(child), stdout, stderr };
}

/** An `xor` that stays up until it is told to end. */
export class XorProcess {
  readonly stdoutLines: string[] = [];
  /** The last lines only: a peer under attack says a lot. */
  readonly stderrLines: string[] = [];
  readonly pid: number;
  private readonly child: ChildProcess;
  private readonly ended: Promise<number | null>;

  constructor(args: readonly string[], options: XorOptions = {}) {
    this.child = start(args, options);
    this.pid = this.child.pid ?? 0;
    this.ended = exitOf(this.child);
    collect(this.child.stdout, this.stdoutLines);
    collect(this.child.stderr, this.stderrLines);
  }

  /** The first JSON document on stdout; rejects when the process ends before. */
  async firstJson(withinMs: number): Promise<Record<string, unknown>> {
    const deadlineMs = performance.now() + withinMs;
    while (performance.now() < deadlineMs) {
      const line = this.stdoutLines.find((text) => text.startsWith('{'));
      if (line !== undefined) return JSON.parse(line) as Record<string, unknown>;
      if (this.child.exitCode !== null) break;
      await pause(20);
    }
    throw new Error(`no JSON came; stderr: ${this.stderrLines.slice(-5).join('\n')}`);
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Sends a signal and waits for the end. Returns the exit status; null after SIGKILL. */
  end(signal: NodeJS.Signals): Promise<number | null> {
    this.child.kill(signal);
    return this.ended;
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function start(args: readonly string[], options: XorOptions): ChildProcess {
  const { stateHome = '/nonexistent' } = options;
  const child = spawn(process.execPath, [XOR, ...args], {
    env: { PATH: process.env.PATH, HOME: stateHome, XDG_STATE_HOME: stateHome },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  running.add(child);
  child.on('exit', () => running.delete(child));
  child.stdin?.on('error', () => child.stdin?.destroy());
  child.stdin?.end(options.input ?? '');
  return child;
}

function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.on('close', (status) => resolve(status)));
}

async function textOf(stream: NodeJS.ReadableStream | null): Promise<string> {
  let text = '';
  for await (const chunk of stream ?? []) text += String(chunk);
  return text;
}

function collect(stream: NodeJS.ReadableStream | null, lines: string[]): void {
  if (stream === null) return;
  createInterface({ input: stream }).on('line', (line) => {
    lines.push(line);
    if (lines.length > LINES_MAX) lines.shift();
  });
}

const XOR = fileURLToPath(new URL('../../bin/xor', import.meta.url));
const LINES_MAX = 1_000;
