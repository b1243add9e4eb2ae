import type { RandomSource } from '../../src/reload/peer-options.ts';

/** Random bytes that are the same in every run (xorshift32). */
export function seededRandom(seed: number): RandomSource {
  let state = seed >>> 0 || 1;
  return {
    bytes(length) {
      const bytes = new Uint8Array(length);
      for (let i = 0; i < length; i++) {
        state ^= state << 13;
        state >>>= 0;
        state ^= state >>> 17;
        state ^= state << 5;
        state >>>= 0;
        bytes[i] = state >>> 24;
      }
      return bytes;
    },
  };
}
