/** Records as a simulator run ends with, made up, always the same. */
import { DEFAULT_SCENARIO } from '../../../sim/scenario/default-scenario.ts';
import type {
  MethodTraffic,
  RingPeer,
  RingSnapshot,
  RunRecord,
  TimelineSample,
} from '../../../sim/simulation/run-record.ts';

/** Of 200 peers under churn: a partition, a quarter that vanishes, an attack, two series. */
export function sampleRecord(peers = 200): RunRecord {
  const random = randomOf(7);
  const timeline = timelineOf(peers, random);
  const started = sum(timeline.map(({ lookups }) => lookups));
  const succeeded = sum(timeline.map((sample) => sample.succeeded));
  const failed = started - succeeded;
  return {
    ...quietRecord(),
    scenario: {
      ...DEFAULT_SCENARIO,
      name: 'partition-and-vanish',
      description: 'two halves for ten minutes, and later a quarter of the peers gone at once',
      peers,
      hours: 2,
      churn: { ...DEFAULT_SCENARIO.churn, model: 'exponential', medianSessionMinutes: 60 },
      faults: [
        { type: 'partition', atMinutes: 30, minutes: 10, share: 0.5 },
        { type: 'vanish', atMinutes: 80, share: 0.25 },
      ],
    },
    command: 'npm run sim -- --scenario partition-and-vanish --peers 200 --hours 2 --seed 7',
    outcome: 'correctness',
    violations: [
      {
        checker: 'no-acknowledged-store-lost',
        kind: 'correctness',
        atMinutes: 80.41,
        event: 4_182_331,
        nodes: ['peer-17', 'peer-101'],
        detail: 'the value of alice@example.org was acknowledged at 61.2 min and has no live copy',
      },
    ],
    lookups: {
      started,
      succeeded,
      failures: { timeout: failed - 9, Error_Not_Found: 7, 'wrong signer': 2 },
      hops: {
        mean: 3.42,
        p99: 7,
        max: 9,
        histogram: [31, 420, 1500, 2310, 1720, 810, 290, 92, 21, 6],
      },
      latencyMs: latencyOf(started),
      slowest: Array.from({ length: 8 }, (_, i) => ({
        atMinutes: 80 + i * 0.37,
        from: `peer-${(i * 37) % peers}`,
        target: i % 2 === 0 ? `${hex(random)}${hex(random)}` : 'juliet@capulet.example',
        outcome: i < 3 ? 'timeout' : 'succeeded',
        ms: Math.round(15_000 - i * 830),
        hops: 9 - i,
      })),
    },
    stores: { acknowledged: 1_240, lost: 1, excused: 3, excusedExpected: 2.61, unauthorized: 0 },
    traffic: { bytesPerPeerPerSecond: 287.4, byMethod: methodsOf(timeline, peers) },
    timeline,
    ring: ringOf(peers, random),
    faults: [
      { atMinutes: 30, endMinutes: 40, label: 'partition into halves' },
      { atMinutes: 80, endMinutes: undefined, label: '25 % of the peers vanish' },
    ],
    attackCurve: attackOf(),
    series: [
      {
        title: 'Mean hops against the number of peers',
        xLabel: 'N',
        yLabel: 'mean hops',
        xScale: 'log',
        lines: [
          {
            label: 'measured',
            points: SIZES.map((x) => ({ x, y: 0.47 * Math.log2(x) + wave(x) })),
          },
          { label: '0.5·log₂ N', points: SIZES.map((x) => ({ x, y: 0.5 * Math.log2(x) })) },
          { label: 'Chord paper', points: SIZES.map((x) => ({ x, y: 0.5 * Math.log2(x) + 0.85 })) },
        ],
      },
      {
        title: 'Events per second against the number of peers',
        xLabel: 'N',
        yLabel: 'events per second',
        xScale: 'log',
        lines: [{ label: 'measured', points: SIZES.map((x) => ({ x, y: 4e7 / x ** 0.9 })) }],
      },
    ],
  };
}

