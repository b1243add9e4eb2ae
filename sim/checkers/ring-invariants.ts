import type { Input } from '../../src/reload/input.ts';
import type { Output } from '../../src/reload/output.ts';
import { isBetween, isInRange, lowerBound } from '../../src/reload/ring.ts';
import type { NodeId } from '../../src/wire/node-id.ts';
import type { SimNode } from '../world/sim-node.ts';
import type { World } from '../world/world.ts';
import { type Checker, type ReportViolation, type ViolationKind, violationOf } from './checker.ts';
import { Membership } from './membership.ts';
import { type RingFault, ringFault } from './ring-fault.ts';
import { Suspicions } from './suspicions.ts';

/** Times in ms of the World. */
export interface RingOptions {
  /** Successors that a peer keeps at least: RFC 6940 §10.7 says three. */
  readonly redundancy: number;
  /** A failed neighbour is noticed and its place in the lists filled within this. */
  readonly repairMs: number;
  /** After more failures than that, or a partition, the ring is one again within this. */
  readonly healMs: number;
  /** Without joins and failures every neighbour is the right one after this. */
  readonly stableMs: number;
  /** All members are looked at after this many changes; undefined: an eighth of their number. */
  readonly everyChanges: number | undefined;
}

/**
 * The invariants of Pamela Zave's proof of Chord ("Reasoning about identifier spaces: how to make
 * Chord correct", arXiv 1610.01140). The best successor of a member is the first of its successor
 * list that is a member; a member that comes back to itself by best successors is on a ring, all
 * others are appendages.
 *
 * At every step, whatever happens (`correctness`):
 * - ordered successor lists: each one, and each predecessor list, is strictly in the order of the
 *   ring, so without duplicates, and does not contain its owner.
 *
 * At every step under Zave's assumption that no failure leaves a member without a live successor
 * (`correctness`): there is a ring, and one only; it passes each of its members once, in their
 * order; and from every appendage one comes to it. The assumption counts as fulfilled while fewer
 * than `redundancy` peers in a row went within `repairMs` and the network was not divided. That a
 * dead successor is still listed is no fault: the best live one counts.
 *
 * Otherwise these are suspended for `healMs` and must hold again then (`convergence`).
 *
 * Only once stable, that is `stableMs` after the last change (`convergence`): no appendages, each
 * member's first successor and predecessor are the right ones (Zave's ideal state), but for one
 * that is suspect at that moment. Chord never promises this while peers come and go.
 *
 * A check of all members costs O(N); with `everyChanges` growing with N a change costs O(1).
 */
export class RingInvariants implements Checker {
  readonly name = 'ring invariants';
  private readonly world: World;
  private readonly report: ReportViolation;
  private readonly options: RingOptions;
  private readonly members: Membership;
  private readonly suspicions: Suspicions;
  /** Members that went lately, in that order. */
  private gone: { readonly nodeId: NodeId; readonly atMs: number }[] = [];
  private excusedUntilMs = Number.NEGATIVE_INFINITY;
  private changes = 0;
  /** What was found last, and whether it began while it was excused. */
  private present: { readonly invariant: string; readonly wasExcused: boolean } | undefined;
  private isReported = false;
  private idealReportedMs = Number.NEGATIVE_INFINITY;
  /** Whose lists were reported already. */
  private readonly disordered = new Set<SimNode>();

  constructor(world: World, report: ReportViolation, options: Partial<RingOptions> = {}) {
    this.world = world;
    this.report = report;
    this.options = { ...RING_OPTIONS_DEFAULT, ...options };
    this.members = new Membership(world);
    this.suspicions = new Suspicions(world);
  }

  handled(node: SimNode, _input: Input, outputs: readonly Output[]): void {
    let changed = this.members.noteOutputs(node, outputs);
    for (const output of outputs) {
      if (output.type !== 'event' || output.event.type !== 'neighborsChanged') continue;
      changed = true;
      this.checkLists(node, output.event.successors, output.event.predecessors);
    }
    if (changed) this.afterChange();
  }

  stopped(node: SimNode): void {
    if (!this.members.sync(node)) return;
    this.noteGone(node.nodeId);
    this.afterChange();
  }

  revoked(node: SimNode): void {
    this.stopped(node);
  }

  check(): void {
    this.checkAll();
    const { healMs, stableMs } = this.options;
    if (this.isExcused() || this.members.wasDivided(healMs)) return;
    if (this.members.stableMs >= stableMs) this.checkIdeal();
  }

  finish(): void {
    this.check();
  }

