import type { SimNode } from '../world/sim-node.ts';
import type { DurableValue } from './durable-value.ts';

/** A holder that went, or dropped its copy. */
export interface LostCopy {
  readonly node: SimNode;
  readonly atMs: number;
  readonly how: 'died' | 'dropped';
}

/**
 * What is stored at one place (Resource-ID, Kind and index or key), and who holds it on the disk of
 * a running host. A copy counts that has the acknowledged storage time or a later one: RFC 6940
 * §7.4.1.1 lets a later value replace an earlier one.
 */
export class TrackedValue {
  readonly key: string;
  /** The storage time of each holder's copy. */
  readonly copies = new Map<SimNode, bigint>();
  /** Of the newest value seen: its storage time, since when, by whom, until when. */
  newest = -1n;
  newestSinceMs = 0;
  author = '';
  expiresMs = 0;
  lifetimeMs = 0;
  /** The storage time of the value whose Store was acknowledged last. */
  acknowledged: bigint | undefined;
  /** When the number of copies fell last, or the value came. */
  lastBlowMs = 0;
  /** A blow came although the one before it should have been repaired. */
  isNeglected = false;
  isLost = false;
  /** Since when copies are missing, and whether from the beginning. */
  missingSinceMs: number | undefined;
  isNew = true;
  readonly lastLosses: LostCopy[] = [];

  constructor(key: string) {
    this.key = key;
  }

  add(node: SimNode, storageTime: bigint, value: DurableValue, nowMs: number): void {
    this.copies.set(node, storageTime);
    if (storageTime <= this.newest) return;
    this.newest = storageTime;
    this.newestSinceMs = nowMs;
    this.missingSinceMs = nowMs;
    this.isNew = true;
    this.author = value.author;
    this.lifetimeMs = value.data.lifetime * 1000;
    this.expiresMs = nowMs + this.lifetimeMs;
  }

  acknowledge(): void {
    if (this.acknowledged === this.newest) return;
    this.acknowledged = this.newest;
    this.lastBlowMs = Math.max(this.lastBlowMs, this.newestSinceMs);
    this.isNeglected = false;
    this.isLost = false;
  }

  /** Copies of the acknowledged value, or of the newest while none is acknowledged. */
  count(): number {
    const least = this.acknowledged ?? this.newest;
    let count = 0;
    for (const time of this.copies.values()) if (time >= least) count++;
    return count;
  }

  /** Returns whether it was a copy that counted. */
  remove(lost: LostCopy): boolean {
    const time = this.copies.get(lost.node);
    if (time === undefined) return false;
    this.copies.delete(lost.node);
    if (time < (this.acknowledged ?? this.newest)) return false;
    this.lastLosses.push(lost);
    if (this.lastLosses.length > LOSSES_KEPT) this.lastLosses.shift();
    return true;
  }

  describeLosses(): string {
    return this.lastLosses
      .map(({ node, atMs, how }) => `${node.name} ${how} at ${Math.round(atMs)} ms`)
      .join(', ');
  }
}

const LOSSES_KEPT = 5;
