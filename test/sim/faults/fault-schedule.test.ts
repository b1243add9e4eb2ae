import { describe, expect, test } from 'vitest';
import { FaultSchedule } from '../../../sim/faults/fault-schedule.ts';
import type { FaultPlan, Scenario } from '../../../sim/scenario/scenario.ts';
import { ringFault } from '../../../sim/simulation/ring-wholeness.ts';
import type { SimNode } from '../../../sim/world/sim-node.ts';
import type { Authenticator } from '../../../src/tls-auth/authenticator.ts';
import { CertificateRefusal } from '../../../src/tls-auth/certificate-refusal.ts';
import { settledSimulation } from '../test-simulation.ts';

/** Whether a node's certificate still counts for an Authenticator. */
function isSignerAt(authenticator: Authenticator, { signer }: SimNode): boolean {
  const [leaf = new Uint8Array(0), ...pool] = signer.node.chain;
  const unixMs = signer.node.certificate.notBeforeUnixMs + 365 * 24 * 3_600_000;
  return !(authenticator.authenticate(leaf, pool, unixMs) instanceof CertificateRefusal);
}

/** An overlay that has settled, and faults that begin when told to. */
function withFaults(faults: readonly FaultPlan[], change: Partial<Scenario> = {}) {
  const { overlay } = settledSimulation({ peers: 12, ...change });
  const { world } = overlay;
  const schedule = new FaultSchedule(overlay, faults);
  const runMinutes = (minutes: number) => {
    world.runUntil(world.nowMs + minutes * 60_000);
    expect(world.haltReason).toBeUndefined();
  };
  const upPeers = () => world.nodes.filter((node) => node.isUp && node.role === 'peer');
  const isWhole = () => ringFault(upPeers()) === undefined;
  return { overlay, world, schedule, runMinutes, upPeers, isWhole };
}

describe('faults that come once', () => {
  test('vanish: a share of all peers ends at the same moment, bootstrap nodes never', () => {
    const { overlay, schedule, runMinutes, upPeers, isWhole } = withFaults([
      { type: 'vanish', atMinutes: 1, share: 0.5 },
    ]);
    schedule.start();
    runMinutes(0.99);
    expect(upPeers()).toHaveLength(12);
    runMinutes(0.02);
    expect(upPeers()).toHaveLength(6);
    expect(schedule.vanished.size).toBe(6);
    expect(overlay.bootstrapNodes.every((node) => node.isUp)).toBe(true);
    const states = [...schedule.vanished].map(({ state }) => state);
    expect(new Set(states)).toEqual(new Set(['down', 'silent']));
    expect(schedule.marks).toEqual([
      { atMinutes: 1, endMinutes: undefined, label: '50 % of the peers vanish' },
    ]);
    runMinutes(2);
    expect(isWhole()).toBe(true);
  });

  test('partition: two rings, bootstrap nodes on both sides, and one ring again later', () => {
    const { overlay, world, schedule, runMinutes, isWhole } = withFaults([
      { type: 'partition', atMinutes: 0, minutes: 3, share: 0.5 },
    ]);
    schedule.start();
    runMinutes(2.9);
    expect(world.network.isDivided).toBe(true);
    expect(isWhole()).toBe(false);
    const [first, ...others] = overlay.bootstrapNodes as [SimNode, ...SimNode[]];
    expect(others.some((node) => !world.network.canReach(first, node))).toBe(true);
    runMinutes(0.2);
    expect(world.network.isDivided).toBe(false);
    runMinutes(10);
    expect(isWhole()).toBe(true);
    expect(schedule.marks[0]).toMatchObject({ atMinutes: 0, endMinutes: 3 });
  });

  test('flash crowd: so many join within the time', () => {
    const { schedule, runMinutes, upPeers, isWhole } = withFaults([
      { type: 'flashCrowd', atMinutes: 0.5, minutes: 1, peers: 10 },
    ]);
    schedule.start();
    runMinutes(1);
    expect(upPeers().length).toBeGreaterThan(12);
    expect(upPeers().length).toBeLessThan(22);
    runMinutes(2);
    expect(upPeers()).toHaveLength(22);
    expect(isWhole()).toBe(true);
    expect(schedule.marks[0]).toMatchObject({ endMinutes: 1.5, label: '10 peers join' });
  });

  test('a bad network and full disks last as long as they are to', () => {
    const { world, schedule, runMinutes } = withFaults([
      {
        type: 'badNetwork',
        atMinutes: 0,
        minutes: 2,
        lossShare: 0.2,
        duplicateShare: 0,
        reorderShare: 0.1,
      },
      { type: 'fullDisks', atMinutes: 1, minutes: 2, share: 0.5 },
    ]);
    const fullDisks = () => world.nodes.filter(({ disk }) => disk.isFull).length;
    schedule.start();
    runMinutes(1.5);
    expect(world.network.conditions).toMatchObject({ lossShare: 0.2, reorderShare: 0.1 });
    expect(fullDisks()).toBe(6);
    runMinutes(1);
    expect(world.network.conditions).toMatchObject({ lossShare: 0, reorderShare: 0 });
    expect(fullDisks()).toBe(6);
    runMinutes(1);
    expect(fullDisks()).toBe(0);
    expect(schedule.marks.map(({ endMinutes }) => endMinutes)).toEqual([2, 3]);
  });

  test('a second bad network takes the place of the first, and leaves none behind', () => {
    const bad = { type: 'badNetwork', duplicateShare: 0, reorderShare: 0 } as const;
    const { world, schedule, runMinutes } = withFaults([
      { ...bad, atMinutes: 0, minutes: 2, lossShare: 0.2 },
      { ...bad, atMinutes: 1, minutes: 2, lossShare: 0.1 },
    ]);
    schedule.start();
    const losses = [0, 1, 2].map(() => {
      runMinutes(1.1);
      return world.network.conditions.lossShare;
    });
    expect(losses).toEqual([0.1, 0.1, 0]);
    expect(schedule.marks.map(({ endMinutes }) => endMinutes)).toEqual([1, 3]);
  });

  test('what lasts ends when the schedule stops, and nothing begins after it', () => {
    const { world, schedule, runMinutes, upPeers } = withFaults([
      { type: 'fullDisks', atMinutes: 0, minutes: 60, share: 1 },
      { type: 'partition', atMinutes: 0, minutes: 60, share: 0.3 },
      { type: 'vanish', atMinutes: 2, share: 0.5 },
    ]);
    schedule.start();
    runMinutes(0.5);
    schedule.stop();
    expect(world.network.isDivided).toBe(false);
    expect(world.nodes.some(({ disk }) => disk.isFull)).toBe(false);
    runMinutes(3);
    expect(upPeers()).toHaveLength(12);
    expect(schedule.marks.map(({ endMinutes }) => endMinutes)).toEqual([0.5, 0.5]);
  });
});