  private afterChange(): void {
    this.changes++;
    const every = this.options.everyChanges ?? Math.floor(this.members.size / 8);
    if (this.changes < every) return;
    this.changes = 0;
    this.checkAll();
  }

  private checkAll(): void {
    this.checkEveryList();
    const fault = ringFault(this.members);
    if (fault === undefined) {
      this.present = undefined;
      this.isReported = false;
      return;
    }
    const isExcused = this.isExcused();
    if (this.present?.invariant !== fault.invariant) {
      this.present = { invariant: fault.invariant, wasExcused: isExcused };
      this.isReported = false;
    }
    if (isExcused || this.isReported) return;
    this.isReported = true;
    this.tell(this.present.wasExcused ? 'convergence' : 'correctness', fault);
  }

  private isExcused(): boolean {
    const { healMs } = this.options;
    return this.members.wasDivided(healMs) || this.world.nowMs < this.excusedUntilMs;
  }

  /** Zave's assumption: how many in a row are missing between the next two members? */
  private noteGone(nodeId: NodeId): void {
    const { nowMs } = this.world;
    const { redundancy, repairMs, healMs } = this.options;
    this.gone = this.gone.filter(({ atMs }) => nowMs - atMs <= repairMs);
    this.gone.push({ nodeId, atMs: nowMs });
    const { ring } = this.members;
    if (ring.length === 0) return;
    const at = lowerBound(ring, nodeId);
    const after = this.members.at(at - 1).nodeId;
    const upTo = this.members.at(at).nodeId;
    const inRow = this.gone.filter((one) => isInRange(one.nodeId, after, upTo));
    const missing = new Set(inRow.map((one) => one.nodeId));
    if (missing.size >= redundancy) this.excusedUntilMs = nowMs + healMs;
  }

  private checkEveryList(): void {
    for (const id of this.members.ring) {
      const node = this.members.member(id) as SimNode;
      const { successors = [], predecessors = [] } = node.peer?.neighbors() ?? {};
      this.checkLists(node, successors, predecessors);
    }
  }

  private checkLists(
    node: SimNode,
    successors: readonly NodeId[],
    predecessors: readonly NodeId[],
  ): void {
    const self = node.nodeId;
    const isOrdered =
      successors.every((id, at) => isBetween(id, successors[at - 1] ?? self, self)) &&
      predecessors.every((id, at) => isBetween(id, self, predecessors[at - 1] ?? self));
    if (isOrdered || this.disordered.has(node)) return;
    this.disordered.add(node);
    const lists = `successors ${successors.join()}, predecessors ${predecessors.join()}`;
    this.tell('correctness', {
      invariant: 'ordered successor lists',
      nodes: [node],
      detail: `expected the order of the ring from ${self} on, got ${lists}`,
    });
  }

  private checkIdeal(): void {
    const { members } = this;
    // One report for each time that the overlay came to rest.
    if (members.size < 2 || this.idealReportedMs >= members.changedMs) return;
    let isIdeal = true;
    for (let at = 0; at < members.size; at++) {
      const node = members.at(at);
      const { successors = [], predecessors = [] } = node.peer?.neighbors() ?? {};
      const [next, before] = [members.at(at + 1), members.at(at - 1)];
      const missing = [];
      if (successors[0] !== next.nodeId) missing.push(next.nodeId);
      if (predecessors[0] !== before.nodeId) missing.push(before.nodeId);
      if (missing.length === 0) continue;
      isIdeal = false;
      if (missing.every((nodeId) => this.suspicions.excuses(node, nodeId))) continue;
      this.idealReportedMs = this.world.nowMs;
      const detail =
        `expected ${before.nodeId} before and ${next.nodeId} after ${node.nodeId}, got ` +
        `${predecessors[0]} and ${successors[0]}, ${this.members.stableMs / 1000} s after the ` +
        'last change';
      this.tell('convergence', { invariant: 'ideal ring', nodes: [node, before, next], detail });
      return;
    }
    if (isIdeal) this.suspicions.settle();
  }

  private tell(kind: ViolationKind, { invariant, nodes, detail }: RingFault): void {
    this.report(violationOf(this.world, this, kind, nodes, `${invariant}: ${detail}`));
  }
}

/**
 * `repairMs`: a silent neighbour is probed after 15 s, suspected after 3 s more (RFC 6940 §6.6.5),
 * and finding another takes an Attach; `healMs`: each peer looks for a partition every five minutes
 * (§10.7.4.4), and one Ping may be lost.
 */
const RING_OPTIONS_DEFAULT: RingOptions = {
  redundancy: 3,
  repairMs: 60_000,
  healMs: 600_000,
  stableMs: 120_000,
  everyChanges: undefined,
};
