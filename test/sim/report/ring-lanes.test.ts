import { describe, expect, test } from 'vitest';
import { ringPaths } from '../../../sim/report/ring-drawing.ts';
import { coverageOf, rangesOf } from '../../../sim/report/ring-lanes.ts';
import { ringStatesOf } from '../../../sim/report/ring-states.ts';
import type { RingPeer } from '../../../sim/simulation/run-record.ts';
import { quietRecord } from './sample-record.ts';

describe('lanes of the ring', () => {
  test('a whole ring needs one, whatever peer comes first', () => {
    const peers = ringOf([0.1, 0.4, 0.41, 0.9]);
    const ranges = rangesOf(peers, 0);
    expect(ranges.map(({ lane, end }) => [lane, end])).toEqual(
      [0.1, 0.4, 0.41, 0.9].map((end) => [0, end]),
    );
    expect(coverageOf(peers)).toEqual({ unclaimed: 0, contested: 0 });
  });

  test('two rings need two, each closed', () => {
    const [one, other] = [ringOf([0.1, 0.5, 0.8]), ringOf([0.2, 0.6, 0.9])];
    const ranges = rangesOf([...one, ...other], 0);
    const endsIn = (wanted: number) =>
      ranges.filter(({ lane }) => lane === wanted).map(({ end }) => end);
    expect([endsIn(0), endsIn(1)].sort()).toEqual(
      [one, other].map((ring) => ring.map(({ place }) => place)),
    );
    expect(coverageOf([...one, ...other]).contested).toBeCloseTo(1);
  });

  test('neighbours that are too narrow to be seen are one range, and a gap stays a gap', () => {
    const peers = [...ringOf([0.1, 0.101, 0.102, 0.103, 0.6]), peer(0.3, 0.3)].filter(
      (_, i) => i !== 4 && i !== 5,
    );
    expect(rangesOf(peers.slice(1), 0.5)).toMatchObject([{ lane: 0, end: 0.103 }]);
    expect(rangesOf([peer(0.1, 0.05), peer(0.3, 0.2)], 0.5)).toHaveLength(2);
  });

  test('a gap and an overlap are measured', () => {
    const peers = [peer(0.5, 0.1), peer(0.7, 0.4), peer(0.05, 0.9)];
    const { unclaimed, contested } = coverageOf(peers);
    expect(unclaimed).toBeCloseTo(0.05 + 0.2);
    expect(contested).toBeCloseTo(0.1);
  });

  test('one peer alone has the whole ring; without any it is nobody’s', () => {
    expect(coverageOf([peer(0.3, 0.3)])).toEqual({ unclaimed: 0, contested: 0 });
    expect(coverageOf([])).toEqual({ unclaimed: 1, contested: 0 });
    expect(pathsOf([peer(0.3, 0.3)]).even).toMatch(/^M\d+,\d+A4800,4800,0,1,1,\d+,\d+$/);
  });

  test('a range that is less than a pixel does not become the whole ring', () => {
    const { even, odd } = pathsOf([peer(0.300001, 0.3), peer(0.3, 0.300001)]);
    expect(odd).toContain('A4800,4800,0,0,1,');
    expect(even).toContain('A4800,4800,0,1,1,');
  });

  test('what is down claims nothing', () => {
    const peers = [peer(0.5, 0.5), { ...peer(0.7, 0.5), state: 'down' as const }];
    expect(coverageOf(peers)).toEqual({ unclaimed: 0, contested: 0 });
  });
});

test('of a very large ring one peer in so many is drawn, and its ranges close the circle', () => {
  const places = Array.from({ length: 3_500 }, (_, i) => i / 3_500);
  const peers = ringOf(places);
  const states = ringStatesOf({ ...quietRecord(), ring: [{ atMinutes: 0, peers }] });
  expect(states.onePeerIn).toBe(4);
  expect(states.names).toHaveLength(875);
  const lengths = states.moments[0]?.ranges.filter((_, i) => i % 3 === 2) ?? [];
  expect(lengths.length).toBeLessThan(1_001);
  expect(lengths.reduce((sum, length) => sum + length, 0)).toBeGreaterThan(9_900);
  expect(states.moments[0]?.words).toContain('3,500 joined');
});

test('of many moments some are shown, the first and the last among them', () => {
  const ring = Array.from({ length: 1_000 }, (_, i) => ({ atMinutes: i, peers: [] }));
  const { moments } = ringStatesOf({ ...quietRecord(), ring });
  expect(moments.length).toBeLessThan(60);
  expect(moments[0]?.title).toBe('0 min');
  expect(moments.at(-1)?.title).toBe('16 h 39 min');
});

function pathsOf(peers: readonly RingPeer[]) {
  const states = ringStatesOf({ ...quietRecord(), ring: [{ atMinutes: 0, peers }] });
  const [moment = { title: '', words: '', ranges: [], peers: [] }] = states.moments;
  return ringPaths(states, moment);
}

function ringOf(places: readonly number[]): RingPeer[] {
  return places.map((place, i) => peer(place, places.at(i - 1) ?? place));
}

function peer(place: number, rangeFrom: number): RingPeer {
  const name = `peer-${place}-${rangeFrom}`;
  return { name, place, rangeFrom, state: 'joined', isAttacker: false, values: 0 };
}
