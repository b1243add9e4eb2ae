import type { RandomSource } from '../../src/reload/peer-options.ts';

/**
 * Random numbers that are the same in every run of a seed (sfc32). Each purpose and each node has a
 * stream of its own, named by a label: what one of them draws changes nothing for the others.
 */
export class SimRandom implements RandomSource {
  private a: number;
  private b: number;
  private c: number;
  private counter = 1;
  private readonly seed: number;
  private readonly label: string;

  /** `seed`: a whole number in [0, 2^53). */
  constructor(seed: number, label: string) {
    this.seed = seed;
    this.label = label;
    this.a = seed >>> 0;
    this.b = Math.floor(seed / 2 ** 32) >>> 0;
    this.c = hashOf(label);
    for (let round = 0; round < 16; round++) this.uint32();
  }

  /** An independent stream for a part of this one's purpose. */
  stream(label: string): SimRandom {
    return new SimRandom(this.seed, `${this.label}/${label}`);
  }

  uint32(): number {
    const sum = (this.a + this.b + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (((this.c << 21) | (this.c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** In [0, 1), with 32 random bits. */
  share(): number {
    return this.uint32() / 2 ** 32;
  }

  /** A whole number in [0, count). */
  index(count: number): number {
    return Math.floor(this.share() * count);
  }

  /** In [low, high). */
  between(low: number, high: number): number {
    return low + this.share() * (high - low);
  }

  chance(share: number): boolean {
    return share > 0 && this.share() < share;
  }

  /** One element; undefined of an empty list. */
  pick<T>(list: readonly T[]): T | undefined {
    return list[this.index(list.length)];
  }

  /** A new list in random order (Fisher and Yates). */
  shuffled<T>(list: readonly T[]): T[] {
    const result = [...list];
    for (let last = result.length - 1; last > 0; last--) {
      const other = this.index(last + 1);
      const kept = result[last] as T;
      result[last] = result[other] as T;
      result[other] = kept;
    }
    return result;
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at += 4) {
      const word = this.uint32();
      for (let i = at; i < Math.min(at + 4, length); i++) bytes[i] = word >>> (8 * (i - at));
    }
    return bytes;
  }
}

/** FNV-1a over UTF-16 units. */
function hashOf(label: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < label.length; at++) {
    hash = Math.imul(hash ^ label.charCodeAt(at), 0x01000193);
  }
  return hash >>> 0;
}