describe('new configurations', () => {
  const overlay = {
    chordUpdateIntervalSeconds: 60,
    chordPingIntervalSeconds: 120,
    chordReactive: true,
  };

  test('are given to one peer and reach all, and those that come later have them', () => {
    const faults = [{ type: 'configurationRollOver', atMinutes: 0 }] as const;
    const { world, schedule, runMinutes } = withFaults(faults, { overlay, clients: 2 });
    schedule.start();
    runMinutes(10);
    const [spread] = schedule.configurations.spreads;
    expect(spread?.samples[0]).toEqual({ atSeconds: 0, have: 1, of: 14 });
    expect(spread?.completeAfterSeconds).toBeLessThan(400);
    const sequences = world.nodes.map(({ peer }) => peer?.status().configurationSequence);
    expect(new Set(sequences)).toEqual(new Set([2]));
    expect(schedule.marks[0]?.endMinutes).toBeLessThan(7);
  });

  test('a second root comes with its peers and goes; a Kind is changed for all', () => {
    const faults = [
      { type: 'rootAdded', atMinutes: 0, peers: 3 },
      { type: 'kindChanged', atMinutes: 4, maxSizeBytes: 77 },
      { type: 'rootRemoved', atMinutes: 8 },
    ] as const satisfies FaultPlan[];
    const { schedule, runMinutes, upPeers } = withFaults(faults, { overlay });
    schedule.start();
    runMinutes(6);
    expect(upPeers()).toHaveLength(15);
    expect(ringFault(upPeers())).toBeUndefined();
    runMinutes(9);
    expect(schedule.revoked.size).toBe(3);
    const left = upPeers().filter((node) => !schedule.revoked.has(node));
    expect(left).toHaveLength(12);
    expect(ringFault(left)).toBeUndefined();
    expect(new Set(left.map(({ peer }) => peer?.status().configurationSequence))).toEqual(
      new Set([4]),
    );
    expect(
      schedule.configurations.spreads.map(({ completeAfterSeconds: s = 999 }) => s < 60),
    ).toEqual([true, true, true]);
  });

  test('revoke peers: the others go on without them', () => {
    const faults = [{ type: 'revocation', atMinutes: 0, share: 0.25 }] as const;
    const { schedule, runMinutes, upPeers } = withFaults(faults, { overlay });
    schedule.start();
    runMinutes(15);
    expect(schedule.revoked.size).toBe(3);
    expect(schedule.configurations.spreads[0]?.completeAfterSeconds).toBeLessThan(600);
    const left = upPeers().filter((node) => !schedule.revoked.has(node));
    expect(left).toHaveLength(9);
    expect(ringFault(left)).toBeUndefined();
  });

  test('revoke peers by a list: each host fetches it, and the others go on without them', () => {
    const faults = [
      { type: 'revocationList', atMinutes: 0, minutes: 5, share: 0.25 },
    ] as const satisfies FaultPlan[];
    const { schedule, runMinutes, upPeers, world } = withFaults(faults, { faults });
    schedule.start();
    runMinutes(0.1);
    expect(schedule.revoked.size).toBe(3);
    runMinutes(15);
    const left = upPeers().filter((node) => !schedule.revoked.has(node));
    expect(left).toHaveLength(9);
    expect(ringFault(left)).toBeUndefined();
    for (const node of left) {
      const authenticator = world.authenticatorOf(node);
      expect([...schedule.revoked].some((one) => isSignerAt(authenticator, one))).toBe(false);
      const linked = node.peer?.status().links.map(({ nodeId }) => nodeId) ?? [];
      for (const gone of schedule.revoked) expect(linked).not.toContain(gone.nodeId);
    }
    expect(world.changesUnderWay).toBe(0);
  });
});
