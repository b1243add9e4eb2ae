import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { PYTHON, type SlixmppOptions } from './slixmpp-process.ts';

/** A line that `slixmpp-console.py` printed. */
export type SlixmppLine = Readonly<Record<string, string>>;

export type ConsoleOptions = Omit<SlixmppOptions, 'text' | 'to' | 'reply'>;

/** A slixmpp client that a test leads through a dialogue. */
export class SlixmppConsole {
  /** All that it told, in order. */
  readonly lines: SlixmppLine[] = [];
  private readonly client: ChildProcess;
  private unfinished = '';
  private errors = '';
  private hasEnded = false;
  private wake: () => void = () => undefined;

  constructor(options: ConsoleOptions) {
    const script = fileURLToPath(new URL('./slixmpp-console.py', import.meta.url));
    this.client = spawn(PYTHON, [script, JSON.stringify(options)]);
    this.client.stdout?.on('data', (data) => this.read(String(data)));
    this.client.stderr?.on('data', (data) => {
      this.errors += String(data);
    });
    this.client.on('close', () => {
      this.hasEnded = true;
      this.wake();
    });
  }

  send(xml: string): void {
    this.client.stdin?.write(`${JSON.stringify({ do: 'send', xml })}\n`);
  }

  /** Waits for a line with these fields, which may have come already. */
  async hears(fields: Readonly<Record<string, string | RegExp>>): Promise<SlixmppLine> {
    const deadline = AbortSignal.timeout(WAIT_MS_MAX);
    deadline.addEventListener('abort', () => this.wake());
    for (;;) {
      const found = this.lines.find((line) => fits(line, fields));
      if (found !== undefined) return found;
      if (this.hasEnded || deadline.aborted) {
        const wanted = Object.entries(fields).join(' ');
        const told = [wanted, ...this.lines.map((line) => JSON.stringify(line)), this.errors];
        throw new Error(`slixmpp did not hear ${told.join('\n')}`);
      }
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }

  /** How many lines with these fields have come. */
  count(fields: Readonly<Record<string, string | RegExp>>): number {
    return this.lines.filter((line) => fits(line, fields)).length;
  }

  /** Ends the stream and the process. */
  async close(): Promise<void> {
    if (this.hasEnded) return;
    const closed = once(this.client, 'close');
    this.client.stdin?.end(`${JSON.stringify({ do: 'disconnect' })}\n`);
    await closed;
  }

  private read(data: string): void {
    const parts = (this.unfinished + data).split('\n');
    this.unfinished = parts.pop() ?? '';
    for (const part of parts) this.lines.push(JSON.parse(part) as SlixmppLine);
    this.wake();
  }
}

function fits(line: SlixmppLine, fields: Readonly<Record<string, string | RegExp>>): boolean {
  return Object.entries(fields).every(([name, wanted]) => {
    const value = line[name];
    if (typeof wanted === 'string') return value === wanted;
    return value !== undefined && wanted.test(value);
  });
}

const WAIT_MS_MAX = 30_000;
