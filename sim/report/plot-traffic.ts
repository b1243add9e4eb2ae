import type { RunRecord, TimelineSample } from '../simulation/run-record.ts';
import { CALM_HATCH, colour, HATCHES_MAX, hatch } from './colours.ts';
import { roundFigure } from './figures.ts';
import type { Plot, PlotSpec } from './plot.ts';
import {
  legendAbove,
  plotSpec,
  timeAxisOf,
  timeEncoding,
  titleRaise,
  verticalAxis,
  withFaults,
} from './plot-style.ts';
import { inGroups } from './timeline-groups.ts';

/** Bytes that a peer sends each second over time, the greatest methods one above the other. */
export function trafficPlot(record: RunRecord): Plot | undefined {
  const methods = [...record.traffic.byMethod].sort((a, b) => b.bytes - a.bytes);
  const rates = ratesOf(record.timeline);
  const isSilent = rates.every(({ byMethod }) => [...byMethod.values()].every((one) => one === 0));
  if (rates.length < 2 || isSilent) return undefined;
  const greatest = methods.slice(0, HATCHES_MAX - 1).map(({ method }) => method);
  const others = methods.slice(HATCHES_MAX - 1).map(({ method }) => method);
  const areas = [
    ...greatest.map((method) => ({ name: method, methods: [method] })),
    ...(others.length === 0 ? [] : [{ name: 'others', methods: others }]),
  ];
  const mean = roundFigure(record.traffic.bytesPerPeerPerSecond);
  return {
    id: 'traffic',
    section: 'traffic',
    title: 'Traffic of a peer over time',
    description: `Bytes sent by a peer per second by method, over time; ${mean} on average.`,
    notes: ['Framing and acknowledgements are included, TLS and TCP are not.'],
    marksFaults: true,
    table: {
      id: 'traffic-over-time',
      title: 'Bytes per peer and second over time',
      columns: [
        { name: 'time', unit: 'minutes' },
        ...methods.map(({ method }) => ({ name: method, unit: 'B/s per peer' })),
      ],
      rows: rates.map((rate) => [
        rate.minutes,
        ...methods.map(({ method }) => rate.byMethod.get(method) ?? 0),
      ]),
    },
    spec: (width) =>
      areaSpec(
        record,
        width,
        'bytes per second and peer',
        areas.map(({ name }, i) => ({ name, fill: hatch(i + 1) })),
        inGroups(rates).flatMap((group) =>
          areas.map((area) => ({
            minutes: group.at(-1)?.minutes ?? 0,
            area: area.name,
            amount: meanRate(group, area.methods),
          })),
        ),
      ),
  };
}

/** Acknowledged values by the number of their live copies. */
export function replicasPlot(record: RunRecord): Plot | undefined {
  const samples = record.timeline.filter(({ valuesByReplicas }) =>
    valuesByReplicas.some((count) => count > 0),
  );
  if (samples.length < 2) return undefined;
  const kinds = Math.max(...samples.map(({ valuesByReplicas }) => valuesByReplicas.length));
  const names = Array.from({ length: kinds }, (_, k) => copiesName(k, kinds));
  const { acknowledged, lost, excused } = record.stores;
  return {
    id: 'values-by-replicas',
    section: 'overlay',
    title: 'Stored values by number of live copies',
    description: `Of ${acknowledged} acknowledged values ${lost + excused} were lost in the end.`,
    notes: ['Values with the fewest copies stand at the bottom.'],
    marksFaults: true,
    table: {
      id: 'values-by-replicas',
      title: 'Values by live copies over time',
      columns: [{ name: 'time', unit: 'minutes' }, ...names.map((name) => ({ name }))],
      rows: record.timeline.map((one) => [
        one.atMinutes,
        ...names.map((_, k) => one.valuesByReplicas[k] ?? 0),
      ]),
    },
    spec: (width) =>
      areaSpec(
        record,
        width,
        'values',
        names.map((name, k) => ({ name, fill: copiesFill(k) })),
        inGroups(samples).flatMap((group) =>
          names.map((area, k) => ({
            minutes: group.at(-1)?.atMinutes ?? 0,
            area,
            amount: group.at(-1)?.valuesByReplicas[k] ?? 0,
          })),
        ),
      ),
  };
}

interface Area {
  readonly name: string;
  readonly fill: string;
}

interface AreaPoint {
  readonly minutes: number;
  readonly area: string;
  readonly amount: number;
}

/** Areas one above the other, the first at the bottom. */
function areaSpec(
  record: RunRecord,
  width: number,
  title: string,
  areas: readonly Area[],
  points: readonly AreaPoint[],
): PlotSpec {
  const axis = timeAxisOf(record);
  const values = points.map(({ minutes, area, amount }) => ({
    t: minutes / axis.minutes,
    area,
    amount,
    rank: areas.findIndex(({ name }) => name === area),
  }));
  const raise = titleRaise(record.faults);
  const names = areas.map(({ name }) => name);
  const legend = {
    ...legendAbove(names, width, raise),
    symbolType: 'square',
    symbolSize: 220,
    symbolStrokeWidth: 0.5,
  };
  const range = areas.map(({ fill }) => fill);
  const quantity = { field: 'amount', type: 'quantitative', stack: 'zero' };
  const encoding = {
    x: timeEncoding(axis),
    y: { ...quantity, axis: verticalAxis(title, raise) },
    fill: { field: 'area', type: 'nominal', scale: { domain: names, range }, legend },
    order: { field: 'rank', type: 'quantitative' },
  };
  const mark = { type: 'area', stroke: colour('ink'), strokeWidth: 0.5, opacity: 1 };
  const layers = withFaults(record.faults, axis, [{ data: { values }, mark, encoding }]);
  return plotSpec({ width, height: 320 }, layers);
}

interface Rate {
  readonly minutes: number;
  readonly byMethod: ReadonlyMap<string, number>;
}

function ratesOf(timeline: readonly TimelineSample[]): Rate[] {
  return timeline.flatMap((sample, i) => {
    const before = timeline[i - 1]?.atMinutes ?? 0;
    const seconds = (sample.atMinutes - before) * 60;
    if (seconds <= 0 || sample.peersUp === 0) return [];
    const rates = Object.entries(sample.bytesByMethod).map(
      ([method, bytes]) => [method, bytes / seconds / sample.peersUp] as const,
    );
    return [{ minutes: sample.atMinutes, byMethod: new Map(rates) }];
  });
}

function meanRate(group: readonly Rate[], methods: readonly string[]): number {
  const all = group.flatMap(({ byMethod }) => methods.map((name) => byMethod.get(name) ?? 0));
  return all.reduce((one, other) => one + other, 0) / group.length;
}

function copiesName(copies: number, kinds: number): string {
  if (copies === 0) return 'no copy';
  if (copies === kinds - 1) return `${copies} or more copies`;
  return copies === 1 ? '1 copy' : `${copies} copies`;
}

/** Enough copies are calm; the fewer there are, the more it must be seen. */
function copiesFill(copies: number): string {
  if (copies === 0) return colour('ink');
  return hatch(copies < 3 ? copies + 1 : CALM_HATCH + ((copies - 3) % 3));
}
