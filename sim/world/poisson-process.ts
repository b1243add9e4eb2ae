import type { SimRandom } from './sim-random.ts';
import type { World } from './world.ts';

/** Something that happens at random moments, independent of each other, at a constant mean rate. */
export class PoissonProcess {
  private readonly world: World;
  private readonly random: SimRandom;
  private readonly meanMs: number;
  private readonly happen: () => void;
  private isRunning = false;

  /** `perMinute` 0: never. */
  constructor(world: World, random: SimRandom, perMinute: number, happen: () => void) {
    this.world = world;
    this.random = random;
    this.meanMs = 60_000 / perMinute;
    this.happen = happen;
  }

  start(): void {
    if (this.isRunning || !Number.isFinite(this.meanMs)) return;
    this.isRunning = true;
    this.planNext();
  }

  /** For good. */
  stop(): void {
    this.isRunning = false;
  }

  private planNext(): void {
    this.world.schedule(exponentialMs(this.random, this.meanMs), () => {
      if (!this.isRunning) return;
      this.happen();
      this.planNext();
    });
  }
}

/**
 * -mean · ln U. A multiple of 2^-6 ms, so that no run depends on the last bit of a logarithm, which
 * may differ between versions of Node.
 */
export function exponentialMs(random: SimRandom, meanMs: number): number {
  return Math.round(-meanMs * Math.log(1 - random.share()) * 64) / 64;
}
