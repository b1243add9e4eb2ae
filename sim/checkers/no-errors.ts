import type { Input } from '../../src/reload/input.ts';
import type { SimNode } from '../world/sim-node.ts';
import type { World } from '../world/world.ts';
import { type Checker, type ReportViolation, violationOf } from './checker.ts';

/** `Peer.handle` never throws, whatever comes from outside. */
export class NoErrors implements Checker {
  readonly name = 'no unhandled error';
  private readonly world: World;
  private readonly report: ReportViolation;

  constructor(world: World, report: ReportViolation) {
    this.world = world;
    this.report = report;
  }

  failed(node: SimNode, input: Input, error: unknown): void {
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const detail = `${node.name} threw at the input "${input.type}": ${what}`;
    this.report(violationOf(this.world, this, 'assertion', [node], detail));
  }
}
