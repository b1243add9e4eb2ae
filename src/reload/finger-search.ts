import { encode } from '../wire/codec.ts';
import { nodeDestination, resourceDestination } from '../wire/destination.ts';
import { MessageCode } from '../wire/message-contents.ts';
import type { NodeId } from '../wire/node-id.ts';
import type { ResourceId } from '../wire/resource-id.ts';
import { PingReq } from '../wire/topology.ts';
import { type AttachManager, routedThrough } from './attach-manager.ts';
import type { ChordReload } from './chord-reload.ts';
import type { LinkManager } from './link-manager.ts';
import type { MessageTransport } from './message-transport.ts';
import type { PeerEnvironment } from './peer-environment.ts';
import type { RequestOutcome } from './request-owner.ts';
import { advance, isInRange, RING_BITS } from './ring.ts';

/**
 * Fills the Finger Table — RFC 6940 §10.5 and §10.7.4.2: on joining by an Attach to the start of
 * each finger, later by Pings to random places of invalid ones, or with peers seen in Updates.
 */
export class FingerSearch {
  private readonly env: PeerEnvironment;
  private readonly links: LinkManager;
  private readonly transport: MessageTransport;
  private readonly attaches: AttachManager;
  private readonly chord: ChordReload;
  /** Peers seen in Updates that fit an invalid finger, and who named them. */
  private readonly candidates = new Map<number, { nodeId: NodeId; teacher: NodeId }>();
  /** The next finger of the first filling; undefined once that is done. */
  private filling: number | undefined;
  private fillingInFlight = 0;
  private lastSearchMs = Number.NEGATIVE_INFINITY;

  constructor(
    env: PeerEnvironment,
    links: LinkManager,
    transport: MessageTransport,
    attaches: AttachManager,
    chord: ChordReload,
  ) {
    this.env = env;
    this.links = links;
    this.transport = transport;
    this.attaches = attaches;
    this.chord = chord;
  }

  /** RFC 6940 §10.5: "In order to set up its i'th Finger Table entry …". */
  handleJoined(): void {
    this.filling = 1;
    this.fillingInFlight = 0;
    this.fill();
    this.arm();
  }

  noteCandidate(nodeId: NodeId, teacher: NodeId): void {
    const index = this.fingerIndexOf(nodeId);
    if (index === undefined || this.chord.tables.finger(index) !== undefined) return;
    this.candidates.set(index, { nodeId, teacher });
  }

  /** A finger failed: its replacement is looked for soon (RFC 6940 §10.7.2, reactive). */
  handlePeerLost(): void {
    if (!this.chord.isInRing || !this.env.configuration.chordReactive) return;
    // The RFC bounds how often Pings search; a failure may bring the next search forward once.
    const soonMs = this.env.randomMs(REACTIVE_DELAY_MS / 2, REACTIVE_DELAY_MS);
    const nowMs = this.env.now.monotonicMs;
    const atMs = Math.max(nowMs + soonMs, this.lastSearchMs + REACTIVE_PAUSE_MS);
    this.env.deadlines.set('fingers', { type: 'fingers' }, atMs);
  }

  handleTimer(): void {
    if (this.chord.isInRing) this.search();
    this.arm();
  }

  handleAttachEnded(): void {
    if (this.filling === undefined) return;
    this.fillingInFlight = Math.max(0, this.fillingInFlight - 1);
    this.fill();
  }

  handlePingOutcome(index: number, outcome: RequestOutcome): void {
    if (outcome.type !== 'answer') return;
    const { nodeId } = outcome.signer;
    const fits = this.chord.tables.isInFinger(index, nodeId);
    if (!fits || this.links.linkTo(nodeId) !== undefined) return;
    if (this.attaches.isAttachingTo(nodeId)) return;
    this.attaches.attach([nodeDestination(nodeId)], { type: 'finger', index });
  }

  /** RFC 6940 §10.7.4.2: from i = 1 up, each invalid entry with a probability of one half. */
  private search(): void {
    this.lastSearchMs = this.env.now.monotonicMs;
    for (let index = 1; index <= this.chord.tables.fingersWanted(); index++) {
      if (!this.isWorthSearching(index)) continue;
      const candidate = this.candidates.get(index);
      if (candidate !== undefined) {
        this.candidates.delete(index);
        if (this.tryCandidate(index, candidate)) return;
      }
      if (this.env.randomMs(0, 1) < 0.5) {
        this.ping(index);
        return;
      }
    }
  }

  private tryCandidate(
    index: number,
    { nodeId, teacher }: { nodeId: NodeId; teacher: NodeId },
  ): boolean {
    if (this.links.linkTo(nodeId) !== undefined || this.attaches.isUnreachable(nodeId))
      return false;
    const through = this.links.linkTo(teacher) === undefined ? undefined : teacher;
    const path = routedThrough(nodeDestination(nodeId), through);
    return this.attaches.attach(path, { type: 'finger', index });
  }

  private ping(index: number): void {
    this.transport.request({
      destinationList: [resourceDestination(this.randomPlace(index))],
      code: MessageCode.pingReq,
      body: encode(PingReq, { padding: new Uint8Array(0) }),
      owner: { type: 'fingerPing', finger: index },
    });
  }

  private fill(): void {
    while (this.filling !== undefined && this.fillingInFlight < FILLING_PARALLEL) {
      const index = this.filling;
      this.filling = index < this.chord.tables.fingersWanted() ? index + 1 : undefined;
      if (!this.chord.isInRing || !this.isWorthSearching(index)) continue;
      const start = this.chord.tables.fingerStart(index);
      if (this.attaches.attach([resourceDestination(start)], { type: 'finger', index })) {
        this.fillingInFlight++;
      }
    }
  }

  /** Not where an entry is, nor where the Neighbor Table shows that there is nobody. */
  private isWorthSearching(index: number): boolean {
    const { tables } = this.chord;
    if (tables.size === 0 || tables.finger(index) !== undefined) return false;
    if (tables.size < tables.neighborsWanted()) return false;
    const farthest = tables.successors().at(-1);
    if (farthest === undefined || index === 1) return farthest !== undefined;
    // The range ends where that of the finger before it begins.
    return !isInRange(tables.fingerStart(index - 1), this.env.nodeId, farthest);
  }

  /** The finger, of those wanted, in whose range `id` lies. */
  private fingerIndexOf(id: NodeId): number | undefined {
    const { tables } = this.chord;
    for (let index = 1; index <= tables.fingersWanted(); index++) {
      if (tables.isInFinger(index, id)) return index;
    }
    return undefined;
  }

  private randomPlace(index: number): ResourceId {
    const start = this.chord.tables.fingerStart(index);
    const size = 1n << BigInt(RING_BITS - index);
    const random = (this.env.randomUint64() << 64n) | this.env.randomUint64();
    return advance(start, random % size);
  }

  private arm(): void {
    if (this.env.deadlines.has('fingers')) return;
    const intervalMs = this.env.configuration.chordPingIntervalSeconds * 1000;
    const delayMs = this.env.randomMs(0.75 * intervalMs, 1.25 * intervalMs);
    this.env.after('fingers', { type: 'fingers' }, delayMs);
  }
}

const FILLING_PARALLEL = 4;
const REACTIVE_DELAY_MS = 2_000;
const REACTIVE_PAUSE_MS = 60_000;
