import { beforeAll, describe, expect, test } from 'vitest';
import { DEFAULT_SCENARIO } from '../../../sim/scenario/default-scenario.ts';
import type { WorkloadPlan } from '../../../sim/scenario/scenario.ts';
import { RingSnapshots } from '../../../sim/simulation/ring-snapshots.ts';
import type { Simulation } from '../../../sim/simulation/simulation.ts';
import { Timeline } from '../../../sim/simulation/timeline.ts';
import { TrafficMeter } from '../../../sim/simulation/traffic-meter.ts';
import { Workload, type WorkloadOptions } from '../../../sim/workload/workload.ts';
import type { SimNode } from '../../../sim/world/sim-node.ts';
import { KindIds } from '../../../src/overlay-config/kind-definition.ts';
import { testSimulation } from '../test-simulation.ts';

const NOTHING: WorkloadPlan = { ...DEFAULT_SCENARIO.workload, lookupsPerMinute: 0 };

/** A workload on an overlay that has settled. */
function settled(plan: Partial<WorkloadPlan>, options?: WorkloadOptions, seed = 7) {
  const simulation = testSimulation({ peers: 10, clients: 2 }, { seed });
  const { overlay, lookups } = simulation;
  const workload = new Workload(overlay, { ...NOTHING, ...plan }, lookups, options);
  settle(simulation);
  return { simulation, overlay, lookups, workload, world: overlay.world };
}

function settle(simulation: Simulation): void {
  while (simulation.phase !== 'observing') simulation.advance(1_000);
}

describe('lookups of all three sorts', () => {
  const simulation = testSimulation({ peers: 10, clients: 2 });
  const { overlay, lookups } = simulation;
  const { world } = overlay;
  const plan = { ...NOTHING, lookupsPerMinute: 120, byNodeId: 1, byUserName: 1, locate: 1 };
  const workload = new Workload(overlay, plan, lookups);
  const traffic = new TrafficMeter(world);
  const timeline = new Timeline(world, { intervalMinutes: 0.5, lookups, traffic });
  const ring = new RingSnapshots(world, 0.5);

  beforeAll(() => {
    settle(simulation);
    for (const part of [traffic, timeline, ring, workload]) part.start();
    world.runUntil(world.nowMs + 120_000);
    workload.stop();
    world.runUntil(world.nowMs + 20_000);
    for (const part of [traffic, timeline, ring]) part.stop();
  });

  test('come at the rate asked for, and find what is there', () => {
    expect(lookups.entries.length).toBeGreaterThan(180);
    expect(lookups.entries.length).toBeLessThan(300);
    expect(lookups.entries.filter(({ outcome }) => outcome !== 'ok')).toEqual([]);
    expect(workload.counters.lookupsSkipped).toBe(0);
  });

  test('are by Node-ID, by user name and for locations, and clients ask as well', () => {
    const starts = (start: string) =>
      lookups.entries.filter(({ target }) => target.startsWith(start));
    for (const start of ['Node-ID', 'user', 'location']) {
      expect(starts(start).length).toBeGreaterThan(50);
    }
    expect(new Set(lookups.entries.map(({ from }) => from.index)).size).toBe(12);
  });

  test('cross links, and their messages are counted by method', () => {
    expect(Math.max(...lookups.entries.map(({ hops }) => hops))).toBeGreaterThan(0);
    const { byMethod, bytesPerPeerPerSecond } = traffic.summary();
    const fetches = byMethod.find(({ method }) => method === 'FetchReq');
    expect(fetches?.messages).toBeGreaterThan(100);
    expect(byMethod.map(({ method }) => method)).toContain('acknowledgements');
    expect(byMethod.map(({ method }) => method)).not.toContain('unknown');
    const sum = byMethod.reduce((bytes, method) => bytes + method.bytes, 0);
    expect(bytesPerPeerPerSecond).toBeCloseTo(sum / 140 / 10, 6);
  });

  test('are in the timeline, every one once', () => {
    const samples = timeline.samples();
    expect(samples.map(({ atMinutes }) => atMinutes)).toEqual([0.5, 1, 1.5, 2]);
    const counted = samples.reduce((sum, sample) => sum + sample.lookups, 0);
    expect(counted).toBe(lookups.entries.length);
    expect(samples[0]).toMatchObject({ peersUp: 10, peersJoined: 10 });
    expect(samples[0]?.bytesByMethod.FetchAns).toBeGreaterThan(0);
    expect(samples[0]?.linksPerPeer).toBeGreaterThan(3);
  });

  test('go on while the ring is drawn', () => {
    const [first] = ring.snapshots;
    expect(ring.snapshots).toHaveLength(5);
    expect(first?.peers).toHaveLength(10);
    const places = first?.peers.map(({ place }) => place) ?? [];
    expect(places).toEqual([...places].sort((a, b) => a - b));
    // Whole: each range begins where the peer before is.
    expect(first?.peers.map(({ rangeFrom }) => rangeFrom)).toEqual([
      places.at(-1),
      ...places.slice(0, -1),
    ]);
  });
});

test('who has gone is still looked up by Node-ID, for its certificate lives on', () => {
  const { workload, overlay, world, lookups } = settled({ byNodeId: 1 });
  const gone = world.nodes.slice(6);
  overlay.stop(gone[0] as never, 'process', true);
  world.runUntil(world.nowMs + 120_000);
  for (let count = 0; count < 60; count++) workload.lookUp();
  world.runUntil(world.nowMs + 20_000);
  const ofGone = lookups.entries.filter(({ target }) => target.endsWith(gone[0]?.nodeId ?? '-'));
  expect(ofGone.length).toBeGreaterThan(0);
  expect(ofGone.every(({ outcome }) => outcome === 'ok')).toBe(true);
});

