import type { RandomSource } from '../../reload/peer-options.ts';

/** Randomness and deadlines of the core in which a connection to a server lives. */
export interface AccountSurroundings {
  readonly random: RandomSource;
  /** Runs `run` once in `afterMs`; the same key again moves it. */
  setDeadline(key: string, afterMs: number, run: () => void): void;
  cancelDeadline(key: string): void;
}

/** The connection under a stream to a server, as the core sees it. */
export interface ServerTransport {
  send(bytes: Uint8Array): void;
  /** Begin TLS as the client AFTER what was sent before is flushed. */
  startTls(): void;
  /** Close AFTER what was sent before is flushed, a bounded time long. */
  close(reason: string): void;
}
