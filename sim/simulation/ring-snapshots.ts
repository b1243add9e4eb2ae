import type { NodeId } from '../../src/wire/node-id.ts';
import type { SimNode } from '../world/sim-node.ts';
import type { World } from '../world/world.ts';
import type { StopManner, WorldObserver } from '../world/world-observer.ts';
import type { RingPeer, RingSnapshot } from './run-record.ts';

/**
 * The ring at intervals, for a report. Bounded: when there are too many snapshots, every second one
 * is dropped and the interval doubles; of too many peers, those with every k-th index are taken, so
 * that one snapshot shows the same peers as the next.
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

  private take(): void {
    if (!this.isRunning) return;
    if (this.taken.length === SNAPSHOTS_MAX) {
      this.taken = this.taken.filter((_, index) => index % 2 === 0);
      this.intervalMs *= 2;
    }
    this.taken.push(this.snapshot());
    this.world.schedule(this.intervalMs, () => this.take());
  }

  private snapshot(): RingSnapshot {
    const up = this.world.nodes.filter((node) => node.role === 'peer' && node.isUp);
    // Who stopped since the last snapshot is shown once more, as down.
    const gone = [...new Set(this.stoppedSince)].filter((node) => !node.isUp);
    this.stoppedSince = [];
    const step = Math.max(1, Math.ceil(up.length / PEERS_MAX));
    const shown = [...up, ...gone].filter(({ index }) => index % step === 0);
    const peers = shown.map(ringPeer).sort((a, b) => a.place - b.place);
    return { atMinutes: (this.world.nowMs - this.startMs) / 60_000, peers };
  }
}

function ringPeer(node: SimNode): RingPeer {
  const status = node.peer?.status();
  const predecessor = status?.predecessors[0];
  const alive = node.isJoined ? 'joined' : 'joining';
  return {
    name: node.name,
    place: placeOf(node.nodeId),
    rangeFrom: predecessor === undefined ? undefined : placeOf(predecessor),
    state: node.isUp ? alive : 'down',
    isAttacker: node.behavior !== undefined,
    values: status?.values ?? 0,
  };
}

/** In [0, 1): the first 52 bits are exact in a number and enough for any plot. */
function placeOf(nodeId: NodeId): number {
  return Number.parseInt(nodeId.slice(0, 13), 16) / 2 ** 52;
}

const SNAPSHOTS_MAX = 120;
const PEERS_MAX = 400;
