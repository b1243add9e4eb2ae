import type { VerifiedConfiguration } from '../../src/overlay-config/verified-configuration.ts';
import type { Input } from '../../src/reload/input.ts';
import type { Output } from '../../src/reload/output.ts';
import type { SimOverlay } from '../simulation/sim-overlay.ts';
import type { SimNode } from '../world/sim-node.ts';
import type { WorldObserver } from '../world/world-observer.ts';

/** How far a new configuration has come. */
export interface SpreadSample {
  /** Since it was given to the first peer. */
  readonly atSeconds: number;
  /** Nodes that are up and have it or a newer one. */
  readonly have: number;
  /** Nodes that are up, those that count. */
  readonly of: number;
}

/** One new configuration on its way through the overlay. */
export interface Spread {
  readonly sequence: number;
  readonly startedMs: number;
  readonly samples: SpreadSample[];
  /** Since the beginning; undefined while somebody lacks it. */
  completeAfterSeconds: number | undefined;
}

/**
 * Gives new configurations to one peer each, and watches how ConfigUpdates carry them to the others
 * (RFC 6940 §6.5.4). Nodes that start get the newest from the configuration server, as
 * `SimOverlay` has it.
 */
export class ConfigurationSpread implements WorldObserver {
  readonly spreads: Spread[] = [];
  private readonly overlay: SimOverlay;
  private readonly isExcluded: (node: SimNode) => boolean;
  private readonly sequences = new Map<SimNode, number>();

  /** `isExcluded`: nodes that need not get it, because nobody talks to them any more. */
  constructor(overlay: SimOverlay, isExcluded: (node: SimNode) => boolean) {
    this.overlay = overlay;
    this.isExcluded = isExcluded;
    for (const node of overlay.world.nodes) if (node.isUp) this.started(node);
    overlay.world.observers.push(this);
  }

  /**
   * The peer's host has fetched and verified it, and keeps it for the restart. `complete` is called
   * when all have it.
   */
  give(node: SimNode, configuration: VerifiedConfiguration, complete?: () => void): Spread {
    const { world } = this.overlay;
    const spread: Spread = {
      sequence: configuration.sequence,
      startedMs: world.nowMs,
      samples: [],
      completeAfterSeconds: undefined,
    };
    this.spreads.push(spread);
    node.configuration = configuration;
    this.sequences.set(node, configuration.sequence);
    world.handle(node, { type: 'configuration', configuration });
    this.look(spread, complete);
    return spread;
  }

  started(node: SimNode): void {
    const { sequence } = node.configuration ?? this.overlay.configuration;
    this.sequences.set(node, sequence);
  }

  stopped(node: SimNode): void {
    this.sequences.delete(node);
  }

  handled(node: SimNode, _input: Input, outputs: readonly Output[]): void {
    for (const output of outputs) {
      if (output.type !== 'configurationAdopted') continue;
      this.sequences.set(node, output.configuration.sequence);
    }
  }

  /** Until all have it. */
  private look(spread: Spread, complete: (() => void) | undefined): void {
    const { world } = this.overlay;
    let have = 0;
    let of = 0;
    for (const [node, sequence] of this.sequences) {
      if (this.isExcluded(node)) continue;
      of++;
      if (sequence >= spread.sequence) have++;
    }
    const atSeconds = (world.nowMs - spread.startedMs) / 1000;
    spread.samples.push({ atSeconds, have, of });
    if (have === of) {
      spread.completeAfterSeconds = atSeconds;
      complete?.();
    } else if (spread.samples.length < SAMPLES_MAX) {
      world.schedule(LOOK_MS, () => this.look(spread, complete));
    }
  }
}

const LOOK_MS = 10_000;
/** A day. */
const SAMPLES_MAX = 8_640;
