import type { NodeId } from '../wire/node-id.ts';
import type { PeerEnvironment } from './peer-environment.ts';
import { UPDATE_PACE_MS } from './timing.ts';

/**
 * How many Updates of one neighbour are looked at: a number at once, then one in a while. What is
 * beyond that gets no answer, so that an honest sender transmits it again (RFC 6940 §6.2.1).
 */
export class UpdateAllowance {
  private readonly env: PeerEnvironment;
  /** How much of it is used up, and since when; in the order of last use. */
  private readonly used = new Map<NodeId, { readonly count: number; readonly atMs: number }>();

  constructor(env: PeerEnvironment) {
    this.env = env;
  }

  /** Whether one more is allowed now; counts it. */
  take(from: NodeId): boolean {
    const { monotonicMs } = this.env.now;
    const { linksMax, updatesAtOnceMax } = this.env.limits;
    const last = this.used.get(from) ?? { count: 0, atMs: monotonicMs };
    const count = Math.max(0, last.count - (monotonicMs - last.atMs) / UPDATE_PACE_MS);
    if (count + 1 > updatesAtOnceMax) return false;
    this.used.delete(from);
    this.used.set(from, { count: count + 1, atMs: monotonicMs });
    const oldest = this.used.keys().next().value;
    if (this.used.size > linksMax && oldest !== undefined) this.used.delete(oldest);
    return true;
  }
}
