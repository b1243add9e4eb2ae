/**
 * Sequence numbers of configurations: 0 to 65534, counted modulo 65535 and compared as TCP compares
 * its own (RFC 6940 §6.3.2.1).
 */

/** Below 0 when `a` is older than `b`, 0 when they are equal, above 0 when `a` is newer. */
export function compareSequences(a: number, b: number): number {
  const ahead = (a - b + SEQUENCE_MODULUS) % SEQUENCE_MODULUS;
  if (ahead === 0) return 0;
  // The modulus is odd: no distance lies exactly half-way round.
  return ahead < SEQUENCE_MODULUS / 2 ? 1 : -1;
}

export function isNewerSequence(candidate: number, held: number): boolean {
  return compareSequences(candidate, held) > 0;
}

/** The number of the next configuration: 0 follows 65534. */
export function nextSequence(sequence: number): number {
  return (sequence + 1) % SEQUENCE_MODULUS;
}

export const SEQUENCE_MODULUS = 65_535;
export const SEQUENCE_MAX = 65_534;
