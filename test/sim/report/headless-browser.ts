/** Chromium without a window, driven by its DevTools protocol over a pipe. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/** The first of the names that is installed. */
export function installedBrowser(): string | undefined {
  return NAMES.find((name) => spawnSync(name, ['--version']).status === 0);
}

export interface Viewport {
  readonly width: number;
  readonly height: number;
  readonly scheme: 'light' | 'dark';
  readonly media?: 'screen' | 'print';
  /** Without script the page must be whole as well. */
  readonly isScriptless?: boolean;
}

interface Reply {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

export class HeadlessBrowser {
  /** Messages of the console, refusals of the security policy and exceptions. */
  readonly complaints: string[] = [];
  readonly #process: ChildProcess;
  readonly #folder = mkdtempSync(join(tmpdir(), 'report-browser-'));
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  readonly #events = new Map<string, () => void>();
  #received = '';
  #lastId = 0;
  #session: string | undefined;

  private constructor(command: string, extraOptions: readonly string[]) {
    const options = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'];
    const args = [...options, ...extraOptions, '--hide-scrollbars', '--remote-debugging-pipe'];
    this.#process = spawn(command, [...args, `--user-data-dir=${this.#folder}`, 'about:blank'], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    });
    const pipe = this.#process.stdio[4] as Readable;
    pipe.setEncoding('utf8').on('data', (text: string) => this.#receive(text));
  }

  static async open(
    command: string,
    extraOptions: readonly string[] = [],
  ): Promise<HeadlessBrowser> {
    const browser = new HeadlessBrowser(command, extraOptions);
    const { targetId } = await browser.#send('Target.createTarget', { url: 'about:blank' });
    const attached = await browser.#send('Target.attachToTarget', { targetId, flatten: true });
    browser.#session = String(attached.sessionId);
    for (const domain of ['Page', 'Runtime', 'Log']) await browser.#send(`${domain}.enable`, {});
    return browser;
  }

  async load(url: string, viewport: Viewport): Promise<void> {
    const { width, height, scheme, media = 'screen', isScriptless = false } = viewport;
    const size = { width, height, deviceScaleFactor: 1, mobile: width < 500 };
    await this.#send('Emulation.setDeviceMetricsOverride', size);
    const features = [{ name: 'prefers-color-scheme', value: scheme }];
    await this.#send('Emulation.setEmulatedMedia', { media, features });
    await this.#send('Emulation.setScriptExecutionDisabled', { value: isScriptless });
    const loaded = new Promise<void>((done) => this.#events.set('Page.loadEventFired', done));
    await this.#send('Page.navigate', { url });
    await loaded;
  }

  /** The value of an expression, or of its promise, as JSON can carry it. */
  async evaluate<T>(expression: string): Promise<T> {
    const asked = { expression, returnByValue: true, awaitPromise: true };
    const reply = await this.#send('Runtime.evaluate', asked);
    if (reply.exceptionDetails !== undefined) throw new Error(JSON.stringify(reply));
    return (reply.result as { value: T }).value;
  }

  /** A PNG of a part of the page. */
  async picture(top: number, height: number, width: number): Promise<Buffer> {
    const clip = { x: 0, y: top, width, height, scale: 1 };
    const wanted = { clip, captureBeyondViewport: true };
    const { data } = await this.#send('Page.captureScreenshot', wanted);
    return Buffer.from(String(data), 'base64');
  }

  async close(): Promise<void> {
    const closed = new Promise((done) => this.#process.once('exit', done));
    await this.#send('Browser.close', {});
    await closed;
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #send(method: string, params: object): Promise<Record<string, unknown>> {
    this.#lastId += 1;
    const id = this.#lastId;
    const session = this.#session === undefined ? {} : { sessionId: this.#session };
    const isForBrowser = /^(Browser|Target)\./.test(method);
    const message = { id, method, params, ...(isForBrowser ? {} : session) };
    (this.#process.stdio[3] as Writable).write(`${JSON.stringify(message)}\0`);
    return new Promise((done, failed) => {
      this.#waiting.set(id, ({ result, error }) => {
        if (error === undefined) done(result ?? {});
        else failed(new Error(`${method}: ${error.message}`));
      });
    });
  }

  #receive(text: string): void {
    const pieces = (this.#received + text).split('\0');
    this.#received = pieces.pop() ?? '';
    for (const piece of pieces) {
      const reply = JSON.parse(piece) as Reply;
      if (reply.id !== undefined) this.#waiting.get(reply.id)?.(reply);
      else if (reply.method !== undefined) this.#note(reply.method, reply.params ?? {});
    }
  }

  #note(method: string, params: Record<string, unknown>): void {
    const isComplaint =
      ['Runtime.exceptionThrown', 'Log.entryAdded'].includes(method) ||
      (method === 'Runtime.consoleAPICalled' && ['error', 'warning'].includes(String(params.type)));
    if (isComplaint) this.complaints.push(JSON.stringify(params));
    this.#events.get(method)?.();
  }
}
