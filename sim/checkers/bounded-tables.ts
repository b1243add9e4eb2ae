import type { PeerLimits } from '../../src/reload/peer-limits.ts';
import { PEER_LIMITS } from '../../src/reload/peer-limits.ts';
import type { PeerLoads } from '../../src/reload/peer-loads.ts';
import { STORE_LIMITS_DEFAULT, type StoreLimits } from '../../src/storage/store-limits.ts';
import type { SimNode } from '../world/sim-node.ts';
import type { World } from '../world/world.ts';
import { type Checker, type ReportViolation, violationOf } from './checker.ts';
import { Membership } from './membership.ts';

export interface BoundedTablesOptions {
  readonly limits: PeerLimits;
  readonly storeLimits: StoreLimits;
  /** Means are taken over this time, ms of the World, and compared with each other. */
  readonly windowMs: number;
  /** A later mean is at most this much larger than the first one. */
  readonly growthFactor: number;
  /** Bytes that the process uses; only sim/run/ can ask for them. */
  readonly heapBytes: (() => number) | undefined;
}

/**
 * Tables, queues and memory are bounded (`correctness`): at each check every table of every Peer is
 * within its named limit (peer-limits.ts, store-limits.ts), and no deadline is left over: what can
 * wait has one each. And while nobody comes or goes for a window (an hour), the mean number of
 * table entries of each Peer, stored values not counted, and the memory of the process are no
 * larger than in the first such window but for `growthFactor`.
 */
export class BoundedTables implements Checker {
  readonly name = 'bounded tables';
  private readonly world: World;
  private readonly report: ReportViolation;
  private readonly options: BoundedTablesOptions;
  private readonly members: Membership;
  private readonly exceeded = new Set<string>();
  private window: Window;
  private first: Window | undefined;

  constructor(world: World, report: ReportViolation, options: Partial<BoundedTablesOptions> = {}) {
    this.world = world;
    this.report = report;
    this.options = { ...OPTIONS_DEFAULT, ...options };
    this.members = new Membership(world);
    this.window = newWindow(world.nowMs);
  }

  check(nowMs: number): void {
    this.startWindow(nowMs);
    for (const node of this.world.nodes) {
      if (node.peer === undefined) continue;
      const loads = node.peer.loads();
      this.checkLimits(node, loads);
      const { entries } = this.window;
      entries.set(node, (entries.get(node) ?? 0) + entriesOf(loads));
    }
    this.measure(nowMs);
  }

  finish(nowMs: number): void {
    this.check(nowMs);
  }

  private checkLimits(node: SimNode, loads: PeerLoads): void {
    const { limits, storeLimits } = this.options;
    for (const [table, count, max] of boundsOf(loads, limits, storeLimits)) {
      if (count <= max) continue;
      const name = `${node.name} ${table}`;
      if (this.exceeded.has(name)) continue;
      this.exceeded.add(name);
      const detail = `${node.name} has ${count} in its table "${table}", ${max} are allowed`;
      this.report(violationOf(this.world, this, 'correctness', [node], detail));
    }
  }

  /** Whenever somebody came or went, what was measured before counts no more. */
  private startWindow(nowMs: number): void {
    for (const node of this.world.nodes) this.members.sync(node);
    if (this.members.changedMs < this.window.fromMs) return;
    this.window = newWindow(nowMs);
    this.first = undefined;
  }

  private measure(nowMs: number): void {
    const { window, first } = this;
    window.samples++;
    window.bytes += this.options.heapBytes?.() ?? 0;
    if (nowMs - window.fromMs < this.options.windowMs) return;
    this.window = newWindow(nowMs);
    if (first === undefined) this.first = window;
    else this.compare(first, window);
  }

  private compare(first: Window, now: Window): void {
    for (const [node, sum] of now.entries) {
      const before = (first.entries.get(node) ?? 0) / first.samples;
      this.compareMeans('table entries', before, sum / now.samples, ENTRIES_SLACK, [node]);
    }
    const bytes = first.bytes / first.samples;
    this.compareMeans('bytes of memory', bytes, now.bytes / now.samples, 0, []);
  }

