import type { Command, CommandOutcome } from '../../src/reload/command.ts';
import { MessageCode } from '../../src/wire/message-contents.ts';
import { type ProbedMessage, probeFrames } from '../world/message-probe.ts';
import type { SimNode } from '../world/sim-node.ts';
import type { World } from '../world/world.ts';
import type { StopManner, WorldObserver } from '../world/world-observer.ts';

/** One lookup, from the command to its end. */
export interface LookupEntry {
  readonly startedMs: number;
  readonly from: SimNode;
  /** What was looked up, for the table of slow ones. */
  readonly target: string;
  /** undefined while it is under way. */
  endedMs: number | undefined;
  /**
   * `ok`, or why not: the code of the failure, `wrong` or `late`. `asker-stopped` and
   * `target-left` are no lookups.
   */
  outcome: string;
  /** Links that its request crossed on the longest way. */
  hops: number;
}

/**
 * Carries out lookups and keeps what became of each. A lookup succeeds when the right, verified
 * answer arrives within the RFC's 15 s for a request (RFC 6940 §6.2.1: five transmissions, 3 s
 * apart). One whose asker stops before is no lookup: nobody is left to miss the answer.
 */
export class LookupLog implements WorldObserver {
  readonly entries: LookupEntry[] = [];
  private readonly world: World;
  /** Requests on their way: the entry by transaction. */
  private readonly byTransaction = new Map<string, Traced>();
  private readonly openByNode = new Map<SimNode, Set<LookupEntry>>();
  /** While the asker handles the command: its requests belong to this one. */
  private asking: LookupEntry | undefined;

  constructor(world: World) {
    this.world = world;
    world.observers.push(this);
  }

  /** `isRight` looks at the outcome: is it the answer that was to be found? */
  run(
    from: SimNode,
    command: Command,
    target: string,
    isRight: (outcome: CommandOutcome) => boolean,
  ): LookupEntry {
    const entry: LookupEntry = {
      startedMs: this.world.nowMs,
      from,
      target,
      endedMs: undefined,
      outcome: 'under way',
      hops: 0,
    };
    this.entries.push(entry);
    const open = this.openByNode.get(from) ?? new Set();
    open.add(entry);
    this.openByNode.set(from, open);
    this.asking = entry;
    this.world.command(from, command, (outcome) => this.end(entry, outcome, isRight));
    this.asking = undefined;
    return entry;
  }

  /** What becomes of it says nothing any more: it ends now, as no lookup. */
  disregard(entry: LookupEntry, reason: 'target-left'): void {
    if (entry.endedMs === undefined) this.finish(entry, reason);
  }

  sent(from: SimNode, bytes: Uint8Array): void {
    if (this.asking === undefined && this.byTransaction.size === 0) return;
    probeFrames(bytes, (message) => this.trace(from, message));
  }

  stopped(node: SimNode, _how: StopManner): void {
    for (const entry of this.openByNode.get(node) ?? []) {
      if (entry.endedMs === undefined) this.finish(entry, 'asker-stopped');
    }
    this.openByNode.delete(node);
  }

  private trace(from: SimNode, message: ProbedMessage): void {
    if (message.code !== MessageCode.fetchReq) return;
    const key = `${message.transactionHigh}/${message.transactionLow}`;
    let traced = this.byTransaction.get(key);
    if (traced === undefined) {
      if (this.asking === undefined || from !== this.asking.from) return;
      traced = { entry: this.asking, firstTtl: message.ttl };
      this.byTransaction.set(key, traced);
      this.world.schedule(TRACE_MS, () => this.byTransaction.delete(key));
    }
    const hops = traced.firstTtl - message.ttl + 1;
    if (traced.entry.endedMs === undefined) {
      traced.entry.hops = Math.max(traced.entry.hops, hops);
    }
  }

  private end(
    entry: LookupEntry,
    outcome: CommandOutcome,
    isRight: (outcome: CommandOutcome) => boolean,
  ): void {
    this.openByNode.get(entry.from)?.delete(entry);
    if (entry.endedMs !== undefined) return;
    const tookMs = this.world.nowMs - entry.startedMs;
    if (!outcome.ok) this.finish(entry, outcome.failure.code);
    else if (!isRight(outcome)) this.finish(entry, 'wrong');
    else this.finish(entry, tookMs > LOOKUP_MS_MAX ? 'late' : 'ok');
  }

  private finish(entry: LookupEntry, outcome: string): void {
    entry.endedMs = this.world.nowMs;
    entry.outcome = outcome;
  }
}

interface Traced {
  readonly entry: LookupEntry;
  readonly firstTtl: number;
}

/** RFC 6940 §6.2.1. */
export const LOOKUP_MS_MAX = 15_000;
/** Longer than any copy of a request travels. */
const TRACE_MS = 20_000;
