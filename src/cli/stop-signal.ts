/**
 * Becomes aborted at the first SIGINT or SIGTERM; a second one ends the process at once. After
 * `release()` the process has its usual handling again.
 */
export class StopSignal {
  readonly signal: AbortSignal;
  private readonly controller = new AbortController();
  private readonly handler: (name: NodeJS.Signals) => void;

  constructor() {
    this.signal = this.controller.signal;
    this.handler = (name) => {
      if (this.signal.aborted) process.exit(INTERRUPTED);
      this.controller.abort(new Error(`stopped by ${name}`));
    };
    for (const name of SIGNALS) process.on(name, this.handler);
  }

  /** Resolves when a signal comes. */
  wait(): Promise<void> {
    return new Promise((resolve) => {
      if (this.signal.aborted) resolve();
      else this.signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  release(): void {
    for (const name of SIGNALS) process.off(name, this.handler);
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
const INTERRUPTED = 130;
