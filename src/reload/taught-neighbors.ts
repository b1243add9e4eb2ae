import { nodeDestination } from '../wire/destination.ts';
import { isInvalidNodeId, isWildcard, type NodeId } from '../wire/node-id.ts';
import { type AttachManager, routedThrough } from './attach-manager.ts';
import type { ChordTables } from './chord-tables.ts';
import type { LinkManager } from './link-manager.ts';
import type { PeerEnvironment } from './peer-environment.ts';
import { isNearerClockwise } from './ring.ts';
import { TEACHER_DOUBT_MS } from './timing.ts';

/**
 * Attaches to peers that others name in their Updates — RFC 6940 §10.7.3: "N MUST attempt to Attach
 * to the new peers". What they say is hearsay: few Attaches at once rest on the word of one peer,
 * and fewer still for a while after several that it named turned out not to be reachable.
 */
export class TaughtNeighbors {
  private readonly env: PeerEnvironment;
  private readonly links: LinkManager;
  private readonly attaches: AttachManager;
  private readonly tables: ChordTables;
  /** In the order in which they last named somebody new. */
  private readonly teachers = new Map<NodeId, Teacher>();
  private readonly unlinked = new Map<NodeId, Unlinked>();

  constructor(
    env: PeerEnvironment,
    links: LinkManager,
    attaches: AttachManager,
    tables: ChordTables,
  ) {
    this.env = env;
    this.links = links;
    this.attaches = attaches;
    this.tables = tables;
  }

  /** Those of `nodeIds` that this peer is not connected to and might be. */
  newPeers(nodeIds: readonly NodeId[]): NodeId[] {
    const known = nodeIds.slice(0, this.env.limits.updateNodeIdsMax);
    return [...new Set(known.filter((id) => this.isNewPeer(id)))];
  }

  /** Attaches to the nearest of `candidates` that belong into the Neighbor Table. */
  learn(candidates: readonly NodeId[], teacher: NodeId | undefined): void {
    const wanted = this.wantedOf(candidates);
    if (teacher === undefined) {
      for (const id of wanted) this.attach(id, undefined);
    } else if (wanted.length > 0) {
      const known = this.teacherOf(teacher);
      known.waiting = wanted;
      this.attachWaiting(teacher, known);
    }
  }

  /**
   * An Attach to a future neighbour has ended: the next one that its teacher named may follow. One
   * that is `alive` signed an answer, but no link came.
   */
  handleAttachEnded(nodeId: NodeId, how: 'reached' | 'alive' | 'silent'): void {
    if (how === 'alive') this.noteUnlinked(nodeId, true);
    else this.unlinked.delete(nodeId);
    for (const [id, teacher] of this.teachers) {
      if (!teacher.asked.delete(nodeId)) continue;
      if (how === 'reached') teacher.unreachable = Math.max(0, teacher.unreachable - 1);
      else if (how === 'silent') {
        teacher.unreachable++;
        teacher.doubtedUntilMs = this.env.now.monotonicMs + TEACHER_DOUBT_MS;
      }
      this.attachWaiting(id, teacher);
    }
  }

  /**
   * Neighbours whose signature showed lately that they exist, and to which there is no link: what
   * they are responsible for is not this peer's, whoever cannot connect to whom.
   */
  unlinkedNeighbors(): readonly NodeId[] {
    if (this.unlinked.size === 0) return NOBODY;
    return [...this.unlinked]
      .filter(([id, { isProven }]) => isProven && this.links.linkTo(id) === undefined)
      .map(([id]) => id);
  }

  /** One that wanted a link and cannot be connected to is asked whether it can connect itself. */
  attachLater(nodeId: NodeId): void {
    if (!this.unlinked.has(nodeId)) this.noteUnlinked(nodeId, false);
  }

  /** Attaches again to those whose time has come, if they still belong into the Neighbor Table. */
  handleTimer(): void {
    const nowMs = this.env.now.monotonicMs;
    for (const [id, unlinked] of [...this.unlinked]) {
      if (unlinked.dueMs > nowMs) continue;
      const isWanted = this.links.linkTo(id) === undefined && this.tables.wouldBeNeighbor(id);
      const isAsked = isWanted && (this.attaches.isAttachingTo(id) || this.attach(id, undefined));
      // Before that the Attach has ended, one way or another.
      if (isAsked) unlinked.dueMs = nowMs + UNLINKED_ANSWER_MS;
      else this.unlinked.delete(id);
    }
    this.arm();
  }

  /** Whether several peers that `nodeId` named lately could not be reached. */
  isDoubted(nodeId: NodeId): boolean {
    const teacher = this.teachers.get(nodeId);
    if (teacher === undefined) return false;
    if (this.env.now.monotonicMs >= teacher.doubtedUntilMs) teacher.unreachable = 0;
    return teacher.unreachable >= this.env.limits.taughtAttachesMax;
  }

