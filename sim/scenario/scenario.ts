import type { AttackName } from './attack-names.ts';

/**
 * What a run is about: everything but the seed. Times carry their unit, shares are in [0, 1]. A
 * scenario file is this as JSON, every field but `name` optional; `scenario-reader.ts` checks it
 * and fills in the defaults of `default-scenario.ts`.
 */
export interface Scenario {
  readonly name: string;
  /** One sentence for `--help` and the report. */
  readonly description: string;
  /** Peers at the beginning, the bootstrap nodes included; they join one after another. */
  readonly peers: number;
  /** Clients (RFC 6940 §3.2.1) beside the peers. */
  readonly clients: number;
  /** Nodes whose addresses stand in the configuration; they never go away. */
  readonly bootstrapNodes: number;
  /** Virtual time under observation, after all have joined and the overlay has settled. */
  readonly hours: number;
  /** Between the last join and the beginning of the observation. */
  readonly settleMinutes: number;
  /** After the observation faults and churn stop, and the ring must be whole within this. */
  readonly convergeMinutes: number;
  readonly network: NetworkPlan;
  readonly disk: DiskPlan;
  readonly clock: ClockPlan;
  readonly churn: ChurnPlan;
  readonly faults: readonly FaultPlan[];
  readonly workload: WorkloadPlan;
  readonly attack: AttackPlan | undefined;
  readonly overlay: OverlayPlan;
  readonly checks: CheckPlan;
}

export interface NetworkPlan {
  readonly latency:
    | { readonly model: 'constant'; readonly oneWayMs: number }
    | { readonly model: 'uniform'; readonly lowMs: number; readonly highMs: number }
    | { readonly model: 'planetlab' };
  readonly jitterShare: number;
  readonly lossShare: number;
  readonly duplicateShare: number;
  readonly reorderShare: number;
  /** 0: no limit. */
  readonly bandwidthBitsPerSecond: number;
  readonly transport: 'stream' | 'datagram';
  /** Of the clients: behind a NAT that refuses inbound connections. */
  readonly natShare: number;
}

export interface DiskPlan {
  readonly writeLowMs: number;
  readonly writeHighMs: number;
  /** Nodes whose writes take 100 times as long. */
  readonly slowShare: number;
  /** Nodes whose disk is full. */
  readonly fullShare: number;
}

export interface ClockPlan {
  readonly skewMs: number;
  readonly driftPpm: number;
}

/** How nodes come and go while they are observed. */
export interface ChurnPlan {
  /**
   * `poisson`: arrivals and departures at the rate that keeps the number and gives the median
   * session; the others draw each session from the distribution. `trace`: as a file says.
   */
  readonly model: 'none' | 'poisson' | 'exponential' | 'weibull' | 'pareto' | 'trace';
  readonly medianSessionMinutes: number;
  /** Shape of Weibull or Pareto. */
  readonly shape: number;
  /** Until the node that went is back, median of an exponential; 0: another node comes at once. */
  readonly medianAbsenceMinutes: number;
  /** Of the ends of sessions: with good-bye; the rest are crashes. */
  readonly gracefulShare: number;
  /** Of the crashes: only the process; the rest are hosts, silent until a timeout. */
  readonly processCrashShare: number;
  /** Of the returns: with the disk as it was; the rest come as new nodes with new certificates. */
  readonly restartWithStateShare: number;
  /** `trace`: who comes and goes when. */
  readonly trace: readonly ChurnTraceEntry[];
}

export interface ChurnTraceEntry {
  readonly atSeconds: number;
  readonly node: number;
  readonly event: 'join' | 'leave' | 'processCrash' | 'hostCrash' | 'restart';
}

/** Something that happens once; `atMinutes` counts from the beginning of the observation. */
export type FaultPlan =
  /** So many of the peers end at the same moment. */
  | { readonly type: 'vanish'; readonly atMinutes: number; readonly share: number }
  /** The network falls into two parts and is whole again later. */
  | {
      readonly type: 'partition';
      readonly atMinutes: number;
      readonly minutes: number;
      readonly share: number;
    }
  /** So many new peers join within the time. */
  | {
      readonly type: 'flashCrowd';
      readonly atMinutes: number;
      readonly minutes: number;
      readonly peers: number;
    }
  /** The network gets worse for a while. */
  | {
      readonly type: 'badNetwork';
      readonly atMinutes: number;
      readonly minutes: number;
      readonly lossShare: number;
      readonly duplicateShare: number;
      readonly reorderShare: number;
    }
  /** Disks of so many nodes are full for a while. */
  | {
      readonly type: 'fullDisks';
      readonly atMinutes: number;
      readonly minutes: number;
      readonly share: number;
    }
  /** A new signed configuration is given to one peer and spreads. */
  | { readonly type: 'configurationRollOver'; readonly atMinutes: number }
  /** A new configuration trusts a second root; then so many peers with its certificates join. */
  | { readonly type: 'rootAdded'; readonly atMinutes: number; readonly peers: number }
  /** A new configuration trusts the second root no more. */
  | { readonly type: 'rootRemoved'; readonly atMinutes: number }
  /** A new configuration has a private Kind whose values may be so large. */
  | { readonly type: 'kindChanged'; readonly atMinutes: number; readonly maxSizeBytes: number }
  /** So many peers are made bad-nodes by a new configuration. */
  | { readonly type: 'revocation'; readonly atMinutes: number; readonly share: number }
  /** So many peers are named by a revocation list, which the others fetch within the time. */
  | {
      readonly type: 'revocationList';
      readonly atMinutes: number;
      readonly minutes: number;
      readonly share: number;
    };

/** What applications ask for, all nodes together. */
export interface WorkloadPlan {
  readonly lookupsPerMinute: number;
  /** How the mix of lookups is made up; weights, not shares. */
  readonly byNodeId: number;
  readonly byUserName: number;
  readonly locate: number;
  /** Which nodes are looked up: all alike, or a few often (exponent of Zipf's law). */
  readonly targets: 'uniform' | 'zipf';
  readonly zipfExponent: number;
  /** Location records stored anew by their owners. */
  readonly locationStoresPerMinute: number;
  /** Certificates that their owners renew and store again. */
  readonly renewalsPerMinute: number;
}

export interface AttackPlan {
  /** A name of `sim/attackers/`. */
  readonly name: AttackName;
  /** Of the peers. */
  readonly share: number;
  readonly defences: DefencePlan;
}

/** Defences that the RFC leaves open: options of the Peer. 1 and 0: off. */
export interface DefencePlan {
  readonly lookupReplicas: number;
  readonly lookupPaths: number;
}

/** Times of the overlay configuration; the defaults are those of RFC 6940 §11.1. */
export interface OverlayPlan {
  readonly chordUpdateIntervalSeconds: number;
  readonly chordPingIntervalSeconds: number;
  readonly chordReactive: boolean;
}

export interface CheckPlan {
  /** How often what is not checked at every step is. */
  readonly everySeconds: number;
  /** Zave's invariants at each change, else on the schedule alone: for very large runs. */
  readonly everyStep: boolean;
}