test('a location whose owner leaves meanwhile is no failed lookup', () => {
  const { workload, overlay, world, lookups } = settled({ byNodeId: 0, locate: 1 });
  for (let count = 0; count < 40; count++) workload.lookUp();
  const leaver = world.nodes.find(({ userName }) =>
    lookups.entries.some(({ target }) => target.endsWith(userName)),
  );
  overlay.stop(leaver as never, 'leave');
  world.runUntil(world.nowMs + 20_000);
  const outcomes = new Set(lookups.entries.map(({ outcome }) => outcome));
  expect(outcomes).toContain('target-left');
  for (let count = 0; count < 40; count++) workload.lookUp();
  world.runUntil(world.nowMs + 20_000);
  const since = lookups.entries.slice(40);
  expect(since.every(({ outcome }) => outcome === 'ok')).toBe(true);
  expect(since.some(({ target }) => target.endsWith(leaver?.userName ?? '-'))).toBe(false);
});

test('attackers and excluded nodes neither ask nor are asked for', () => {
  const excluded = new Set<number>([4]);
  const { workload, world, lookups } = settled(
    { byNodeId: 1, byUserName: 1, locate: 1 },
    {
      isExcluded: ({ index }) => excluded.has(index),
    },
  );
  const attacker = world.nodes[5] as (typeof world.nodes)[0];
  attacker.behavior = {};
  for (let count = 0; count < 100; count++) workload.lookUp();
  for (const index of [4, 5]) {
    const node = world.nodes[index] as typeof attacker;
    expect(lookups.entries.some(({ from }) => from === node)).toBe(false);
    const names = lookups.entries.map(({ target }) => target);
    expect(names.some((name) => name.includes(node.nodeId) || name.includes(node.userName))).toBe(
      false,
    );
  }
});

test('what is lost for good is not looked up', () => {
  const lost = new Set([3, 4]);
  const hasLiveCopy: WorkloadOptions['hasLiveCopy'] = ({ index }, _resource, kind) =>
    !(lost.has(index) && kind === KindIds.certificateByNode);
  const { workload, world, lookups } = settled({ byNodeId: 1, byUserName: 1 }, { hasLiveCopy });
  for (let count = 0; count < 100; count++) workload.lookUp();
  const targets = new Set(lookups.entries.map(({ target }) => target));
  for (const { index, nodeId, userName } of world.nodes) {
    expect(targets.has(`Node-ID ${nodeId}`)).toBe(!lost.has(index));
    expect(targets.has(userName)).toBe(true);
  }
});

test('locations are stored anew and acknowledged', () => {
  const { workload, world } = settled({ locationStoresPerMinute: 60 });
  workload.start();
  world.runUntil(world.nowMs + 60_000);
  workload.stop();
  world.runUntil(world.nowMs + 20_000);
  expect(workload.counters.locationStores).toBeGreaterThan(30);
  expect(workload.counters.locationStoresAcknowledged).toBe(workload.counters.locationStores);
});

test('a renewed certificate comes into force in a running peer and replaces the old one', () => {
  const { workload, overlay, world } = settled({ renewalsPerMinute: 6 });
  const before = world.nodes.map(({ signer }) => signer.node.validUntilUnixMs);
  const processes = world.nodes.map(({ incarnation }) => incarnation);
  workload.start();
  world.runUntil(world.nowMs + 30_000);
  workload.stop();
  world.runUntil(world.nowMs + 60_000);
  const renewed = world.nodes.filter(
    ({ signer, index }) => signer.node.validUntilUnixMs > (before[index] as number),
  );
  expect(workload.counters.renewals).toBeGreaterThan(0);
  expect(renewed.length).toBeGreaterThan(0);
  expect(renewed.every((node) => node.isJoined)).toBe(true);
  expect(world.nodes.map(({ incarnation }) => incarnation)).toEqual(processes);
  for (const { peer } of renewed) {
    expect(peer?.status().formerCertificate).toEqual({ values: 0, links: 0 });
  }
  const [node] = renewed as [(typeof renewed)[0]];
  const asker = overlay.bootstrapNodes.find((other) => other !== node) as typeof node;
  let validUntil: number[] = [];
  world.command(asker, { type: 'lookupByNodeId', nodeId: node.nodeId }, (outcome) => {
    if (!outcome.ok || outcome.result.type !== 'certificates') return;
    validUntil = outcome.result.nodes.map(({ validUntilUnixMs }) => validUntilUnixMs);
  });
  world.runUntil(world.nowMs + 20_000);
  expect(validUntil).toEqual([node.signer.node.validUntilUnixMs]);
});

describe('the ring of a report', () => {
  test('shows a peer that was revoked as gone, whatever it thinks of itself', () => {
    const simulation = testSimulation({ peers: 6 });
    const { world } = simulation.overlay;
    settle(simulation);
    const ring = new RingSnapshots(world, 0.5);
    ring.start();
    const revoked = world.nodes[5] as SimNode;
    world.revoke(revoked);
    world.runUntil(world.nowMs + 65_000);
    ring.stop();
    const states = ring.snapshots.map(
      ({ peers }) => peers.find(({ name }) => name === revoked.name)?.state,
    );
    expect(states).toEqual(['joined', 'down', undefined]);
    expect(ring.snapshots.map(({ peers }) => peers.length)).toEqual([6, 6, 5]);
  });
});
