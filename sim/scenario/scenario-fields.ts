import { ATTACK_NAMES } from './attack-names.ts';
import {
  boolean,
  choice,
  type FieldReader,
  type FieldReaders,
  list,
  number,
  oneOf,
  optional,
  record,
  share,
  text,
  wholeNumber,
  withDefault,
} from './field-reader.ts';
import type {
  AttackPlan,
  ChurnPlan,
  ChurnTraceEntry,
  DefencePlan,
  FaultPlan,
  NetworkPlan,
  Scenario,
  WorkloadPlan,
} from './scenario.ts';

/** The range of each field of a Scenario; `scenario-checks.ts` has what concerns several. */

const HOURS_MAX = 10_000;
const MINUTES_MAX = HOURS_MAX * 60;
export const PEERS_MAX = 100_000;
const LATENCY_MS_MAX = 60_000;
const KIND_BYTES_MAX = 65_536;
const FAULTS_MAX = 1_000;
const TRACE_ENTRIES_MAX = 1_000_000;

const atMinutes = number({ min: 0, max: MINUTES_MAX });
const minutes = number({ min: 0, max: MINUTES_MAX, above: true });
const perMinute = number({ min: 0, max: 1_000_000 });
const weight = number({ min: 0, max: 1_000_000 });
const latencyMs = number({ min: 0, max: LATENCY_MS_MAX });

type Latency = NetworkPlan['latency'];
type LatencyOf<Model extends Latency['model']> = Extract<Latency, { model: Model }>;

const latency: FieldReader<Latency> = oneOf<Latency>('model', {
  constant: record<LatencyOf<'constant'>>({ model: choice('constant'), oneWayMs: latencyMs }),
  uniform: record<LatencyOf<'uniform'>>({
    model: choice('uniform'),
    lowMs: latencyMs,
    highMs: latencyMs,
  }),
  planetlab: record<LatencyOf<'planetlab'>>({ model: choice('planetlab') }),
});

/** Nothing gets through a network that loses everything. */
const lossShare = number({ min: 0, max: 0.9 });

const network = record<NetworkPlan>({
  latency,
  jitterShare: share,
  lossShare,
  duplicateShare: share,
  reorderShare: share,
  bandwidthBitsPerSecond: number({ min: 0, max: 1e12 }),
  transport: choice('stream', 'datagram'),
  natShare: share,
});

const churnTraceEntry = record<ChurnTraceEntry>({
  atSeconds: number({ min: 0, max: HOURS_MAX * 3600 }),
  node: wholeNumber(0, PEERS_MAX - 1),
  event: choice('join', 'leave', 'processCrash', 'hostCrash', 'restart'),
});

const churn = record<ChurnPlan>({
  model: choice('none', 'poisson', 'exponential', 'weibull', 'pareto', 'trace'),
  medianSessionMinutes: minutes,
  shape: number({ min: 0, max: 100, above: true }),
  medianAbsenceMinutes: number({ min: 0, max: MINUTES_MAX }),
  gracefulShare: share,
  processCrashShare: share,
  restartWithStateShare: share,
  trace: list(churnTraceEntry, TRACE_ENTRIES_MAX),
});

type FaultOf<Type extends FaultPlan['type']> = Extract<FaultPlan, { type: Type }>;

const fault: FieldReader<FaultPlan> = oneOf<FaultPlan>('type', {
  vanish: record<FaultOf<'vanish'>>({ type: choice('vanish'), atMinutes, share }),
  partition: record<FaultOf<'partition'>>({
    type: choice('partition'),
    atMinutes,
    minutes,
    share,
  }),
  flashCrowd: record<FaultOf<'flashCrowd'>>({
    type: choice('flashCrowd'),
    atMinutes,
    minutes,
    peers: wholeNumber(1, PEERS_MAX),
  }),
  badNetwork: record<FaultOf<'badNetwork'>>({
    type: choice('badNetwork'),
    atMinutes,
    minutes,
    lossShare: withDefault(lossShare, 0),
    duplicateShare: withDefault(share, 0),
    reorderShare: withDefault(share, 0),
  }),
  fullDisks: record<FaultOf<'fullDisks'>>({
    type: choice('fullDisks'),
    atMinutes,
    minutes,
    share,
  }),
  configurationRollOver: record<FaultOf<'configurationRollOver'>>({
    type: choice('configurationRollOver'),
    atMinutes,
  }),
  rootAdded: record<FaultOf<'rootAdded'>>({
    type: choice('rootAdded'),
    atMinutes,
    peers: wholeNumber(1, PEERS_MAX),
  }),
  rootRemoved: record<FaultOf<'rootRemoved'>>({ type: choice('rootRemoved'), atMinutes }),
  kindChanged: record<FaultOf<'kindChanged'>>({
    type: choice('kindChanged'),
    atMinutes,
    maxSizeBytes: wholeNumber(1, KIND_BYTES_MAX),
  }),
  revocation: record<FaultOf<'revocation'>>({ type: choice('revocation'), atMinutes, share }),
  revocationList: record<FaultOf<'revocationList'>>({
    type: choice('revocationList'),
    atMinutes,
    minutes,
    share,
  }),
});

const workload = record<WorkloadPlan>({
  lookupsPerMinute: perMinute,
  byNodeId: weight,
  byUserName: weight,
  locate: weight,
  targets: choice('uniform', 'zipf'),
  zipfExponent: number({ min: 0, max: 10, above: true }),
  locationStoresPerMinute: perMinute,
  renewalsPerMinute: perMinute,
});

const defences = record<DefencePlan>({
  lookupReplicas: wholeNumber(0, 3),
  lookupPaths: wholeNumber(0, 8),
});

const attack: FieldReader<AttackPlan | undefined> = optional(
  record<AttackPlan>({
    name: choice(...ATTACK_NAMES),
    share,
    defences: withDefault(defences, { lookupReplicas: 1, lookupPaths: 1 }),
  }),
);

const SCENARIO_FIELDS: FieldReaders<Scenario> = {
  name: text(60),
  description: text(300),
  peers: wholeNumber(1, PEERS_MAX),
  clients: wholeNumber(0, PEERS_MAX),
  bootstrapNodes: wholeNumber(1, 1_000),
  hours: number({ min: 0, max: HOURS_MAX, above: true }),
  settleMinutes: number({ min: 0, max: MINUTES_MAX }),
  convergeMinutes: number({ min: 0, max: MINUTES_MAX }),
  network,
  disk: record({
    writeLowMs: latencyMs,
    writeHighMs: latencyMs,
    slowShare: share,
    fullShare: share,
  }),
  clock: record({
    skewMs: number({ min: 0, max: 86_400_000 }),
    driftPpm: number({ min: 0, max: 10_000 }),
  }),
  churn,
  faults: list(fault, FAULTS_MAX),
  workload,
  attack,
  overlay: record({
    chordUpdateIntervalSeconds: wholeNumber(1, 86_400),
    chordPingIntervalSeconds: wholeNumber(1, 86_400),
    chordReactive: boolean,
  }),
  checks: record({
    everySeconds: number({ min: 0, max: 86_400, above: true }),
    everyStep: boolean,
  }),
};

/** Reads a Scenario, each field by itself. */
export const scenarioRecord: FieldReader<Scenario> = record<Scenario>(SCENARIO_FIELDS);