  private noteUnlinked(nodeId: NodeId, isProven: boolean): void {
    if (this.env.state !== 'joined' || !this.tables.wouldBeNeighbor(nodeId)) return;
    const attempts = (this.unlinked.get(nodeId)?.attempts ?? 0) + 1;
    const pauseMs = Math.min(UNLINKED_PAUSE_MIN_MS * 2 ** (attempts - 1), UNLINKED_PAUSE_MAX_MS);
    this.unlinked.delete(nodeId);
    const dueMs = this.env.now.monotonicMs + pauseMs;
    this.unlinked.set(nodeId, { isProven, attempts, dueMs });
    const oldest = this.unlinked.keys().next().value;
    if (this.unlinked.size > UNLINKED_MAX && oldest !== undefined) this.unlinked.delete(oldest);
    this.arm();
  }

  private arm(): void {
    const dueMs = Math.min(...Array.from(this.unlinked.values(), (one) => one.dueMs));
    if (dueMs === Number.POSITIVE_INFINITY) return;
    this.env.deadlines.set('unlinkedNeighbors', { type: 'unlinkedNeighbors' }, dueMs);
  }

  private attachWaiting(id: NodeId, teacher: Teacher): void {
    const { doubtedAttachesMax, taughtAttachesMax } = this.env.limits;
    const attachesMax = this.isDoubted(id) ? doubtedAttachesMax : taughtAttachesMax;
    for (const asked of teacher.asked) {
      if (!this.attaches.isAttachingTo(asked)) teacher.asked.delete(asked);
    }
    while (teacher.asked.size < attachesMax) {
      const next = teacher.waiting.shift();
      if (next === undefined) return;
      if (!this.isNewPeer(next) || !this.isWanted(next)) continue;
      if (this.attach(next, id)) teacher.asked.add(next);
    }
  }

  /** RFC 6940 §10.6: through the peer from which we learned of it. */
  private attach(nodeId: NodeId, teacher: NodeId | undefined): boolean {
    const path = routedThrough(nodeDestination(nodeId), teacher);
    return this.attaches.attach(path, { type: 'neighbor' });
  }

  /** Clockwise from this peer: its next successors come first, its next predecessors last. */
  private wantedOf(candidates: readonly NodeId[]): NodeId[] {
    const { nodeId } = this.env;
    const sorted = [...candidates].sort((one, other) =>
      isNearerClockwise(nodeId, one, other) ? -1 : 1,
    );
    const wanted = this.tables.neighborsWanted();
    const nearest = new Set([...sorted.slice(0, wanted), ...sorted.slice(-wanted)]);
    return [...nearest].filter((id) => this.isWanted(id));
  }

  private isWanted(id: NodeId): boolean {
    return this.tables.wouldBeNeighbor(id) && !this.attaches.isAttachingTo(id);
  }

  private isNewPeer(id: NodeId): boolean {
    return (
      id !== this.env.nodeId &&
      !isWildcard(id) &&
      !isInvalidNodeId(id) &&
      !this.env.configuration.badNodes.has(id) &&
      this.links.linkTo(id) === undefined &&
      !this.attaches.isUnreachable(id)
    );
  }

  private teacherOf(nodeId: NodeId): Teacher {
    const known = this.teachers.get(nodeId);
    const teacher = known ?? { asked: new Set(), waiting: [], unreachable: 0, doubtedUntilMs: 0 };
    this.teachers.delete(nodeId);
    this.teachers.set(nodeId, teacher);
    const oldest = this.teachers.keys().next().value;
    if (this.teachers.size > this.env.limits.teachersMax && oldest !== undefined) {
      this.teachers.delete(oldest);
    }
    return teacher;
  }
}

interface Teacher {
  /** Attaches under way to peers that it named. */
  readonly asked: Set<NodeId>;
  /** Others that it named last; their turn comes when one of those has ended. */
  waiting: NodeId[];
  /** How many more could not be reached than were. */
  unreachable: number;
  doubtedUntilMs: number;
}

/** A neighbour, or one that may become it, without a link. */
interface Unlinked {
  /** It has signed an answer to an Attach of this peer, so it can be found in the ring. */
  readonly isProven: boolean;
  readonly attempts: number;
  /** Of the next Attach, monotonic. */
  dueMs: number;
}

const NOBODY: readonly NodeId[] = [];
/** Neighbours without a link that are remembered. */
const UNLINKED_MAX = 32;
/** Pauses before the next Attach to one of them, doubled each time up to the maximum. */
const UNLINKED_PAUSE_MIN_MS = 2_000;
const UNLINKED_PAUSE_MAX_MS = 15_000;
/** Five transmissions, and the time in which the link must come. */
const UNLINKED_ANSWER_MS = 30_000;
