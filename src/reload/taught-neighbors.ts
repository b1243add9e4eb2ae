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

  /** An Attach to a future neighbour has ended: the next one that its teacher named may follow. */
  handleAttachEnded(nodeId: NodeId, isReached: boolean): void {
    for (const [id, teacher] of this.teachers) {
      if (!teacher.asked.delete(nodeId)) continue;
      if (isReached) teacher.unreachable = Math.max(0, teacher.unreachable - 1);
      else {
        teacher.unreachable++;
        teacher.doubtedUntilMs = this.env.now.monotonicMs + TEACHER_DOUBT_MS;
      }
      this.attachWaiting(id, teacher);
    }
  }

  /** Whether several peers that `nodeId` named lately could not be reached. */
  isDoubted(nodeId: NodeId): boolean {
    const teacher = this.teachers.get(nodeId);
    if (teacher === undefined) return false;
    if (this.env.now.monotonicMs >= teacher.doubtedUntilMs) teacher.unreachable = 0;
    return teacher.unreachable >= this.env.limits.taughtAttachesMax;
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
