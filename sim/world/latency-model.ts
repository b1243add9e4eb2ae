import { SimRandom } from './sim-random.ts';

/** How long a packet takes from one host to another, without jitter and queues. */
export interface LatencyModel {
  /** One way, in ms; hosts are counted from 0. The same in every run of a seed. */
  oneWayMs(from: number, to: number): number;
}

export function constantLatency(oneWayMs: number): LatencyModel {
  return { oneWayMs: () => oneWayMs };
}

/** Each pair of hosts has its own latency, drawn evenly once. */
export function uniformLatency(seed: number, lowMs: number, highMs: number): LatencyModel {
  const salt = new SimRandom(seed, 'latency').uint32();
  return {
    oneWayMs(from, to) {
      const low = Math.min(from, to);
      const high = Math.max(from, to);
      return lowMs + mixed(salt, low, high) * (highMs - lowMs);
    },
  };
}

/**
 * Measured round-trip times. Each host is at one of the sites of the matrix, chosen by the seed;
 * hosts at one site are as far apart as the nearest pair of sites.
 */
export function matrixLatency(seed: number, roundTripMs: RoundTripMatrix): LatencyModel {
  const { sites, values } = roundTripMs;
  const salt = new SimRandom(seed, 'latency').uint32();
  const siteOf = (host: number) => Math.floor(mixed(salt, host, 0) * sites);
  return {
    oneWayMs(from, to) {
      const a = siteOf(from);
      const b = siteOf(to);
      return (values[a * sites + b] as number) / 2;
    },
  };
}

/** A square matrix, row by row: `values[a * sites + b]` is the round-trip time in ms. */
export interface RoundTripMatrix {
  readonly sites: number;
  readonly values: Float64Array;
}

/**
 * A matrix whose values have the percentiles of those measured between PlanetLab hosts, for where
 * the measured one is not at hand. `percentiles[i]` is the value at i / (length - 1).
 */
export function generatedMatrix(
  seed: number,
  sites: number,
  percentilesMs: readonly number[],
): RoundTripMatrix {
  const random = new SimRandom(seed, 'generated round-trip times');
  const values = new Float64Array(sites * sites);
  const steps = percentilesMs.length - 1;
  for (let a = 0; a < sites; a++) {
    values[a * sites + a] = percentilesMs[0] as number;
    for (let b = 0; b < a; b++) {
      const at = random.share() * steps;
      const below = Math.floor(at);
      const low = percentilesMs[below] as number;
      const high = percentilesMs[below + 1] as number;
      const value = rounded(low + (at - below) * (high - low));
      values[a * sites + b] = value;
      values[b * sites + a] = value;
    }
  }
  return { sites, values };
}

/** Tab-separated numbers, one row a line. Returns a sentence where it is no square of numbers. */
export function parseMatrix(text: string): RoundTripMatrix | string {
  const rows = text.trim().split('\n');
  const sites = rows.length;
  const values = new Float64Array(sites * sites);
  for (let a = 0; a < sites; a++) {
    const cells = (rows[a] as string).split('\t');
    if (cells.length !== sites) return `line ${a + 1} has ${cells.length} values, not ${sites}`;
    for (let b = 0; b < sites; b++) {
      const value = Number(cells[b]);
      if (!Number.isFinite(value) || value < 0) return `line ${a + 1}: "${cells[b]}" is no time`;
      values[a * sites + b] = value;
    }
  }
  fillDiagonal(sites, values);
  return { sites, values };
}

/** A site is no further from itself than from the nearest other one, and never at no distance. */
function fillDiagonal(sites: number, values: Float64Array): void {
  for (let a = 0; a < sites; a++) {
    let nearest = Number.POSITIVE_INFINITY;
    for (let b = 0; b < sites; b++) {
      const value = values[a * sites + b] as number;
      if (b !== a && value > 0) nearest = Math.min(nearest, value);
    }
    values[a * sites + a] = Number.isFinite(nearest) ? nearest : 1;
  }
}

/** In [0, 1), the same for the same arguments (the finaliser of MurmurHash3). */
function mixed(salt: number, one: number, other: number): number {
  let hash = salt ^ Math.imul(one + 1, 0x9e3779b1) ^ Math.imul(other + 0x7f4a7c15, 0x85ebca77);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