/** Nothing but lookups that all succeeded: no fault, attack, series or violation. */
export function quietRecord(): RunRecord {
  return {
    scenario: DEFAULT_SCENARIO,
    seed: 7,
    signatures: 'cheap',
    command: 'npm run sim -- --scenario steady --seed 7',
    commit: '0123456789abcdef0123456789abcdef01234567',
    nodeVersion: 'v20.19.0',
    traceHash: 'b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c',
    events: 9_412_877,
    virtualHours: 2.4,
    wallSeconds: 214.8,
    observedWallSeconds: 150.2,
    observedCpuSeconds: 141.7,
    peakMemoryBytes: 412_000_000,
    latencySource: 'generated with the percentiles of the PlanetLab matrix',
    converged: true,
    outcome: 'clean',
    violations: [],
    lookups: {
      started: 120,
      succeeded: 120,
      failures: {},
      hops: { mean: 2.5, p99: 5, max: 5, histogram: [2, 18, 40, 38, 17, 5] },
      latencyMs: latencyOf(120),
      slowest: [],
    },
    stores: { acknowledged: 0, lost: 0, excused: 0, excusedExpected: 0, unauthorized: 0 },
    traffic: { bytesPerPeerPerSecond: 0, byMethod: [] },
    timeline: [],
    ring: [],
    faults: [],
    attackCurve: [],
    series: [],
  };
}

/** With the name in every place that a file or another peer can fill. */
export function hostileRecord(name: string): RunRecord {
  const record = sampleRecord();
  const attack = {
    name: name as 'withhold',
    share: 0.1,
    defences: { lookupReplicas: 1, lookupPaths: 1 },
  };
  return {
    ...record,
    scenario: { ...record.scenario, name, description: name, attack },
    command: name,
    commit: name,
    latencySource: name,
    violations: record.violations.map((one) => ({
      ...one,
      nodes: [name],
      detail: name,
      checker: name,
    })),
    lookups: {
      ...record.lookups,
      failures: { [name]: 3 },
      slowest: record.lookups.slowest.map((one) => ({
        ...one,
        from: name,
        target: name,
        outcome: name,
      })),
    },
    traffic: {
      ...record.traffic,
      byMethod: record.traffic.byMethod.map((one) => ({ ...one, method: `${name}${one.method}` })),
    },
    ring: record.ring.slice(-1).map((one) => ({
      ...one,
      peers: one.peers.map((peer) => ({ ...peer, name: `${name}${peer.name}` })),
    })),
    faults: record.faults.map((one) => ({ ...one, label: name })),
    attackCurve: record.attackCurve.map((one) => ({ ...one, attack: name, defences: name })),
    series: record.series.map((one) => ({
      ...one,
      title: name,
      xLabel: name,
      yLabel: name,
      lines: one.lines.map((line) => ({ ...line, label: `${name}${line.label}` })),
    })),
  };
}

function timelineOf(peers: number, random: () => number): TimelineSample[] {
  return Array.from({ length: 120 }, (_, i) => {
    const atMinutes = i + 1;
    const isApart = atMinutes > 30 && atMinutes <= 40;
    const sinceVanish = atMinutes - 80;
    const healing = sinceVanish > 0 ? Math.exp(-sinceVanish / 3) : 0;
    const up = Math.round(peers * (1 - (sinceVanish > 0 ? 0.25 * Math.exp(-sinceVanish / 30) : 0)));
    const lookups = 55 + Math.floor(random() * 10);
    const lossShare = isApart ? 0.42 + 0.1 * random() : 0.3 * healing;
    const succeeded = lookups - Math.round(lookups * lossShare);
    const load = 1 + (isApart ? 0.6 : 0) + 2.4 * healing + 0.15 * random();
    const bytesByMethod = Object.fromEntries(
      METHODS.map(([method, rate]) => [method, Math.round(rate * load * 60 * up)]),
    );
    const few = Math.round(1_200 * 0.18 * healing);
    return {
      atMinutes,
      peersUp: up,
      peersJoined: up - Math.floor(random() * 4) - Math.round(6 * healing),
      lookups,
      succeeded,
      bytesPerPeerPerSecond: sum(METHODS.map(([, rate]) => rate)) * load,
      bytesByMethod,
      valuesByReplicas: [
        sinceVanish > 0 ? 4 : 0,
        Math.round(few / 3),
        few,
        1_236 - few - Math.round(few / 3),
      ],
      linksPerPeer: 23 + random(),
    };
  });
}

