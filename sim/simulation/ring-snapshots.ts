import type { NodeId } from '../../src/wire/node-id.ts';
import type { SimNode } from '../world/sim-node.ts';
import type { World } from '../world/world.ts';
import type { StopManner, WorldObserver } from '../world/world-observer.ts';
import type { RingPeer, RingSnapshot } from './run-record.ts';

/**
 * The ring at intervals, for a report. All peers are in a snapshot, or their ranges would leave
 * gaps. Bounded: when there are too many snapshots, every second one is dropped and the interval
 * doubles.
 */
export class RingSnapshots implements WorldObserver {
  private readonly world: World;
  private taken: RingSnapshot[] = [];
  private stoppedSince: SimNode[] = [];
  private intervalMs: number;
  private startMs = 0;
  private isRunning = false;

  constructor(world: World, intervalMinutes: number) {
    this.world = world;
    this.intervalMs = intervalMinutes * 60_000;
    world.observers.push(this);
  }

  /** Takes the first one now. */
  start(): void {
    this.startMs = this.world.nowMs;
    this.isRunning = true;
    this.stoppedSince = [];
    this.take();
  }

  stop(): void {
    this.isRunning = false;
  }

  get snapshots(): readonly RingSnapshot[] {
    return this.taken;
  }

  stopped(node: SimNode, _how: StopManner): void {
    if (this.isRunning && node.role === 'peer') this.stoppedSince.push(node);
  }

  /** It may go on in a ring of its own kind; of the overlay it is no part. */
  revoked(node: SimNode): void {
    this.stopped(node, 'process');
  }

  private take(): void {
    if (!this.isRunning) return;
    if (this.taken.length >= this.snapshotsMax()) {
      this.taken = this.taken.filter((_, index) => index % 2 === 0);
      this.intervalMs *= 2;
    }
    this.taken.push(this.snapshot());
    this.world.schedule(this.intervalMs, () => this.take());
  }

  private snapshot(): RingSnapshot {
    const up = this.world.nodes.filter((node) => node.role === 'peer' && isThere(node));
    // Who stopped since the last snapshot is shown once more, as down.
    const gone = [...new Set(this.stoppedSince)].filter((node) => !isThere(node));
    this.stoppedSince = [];
    const peers = [...up, ...gone].map(ringPeer).sort((a, b) => a.place - b.place);
    return { atMinutes: (this.world.nowMs - this.startMs) / 60_000, peers };
  }

  /** An even number. */
  private snapshotsMax(): number {
    const peers = this.taken.at(-1)?.peers.length ?? 0;
    const affordable = Math.floor(PEERS_IN_ALL_MAX / Math.max(1, peers));
    return 2 * Math.floor(Math.min(SNAPSHOTS_MAX, Math.max(SNAPSHOTS_MIN, affordable)) / 2);
  }
}

function isThere(node: SimNode): boolean {
  return node.isUp && !node.isRevoked;
}

function ringPeer(node: SimNode): RingPeer {
  const predecessor = isThere(node) ? node.peer?.neighbors().predecessors[0] : undefined;
  const alive = node.isJoined ? 'joined' : 'joining';
  return {
    name: node.name,
    place: placeOf(node.nodeId),
    rangeFrom: predecessor === undefined ? undefined : placeOf(predecessor),
    state: isThere(node) ? alive : 'down',
    isAttacker: node.behavior !== undefined,
    values: node.peer?.loads().store.values ?? 0,
  };
}

/** In [0, 1): the first 52 bits are exact in a number and enough for any plot. */
function placeOf(nodeId: NodeId): number {
  return Number.parseInt(nodeId.slice(0, 13), 16) / 2 ** 52;
}

const SNAPSHOTS_MAX = 120;
const SNAPSHOTS_MIN = 4;
/** Of all snapshots together: some 40 MB. */
const PEERS_IN_ALL_MAX = 240_000;
