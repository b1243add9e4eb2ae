import type { PersistTicket } from '../../reload/input.ts';
import type { PersistRecord } from '../../storage/persist-record.ts';

/** Writes records in one atomic batch; resolves when they survive a crash of the machine. */
export type DurableWrite = (records: readonly PersistRecord[]) => Promise<void>;

export interface PersistOutcome {
  persisted(ticket: PersistTicket): void;
  persistFailed(ticket: PersistTicket, reason: string): void;
}

/**
 * Batches of records on their way to the disk. One write is under way at a time; the tickets that
 * come meanwhile go together in the next one, because the disk's flush is what costs.
 */
export class PersistQueue {
  private readonly write: DurableWrite;
  private readonly outcome: PersistOutcome;
  private tickets: PersistTicket[] = [];
  private records: PersistRecord[] = [];
  private writing: Promise<void> | undefined;

  constructor(write: DurableWrite, outcome: PersistOutcome) {
    this.write = write;
    this.outcome = outcome;
  }

  add(ticket: PersistTicket, records: readonly PersistRecord[]): void {
    this.tickets.push(ticket);
    for (const record of records) this.records.push(record);
    this.writing ??= this.drain();
  }

  /** Resolves when everything added before is written, or has failed. */
  async settled(): Promise<void> {
    await this.writing;
  }

  private async drain(): Promise<void> {
    while (this.tickets.length > 0) {
      const { tickets, records } = this;
      this.tickets = [];
      this.records = [];
      const failure = await this.attempt(records);
      for (const ticket of tickets) {
        if (failure === undefined) this.outcome.persisted(ticket);
        else this.outcome.persistFailed(ticket, failure);
      }
    }
    this.writing = undefined;
  }

  private async attempt(records: readonly PersistRecord[]): Promise<string | undefined> {
    try {
      await this.write(records);
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }
}
