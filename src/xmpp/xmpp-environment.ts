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
  private readonly writes = new Map<XmppTicket, PendingWrite>();
  private readonly commands = new Map<XmppCommandId, (outcome: CommandOutcome) => void>();
  private lastTicket: XmppTicket = 0;
  private lastCommand: XmppCommandId = 0;

  constructor(random: RandomSource) {
    this.random = random;
  }

  output(output: XmppOutput): void {
    this.outputs.push(output);
  }

  event(event: XmppEvent): void {
    this.outputs.push({ type: 'event', event });
  }

  /** All outputs since it was last asked. */
  takeOutputs(): XmppOutput[] {
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

  /** Writes the records in one batch; `then` when they are durable, `failed` when they are not. */
  persist(
    records: readonly PersistRecord[],
    then: () => void,
    failed: (reason: string) => void,
  ): void {
    this.lastTicket += 1;
    this.writes.set(this.lastTicket, { then, failed });
    this.output({ type: 'persist', ticket: this.lastTicket, records });
  }

  persisted(ticket: XmppTicket): void {
    const write = this.writes.get(ticket);
    this.writes.delete(ticket);
    write?.then();
  }

  persistFailed(ticket: XmppTicket, reason: string): void {
    const write = this.writes.get(ticket);
    this.writes.delete(ticket);
    write?.failed(reason);
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
}

interface PendingWrite {
  readonly then: () => void;
  readonly failed: (reason: string) => void;
}
