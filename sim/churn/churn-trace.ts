import type { ChurnTraceEntry } from '../scenario/scenario.ts';
import type { SimOverlay } from '../simulation/sim-overlay.ts';
import type { SimNode } from '../world/sim-node.ts';
import type { Newcomers } from './newcomers.ts';

/**
 * Nodes come and go as a list says. Its numbers are its own: those below the number of peers and
 * clients that are up at the start, bootstrap nodes not counted, are these, in the order in which
 * they were made; others are unknown until they join. An entry that cannot be (a node that is up
 * joins, or one that never was leaves) does nothing and is counted.
 */
export class ChurnTrace {
  /** Entries that could not be. */
  impossible = 0;
  private readonly overlay: SimOverlay;
  private readonly entries: readonly ChurnTraceEntry[];
  private readonly newcomers: Newcomers;
  private readonly byNumber = new Map<number, SimNode>();
  private isRunning = false;

  constructor(overlay: SimOverlay, entries: readonly ChurnTraceEntry[], newcomers: Newcomers) {
    this.overlay = overlay;
    this.entries = entries;
    this.newcomers = newcomers;
  }

  start(): void {
    const { world, bootstrapNodes } = this.overlay;
    this.isRunning = true;
    const present = world.nodes.filter((node) => node.isUp && !bootstrapNodes.includes(node));
    for (const [number, node] of present.entries()) this.byNumber.set(number, node);
    for (const entry of this.entries) {
      world.schedule(entry.atSeconds * 1000, () => {
        if (this.isRunning && !this.carryOut(entry)) this.impossible++;
      });
    }
  }

  stop(): void {
    this.isRunning = false;
  }

  /** `join`: with a new identity; `restart`: with the disk of the session before. */
  private carryOut({ node: number, event }: ChurnTraceEntry): boolean {
    const node = this.byNumber.get(number);
    const isUp = node?.isUp === true;
    if (event === 'join') {
      if (isUp) return false;
      this.byNumber.set(number, this.newcomers.start('peer'));
      return true;
    }
    if (node === undefined || isUp === (event === 'restart')) return false;
    if (event === 'restart') this.overlay.start(node);
    else this.overlay.stop(node, STOP_OF[event]);
    return true;
  }
}

const STOP_OF = { leave: 'leave', processCrash: 'process', hostCrash: 'host' } as const;
