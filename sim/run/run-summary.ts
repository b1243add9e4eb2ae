import type { RunOutcome, RunRecord, ViolationRecord } from '../simulation/run-record.ts';

/** One run in one line of JSON: what `--json` prints and a sweep keeps. Names and units stay. */
export interface RunSummary {
  readonly seed: number;
  readonly peers: number;
  readonly virtualHours: number;
  readonly events: number;
  readonly wallSeconds: number;
  /** Of these, without building the overlay and letting it become whole at the end. */
  readonly observedWallSeconds: number;
  /** Processor time of the run's thread for these; null where the system does not tell. */
  readonly observedCpuSeconds: number | null;
  readonly traceHash: string;
  readonly lookups: number;
  /** Share of the lookups that succeeded; 1 where there was none. */
  readonly lookupSuccess: number;
  readonly hops: { readonly mean: number; readonly p99: number; readonly max: number };
  readonly lookupMs: { readonly p50: number; readonly p95: number };
  readonly ackedStores: number;
  readonly lostStores: number;
  readonly unauthorizedWrites: number;
  readonly violations: readonly ViolationRecord[];
  readonly bytesPerPeerPerSecond: number;
  readonly peakMemoryBytes: number;
  readonly scenario: string;
  readonly signatures: 'real' | 'cheap';
  readonly outcome: RunOutcome;
  readonly converged: boolean | null;
  /** Lost because all holders died within detection and hold-down, and what arithmetic expects. */
  readonly excusedStores: number;
  readonly excusedStoresExpected: number;
  readonly eventsPerSecond: number;
  readonly latencySource: string;
  readonly commit: string;
  readonly nodeVersion: string;
  readonly command: string;
}

export function summaryOf(record: RunRecord): RunSummary {
  const { lookups, stores, traffic, wallSeconds, events } = record;
  const { hops, latencyMs } = lookups;
  return {
    seed: record.seed,
    peers: record.scenario.peers,
    virtualHours: rounded(record.virtualHours, 4),
    events,
    wallSeconds: rounded(wallSeconds, 3),
    observedWallSeconds: rounded(record.observedWallSeconds, 3),
    observedCpuSeconds:
      record.observedCpuSeconds === undefined ? null : rounded(record.observedCpuSeconds, 3),
    traceHash: record.traceHash,
    lookups: lookups.started,
    lookupSuccess: lookups.started === 0 ? 1 : rounded(lookups.succeeded / lookups.started, 6),
    hops: { mean: rounded(hops.mean, 3), p99: hops.p99, max: hops.max },
    lookupMs: { p50: rounded(latencyMs.p50, 1), p95: rounded(latencyMs.p95, 1) },
    ackedStores: stores.acknowledged,
    lostStores: stores.lost,
    unauthorizedWrites: stores.unauthorized,
    violations: record.violations,
    bytesPerPeerPerSecond: rounded(traffic.bytesPerPeerPerSecond, 1),
    peakMemoryBytes: record.peakMemoryBytes,
    scenario: record.scenario.name,
    signatures: record.signatures,
    outcome: record.outcome,
    converged: record.converged ?? null,
    excusedStores: stores.excused,
    excusedStoresExpected: rounded(stores.excusedExpected, 3),
    eventsPerSecond: Math.round(events / Math.max(wallSeconds, 0.001)),
    latencySource: record.latencySource,
    commit: record.commit,
    nodeVersion: record.nodeVersion,
    command: record.command,
  };
}

/** The exit status of a run, or of the worst of several. */
export function exitStatusOf(outcome: RunOutcome): number {
  return EXIT_STATUS[outcome];
}

/** What counts most: a correctness violation, then an assertion, then a ring that is not whole. */
export function worstOutcome(outcomes: readonly RunOutcome[]): RunOutcome {
  return SEVERITY.find((outcome) => outcomes.includes(outcome)) ?? 'clean';
}

export function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

const SEVERITY: readonly RunOutcome[] = ['correctness', 'assertion', 'not-converged'];
const EXIT_STATUS: Readonly<Record<RunOutcome, number>> = {
  clean: 0,
  assertion: 127,
  'not-converged': 128,
  correctness: 129,
};
