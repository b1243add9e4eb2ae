import type { PersistRecord } from '../../storage/persist-record.ts';
import type { XmppEnvironment } from '../xmpp-environment.ts';
import { HELD_WRITES_MAX, WRITE_PAUSES_MS } from './routing-limits.ts';

interface Write {
  readonly records: readonly PersistRecord[];
  readonly whenDurable: () => void;
}

/**
 * Writes in their order, each until it has succeeded. While the disk cannot be written, all wait
 * behind the first that failed; nothing is acknowledged meanwhile, and `refusal` says when no
 * more should be taken in.
 */
export class DurableWrites {
  private readonly environment: XmppEnvironment;
  private held: Write[] = [];
  /** How many of `held` had their outcome. */
  private failedInFront = 0;
  /** Attempts in a row that failed. */
  private failures = 0;
  /** Writes without an outcome yet. */
  private underWay = 0;

  constructor(environment: XmppEnvironment) {
    this.environment = environment;
  }

  /** Why nothing more should be taken in; undefined while it may. */
  refusal(): string | undefined {
    return this.held.length < HELD_WRITES_MAX ? undefined : 'the disk cannot be written';
  }

  /** `then` runs once, when all records are durable, and after that of every write before. */
  write(records: readonly PersistRecord[], then?: () => void): void {
    if (records.length === 0 && then === undefined) return;
    const write = { records, whenDurable: then ?? (() => undefined) };
    if (this.held.length > 0) this.held.push(write);
    else this.attempt(write);
  }

  private attempt(write: Write): void {
    this.underWay += 1;
    this.environment.persist(
      write.records,
      () => this.succeeded(write),
      (reason) => this.failed(write, reason),
    );
  }

  private succeeded(write: Write): void {
    this.underWay -= 1;
    if (this.failedInFront > 0) {
      // It is on disk, but one before it is not: only what is to be done then waits.
      this.hold({ records: [], whenDurable: write.whenDurable });
      return;
    }
    this.failures = 0;
    write.whenDurable();
  }

  private failed(write: Write, reason: string): void {
    this.underWay -= 1;
    if (this.failedInFront === 0) this.environment.event({ type: 'recordsNotWritten', reason });
    this.hold(write);
  }

  /** Outcomes come in the order of the writes, and before anything that was held back since. */
  private hold(write: Write): void {
    this.held.splice(this.failedInFront, 0, write);
    this.failedInFront += 1;
    if (this.underWay === 0) this.retryLater();
  }

  private retryLater(): void {
    const pause = WRITE_PAUSES_MS[Math.min(this.failures, WRITE_PAUSES_MS.length - 1)] ?? 0;
    this.failures += 1;
    this.environment.setDeadline('routing-writes', pause, () => this.retry());
  }

  private retry(): void {
    const { held } = this;
    this.held = [];
    this.failedInFront = 0;
    for (const write of held) this.attempt(write);
  }
}