function methodsOf(timeline: readonly TimelineSample[], peers: number): MethodTraffic[] {
  return METHODS.map(([method]) => {
    const bytes = sum(timeline.map((sample) => sample.bytesByMethod[method] ?? 0));
    const messages = Math.round(bytes / 310);
    return { method, messages, bytes, bytesPerPeerPerSecond: bytes / (7_200 * peers) };
  });
}

/** While the partition lasts each half is a ring of its own. */
function ringOf(count: number, random: () => number): RingSnapshot[] {
  const places = Array.from({ length: count }, () => random()).sort((a, b) => a - b);
  const values = places.map(() => Math.floor(-6 * Math.log(1 - random())));
  return Array.from({ length: 25 }, (_, i) => {
    const atMinutes = i * 5;
    const stateAt = (k: number): RingPeer['state'] => {
      if (atMinutes > 80 && k % 4 === 1 && (k * 7) % 40 > atMinutes - 85) return 'down';
      return (k * 13 + i * 5) % 61 === 0 ? 'joining' : 'joined';
    };
    const half = (k: number) => (atMinutes > 30 && atMinutes <= 40 ? k % 2 : 0);
    const peers = places.map((place, k) => {
      const state = stateAt(k);
      let before = (k + count - 1) % count;
      while (stateAt(before) !== 'joined' || half(before) !== half(k))
        before = (before + count - 1) % count;
      return {
        name: `peer-${k}`,
        place,
        rangeFrom: state === 'joined' ? places[before] : undefined,
        state,
        isAttacker: k % 23 === 5,
        values: state === 'down' ? 0 : (values[k] ?? 0),
      };
    });
    return { atMinutes, peers };
  });
}

function attackOf(): RunRecord['attackCurve'] {
  const shares = [0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3];
  return ['drop', 'route-to-friends'].flatMap((attack, i) =>
    ['none', '3 replicas, 2 paths'].flatMap((defences, k) =>
      shares.map((share) => {
        const success = (1 - share) ** (k === 0 ? 4 + i : 1.1 + i * 0.4);
        return { attack, share, defences, lookups: 2_000, succeeded: Math.round(2_000 * success) };
      }),
    ),
  );
}

function latencyOf(total: number): RunRecord['lookups']['latencyMs'] {
  const bounds = Array.from({ length: 40 }, (_, i) => Math.round(10 * 1.2 ** (i + 1)));
  const weights = bounds.map((bound) => Math.exp(-((Math.log(bound / 320) / 0.75) ** 2)));
  const histogram = bounds.map((uptoMs, i) => ({
    uptoMs,
    count: Math.round((total * (weights[i] ?? 0)) / sum(weights)) + (i > 34 ? 1 : 0),
  }));
  return { p50: 318, p95: 1_004, p99: 1_690, max: 14_980, histogram };
}

function hex(random: () => number): string {
  return Math.floor(random() * 2 ** 32)
    .toString(16)
    .padStart(8, '0');
}

/** Marsaglia's xorshift. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

function wave(x: number): number {
  return 0.12 * Math.sin(x);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}

const SIZES = [100, 300, 1_000, 3_000, 10_000];

const METHODS: readonly (readonly [string, number])[] = [
  ['UpdateReq', 64],
  ['PingReq', 22],
  ['PingAns', 24],
  ['ConfigUpdateReq', 31],
  ['FetchReq', 18],
  ['FetchAns', 27],
  ['UpdateAns', 12],
  ['acknowledgements', 9],
  ['AttachReq', 6],
  ['AttachAns', 5],
  ['StoreAns', 4],
];
