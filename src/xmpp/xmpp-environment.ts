import type { Command, CommandOutcome } from '../reload/command.ts';
import { DeadlineTable } from '../reload/deadline-table.ts';
import type { RandomSource } from '../reload/peer-options.ts';
import type { Now } from '../storage/now.ts';
import type { PersistRecord } from '../storage/persist-record.ts';
import type { XmppEvent } from './xmpp-event.ts';
import type { XmppCommandId, XmppTicket } from './xmpp-input.ts';
import type { XmppOutput } from './xmpp-output.ts';

/** Something to do at a time; its owner is whoever set it. */
export interface XmppDeadline {
  readonly type: string;
  readonly run: () => void;
}

/**
 * What all components of the XMPP usage share: the time of the present input, the outputs so far,
 * deadlines, writes and commands under way. Nothing here decides anything.
 */
export class XmppEnvironment {
  readonly random: RandomSource;
  /** Set at the beginning of every `handle`. */
  now: Now = { monotonicMs: 0, unixMs: 0 };
  private readonly deadlines = new DeadlineTable<XmppDeadline>();
  private outputs: XmppOutput[] = [];
  private records: PersistRecord[] = [];
  /** Who waits for the records of this turn. */
  private waiting: PendingWrite[] = [];
  private readonly writes = new Map<XmppTicket, readonly PendingWrite[]>();
  private readonly commands = new Map<XmppCommandId, (outcome: CommandOutcome) => void>();
  private lastTicket: XmppTicket = 0;
  private lastCommand: XmppCommandId = 0;

  constructor(random: RandomSource) {
    this.random = random;
  }

  /** Whole ms since 1970-01-01 UTC, for records and stamps. */
  get unixMs(): number {
    return Math.floor(this.now.unixMs);
  }

  output(output: XmppOutput): void {
    this.outputs.push(output);
  }

  event(event: XmppEvent): void {
    this.outputs.push({ type: 'event', event });
  }

  /** All outputs since it was last asked; what is to be written is one batch, the last of them. */
  takeOutputs(): XmppOutput[] {
    this.writeRecords();
    const taken = this.outputs;
    this.outputs = [];
    return taken;
  }

  /** Runs `run` once in `afterMs`; the same key again moves it. */
  setDeadline(key: string, afterMs: number, run: () => void): void {
    this.deadlines.set(key, { type: key, run }, this.now.monotonicMs + afterMs);
  }

  cancelDeadline(key: string): void {
    this.deadlines.cancel(key);
  }

  /** The earliest deadline, in monotonic ms. */
  nextDeadline(): number | undefined {
    return this.deadlines.next();
  }

  /** Runs what is due, earliest first. */
  runDueDeadlines(): void {
    for (;;) {
      const due = this.deadlines.takeDue(this.now.monotonicMs);
      if (due === undefined) return;
      due.run();
    }
  }

  /**
   * Writes the records, with all others of this turn, in one atomic batch (group commit); `then`
   * when they are durable, `failed` when none of the batch is.
   */
  persist(
    records: readonly PersistRecord[],
    then: () => void,
    failed: (reason: string) => void,
  ): void {
    for (const record of records) this.records.push(record);
    this.waiting.push({ then, failed });
  }

  persisted(ticket: XmppTicket): void {
    for (const write of this.takeWrites(ticket)) write.then();
  }

  persistFailed(ticket: XmppTicket, reason: string): void {
    for (const write of this.takeWrites(ticket)) write.failed(reason);
  }

  /** Asks the Peer; `then` gets its outcome once. */
  command(what: Command, then: (outcome: CommandOutcome) => void): void {
    this.lastCommand += 1;
    this.commands.set(this.lastCommand, then);
    this.output({ type: 'command', command: this.lastCommand, what });
  }

  commandCompleted(command: XmppCommandId, outcome: CommandOutcome): void {
    const then = this.commands.get(command);
    this.commands.delete(command);
    then?.(outcome);
  }

  private writeRecords(): void {
    if (this.waiting.length === 0) return;
    this.lastTicket += 1;
    this.writes.set(this.lastTicket, this.waiting);
    this.outputs.push({ type: 'persist', ticket: this.lastTicket, records: this.records });
    this.waiting = [];
    this.records = [];
  }

  private takeWrites(ticket: XmppTicket): readonly PendingWrite[] {
    const writes = this.writes.get(ticket) ?? [];
    this.writes.delete(ticket);
    return writes;
  }
}

interface PendingWrite {
  readonly then: () => void;
  readonly failed: (reason: string) => void;
}
