import type { Scenario } from '../scenario/scenario.ts';

/**
 * All that is known of a run when it is over: what the report draws and the JSON summary says.
 * Plain data. Times in minutes count from the beginning of the observation.
 */
export interface RunRecord {
  readonly scenario: Scenario;
  readonly seed: number;
  readonly signatures: 'real' | 'cheap';
  /** The command that gives this run again. */
  readonly command: string;
  readonly commit: string;
  readonly nodeVersion: string;
  readonly traceHash: string;
  readonly events: number;
  readonly virtualHours: number;
  readonly wallSeconds: number;
  /** The part of `wallSeconds` after the overlay was built and settled: observing. */
  readonly observedWallSeconds: number;
  /** Processor time of the run's thread in that part; undefined where the system does not tell. */
  readonly observedCpuSeconds: number | undefined;
  readonly peakMemoryBytes: number;
  /** Whether the round-trip times are the measured ones or generated with their percentiles. */
  readonly latencySource: string;
  /** Whether the ring was whole at the end; undefined where that was not asked for. */
  readonly converged: boolean | undefined;
  readonly outcome: RunOutcome;
  readonly violations: readonly ViolationRecord[];
  readonly lookups: LookupSummary;
  readonly stores: StoreSummary;
  readonly traffic: TrafficSummary;
  readonly timeline: readonly TimelineSample[];
  readonly ring: readonly RingSnapshot[];
  readonly faults: readonly FaultMark[];
  /** Lookups against the share of attackers; empty without an attack. */
  readonly attackCurve: readonly AttackPoint[];
  /** Series against N or another parameter, of `scaling` and `chord-paper`. */
  readonly series: readonly Series[];
}

/** `clean` exits with 0, `assertion` with 127, `not-converged` 128, `correctness` 129. */
export type RunOutcome = 'clean' | 'assertion' | 'not-converged' | 'correctness';

export interface ViolationRecord {
  readonly checker: string;
  readonly kind: 'assertion' | 'correctness' | 'convergence';
  readonly atMinutes: number;
  /** Number of the event: `--replay` stops there. */
  readonly event: number;
  readonly nodes: readonly string[];
  readonly detail: string;
}

export interface LookupSummary {
  readonly started: number;
  readonly succeeded: number;
  /** Why the others did not, with counts. */
  readonly failures: Readonly<Record<string, number>>;
  readonly hops: {
    readonly mean: number;
    readonly p99: number;
    readonly max: number;
    /** `histogram[h]`: lookups whose request crossed h links. */
    readonly histogram: readonly number[];
  };
  readonly latencyMs: {
    readonly p50: number;
    readonly p95: number;
    readonly p99: number;
    readonly max: number;
    readonly histogram: readonly { readonly uptoMs: number; readonly count: number }[];
  };
  readonly slowest: readonly SlowLookup[];
}

export interface SlowLookup {
  readonly atMinutes: number;
  readonly from: string;
  readonly target: string;
  readonly outcome: string;
  readonly ms: number;
  readonly hops: number;
}

export interface StoreSummary {
  readonly acknowledged: number;
  /** Lost although the promise covers them: violations. */
  readonly lost: number;
  /** Lost because all holders died within detection and hold-down. */
  readonly excused: number;
  /** What arithmetic expects of those. */
  readonly excusedExpected: number;
  readonly unauthorized: number;
}

export interface TrafficSummary {
  /** Sent by one peer on average, framing and acknowledgements included; TLS and TCP are not. */
  readonly bytesPerPeerPerSecond: number;
  readonly byMethod: readonly MethodTraffic[];
}

export interface MethodTraffic {
  /** `FetchReq`, `StoreAns`, … or `acknowledgements`. */
  readonly method: string;
  readonly messages: number;
  readonly bytes: number;
  readonly bytesPerPeerPerSecond: number;
}

/** One moment of the run, every `minutes`. */
export interface TimelineSample {
  readonly atMinutes: number;
  readonly peersUp: number;
  readonly peersJoined: number;
  /** Of the lookups that started in the interval before. */
  readonly lookups: number;
  readonly succeeded: number;
  readonly bytesPerPeerPerSecond: number;
  /** Bytes in the interval by method, as in `TrafficSummary.byMethod`. */
  readonly bytesByMethod: Readonly<Record<string, number>>;
  /** `valuesByReplicas[k]`: acknowledged values with k live copies (the last: or more). */
  readonly valuesByReplicas: readonly number[];
  readonly linksPerPeer: number;
}

/** The ring at a moment, for the slider. */
export interface RingSnapshot {
  readonly atMinutes: number;
  readonly peers: readonly RingPeer[];
}

export interface RingPeer {
  readonly name: string;
  /** Place on the ring in [0, 1): Node-ID / 2^128. */
  readonly place: number;
  /** Where its range begins: the place of what it takes for its predecessor. */
  readonly rangeFrom: number | undefined;
  readonly state: 'joined' | 'joining' | 'down';
  readonly isAttacker: boolean;
  readonly values: number;
}

export interface FaultMark {
  readonly atMinutes: number;
  readonly endMinutes: number | undefined;
  readonly label: string;
}

export interface AttackPoint {
  readonly attack: string;
  readonly share: number;
  readonly defences: string;
  readonly lookups: number;
  readonly succeeded: number;
}

/** A line of a plot or a table: measured values beside published or fitted ones. */
export interface Series {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly xScale: 'linear' | 'log';
  readonly lines: readonly {
    readonly label: string;
    readonly points: readonly { readonly x: number; readonly y: number }[];
  }[];
}