  private compareMeans(
    what: string,
    first: number,
    now: number,
    slack: number,
    nodes: readonly SimNode[],
  ): void {
    if (now <= first * this.options.growthFactor + slack) return;
    const detail =
      `${nodes[0]?.name ?? 'the process'}: ${what} grew from ${Math.round(first)} to ` +
      `${Math.round(now)} while nobody came or went (means over ` +
      `${this.options.windowMs / 60_000} minutes)`;
    this.report(violationOf(this.world, this, 'correctness', nodes, detail));
  }
}

interface Window {
  readonly fromMs: number;
  samples: number;
  /** Sums over all samples. */
  readonly entries: Map<SimNode, number>;
  bytes: number;
}

function newWindow(fromMs: number): Window {
  return { fromMs, samples: 0, entries: new Map(), bytes: 0 };
}

type Bound = readonly [table: string, count: number, max: number];

function boundsOf(loads: PeerLoads, limits: PeerLimits, stored: StoreLimits): readonly Bound[] {
  const { store } = loads;
  // Each link has up to four deadlines, what else waits has one, and a few are the Peer's own.
  const waiting = loads.transactions + loads.reassemblies + loads.attaches + 4 * loads.links;
  return [
    ['links', loads.links, limits.linksMax],
    ['transactions', loads.transactions, limits.transactionsMax],
    ['cachedAnswers', loads.cachedAnswers, limits.cachedAnswersMax],
    ['cachedAnswerBytes', loads.cachedAnswerBytes, limits.cachedAnswersBytesMax],
    ['pendingRequests', loads.pendingRequests, limits.pendingRequestsMax],
    ['undecidedMessages', loads.undecidedMessages, limits.undecidedMessagesMax],
    ['reassemblies', loads.reassemblies, limits.reassembliesMax],
    ['reassemblyBytes', loads.reassemblyBytes, limits.reassemblyBytesMax],
    ['attaches', loads.attaches, limits.attachesMax],
    // Joining and looking for a partition connect without an Attach.
    ['connecting', loads.connecting, limits.attachesMax + OWN_CONNECTS_MAX],
    ['unreachable', loads.unreachable, limits.unreachableMax],
    ['replicationsQueued', loads.replicationsQueued, limits.replicationsQueuedMax],
    ['replicationsInFlight', loads.replicationsInFlight, limits.replicationsInFlightMax],
    ['replicationsToRetry', loads.replicationsToRetry, limits.replicationsQueuedMax],
    ['replicationsMisplaced', loads.replicationsMisplaced, limits.replicationsQueuedMax],
    ['commands', loads.commands, limits.commandsMax],
    ['deadlines', loads.deadlines, waiting + OWN_DEADLINES_MAX],
    // Stale entries of the heap go when the next deadline is set.
    ['deadlineEntries', loads.deadlineEntries, 4 * deadlinesMax(limits)],
    ['resources', store.resources, stored.resourcesMax],
    ['values', store.values, stored.valuesMax],
    ['value bytes', store.bytes, stored.bytesMax],
    ['certificates', store.certificates, stored.certificatesMax],
    ['certificate bytes', store.certificateBytes, stored.certificateBytesMax],
  ];
}

function deadlinesMax(limits: PeerLimits): number {
  const { transactionsMax, reassembliesMax, attachesMax, linksMax } = limits;
  return transactionsMax + reassembliesMax + attachesMax + 4 * linksMax + OWN_DEADLINES_MAX;
}

function entriesOf(loads: PeerLoads): number {
  return (
    loads.links +
    loads.transactions +
    loads.cachedAnswers +
    loads.pendingRequests +
    loads.undecidedMessages +
    loads.reassemblies +
    loads.attaches +
    loads.connecting +
    loads.unreachable +
    loads.replicationsQueued +
    loads.replicationsInFlight +
    loads.replicationsToRetry +
    loads.replicationsMisplaced +
    loads.commands +
    loads.deadlines
  );
}

/** peer-deadline.ts: those that a Peer has once; an answered Attach has one by Node-ID. */
const OWN_DEADLINES_MAX = 17 + 128;
/** Joining connects to three at once, and three that it gave up may linger; and a partition. */
const OWN_CONNECTS_MAX = 7;
/** What a Peer happens to be doing when it is looked at. */
const ENTRIES_SLACK = 32;
const OPTIONS_DEFAULT: BoundedTablesOptions = {
  limits: PEER_LIMITS,
  storeLimits: STORE_LIMITS_DEFAULT,
  windowMs: 3_600_000,
  growthFactor: 1.5,
  heapBytes: undefined,
};
