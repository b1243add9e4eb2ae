import type { AttackPoint, RunRecord, Series } from '../simulation/run-record.ts';
import { colour } from './colours.ts';
import { figure, roundFigure } from './figures.ts';
import type { Plot, PlotSpec } from './plot.ts';
import {
  legendAbove,
  lineEncodings,
  logTicks,
  plotSpec,
  pointEncodings,
  pointedLineEncodings,
  timeAxisOf,
  timeEncoding,
  titleRaise,
  verticalAxis,
  withFaults,
} from './plot-style.ts';
import { isGrowthLogarithmic, slopeWords } from './series-slope.ts';
import { inGroups } from './timeline-groups.ts';

/** Peers that run, and those of them that have joined. */
export function peersPlot(record: RunRecord): Plot | undefined {
  const { timeline } = record;
  if (timeline.length < 2) return undefined;
  const counts = timeline.map(({ peersJoined }) => peersJoined);
  return {
    id: 'peers',
    section: 'overlay',
    title: 'Peers over time',
    description: `Peers that are up and joined: ${Math.min(...counts)} to ${Math.max(...counts)}.`,
    notes: [],
    marksFaults: true,
    table: {
      id: 'peers',
      title: 'Peers over time',
      columns: [
        { name: 'time', unit: 'minutes' },
        { name: 'up' },
        { name: 'joined' },
        { name: 'links per peer' },
      ],
      rows: timeline.map((one) => [one.atMinutes, one.peersUp, one.peersJoined, one.linksPerPeer]),
    },
    spec: (width) => peersSpec(record, width),
  };
}

function peersSpec(record: RunRecord, width: number): PlotSpec {
  const axis = timeAxisOf(record);
  const names = ['joined', 'up'];
  const values = inGroups(record.timeline).flatMap((group) => {
    const last = group.at(-1);
    if (last === undefined) return [];
    const t = last.atMinutes / axis.minutes;
    return [
      { t, line: 'up', peers: last.peersUp },
      { t, line: 'joined', peers: last.peersJoined },
    ];
  });
  const most = Math.max(...values.map(({ peers }) => peers));
  const least = Math.min(0.9 * most, ...values.map(({ peers }) => peers));
  const scale = { domain: [Math.floor(least), most], nice: true };
  const raise = titleRaise(record.faults);
  const axisY = { ...verticalAxis('peers', raise), tickMinStep: 1, format: ',d' };
  const y = { field: 'peers', type: 'quantitative', scale, axis: axisY };
  const above = legendAbove(names, width, raise);
  const legend = { ...above, symbolType: 'stroke', symbolSize: 700 };
  const encoding = { x: timeEncoding(axis), y, ...lineEncodings(names, legend) };
  const line = { data: { values }, mark: { type: 'line', strokeWidth: 2 }, encoding };
  return plotSpec({ width, height: 240 }, withFaults(record.faults, axis, [line]));
}

/** One plot for each attack: success against the share of attackers, a line for each defence. */
export function attackPlots({ attackCurve }: RunRecord): Plot[] {
  return distinct(attackCurve.map(({ attack }) => attack)).map((attack, i) => {
    const points = attackCurve.filter((point) => point.attack === attack && point.lookups > 0);
    const names = distinct(points.map(({ defences }) => lineName(defences)));
    const values = points.map(({ share, defences, lookups, succeeded }) => ({
      x: 100 * share,
      y: (100 * succeeded) / lookups,
      line: lineName(defences),
      dash: lineName(defences),
    }));
    return {
      id: `attack-${i + 1}`,
      section: 'attack',
      title: `Lookup success under the attack “${attack}”`,
      description: attackWords(points, names),
      notes: [],
      marksFaults: false,
      table: {
        id: `attack-${i + 1}`,
        title: `Attack “${attack}”`,
        columns: [
          { name: 'attackers', unit: '%', show: (value) => figure(value, 1) },
          { name: 'defences' },
          { name: 'lookups', show: (value) => figure(value) },
          { name: 'succeeded', show: (value) => figure(value) },
          { name: 'success', unit: '%', show: (value) => figure(value, 2) },
        ],
        rows: points.map((one) => [
          100 * one.share,
          one.defences,
          one.lookups,
          one.succeeded,
          (100 * one.succeeded) / one.lookups,
        ]),
      },
      spec: (width) => {
        const axisX = { title: 'attackers among the peers, %', grid: false, tickCount: 6 };
        const x = { field: 'x', type: 'quantitative', axis: axisX };
        const axisY = verticalAxis('lookups that succeeded, %');
        const y = { field: 'y', type: 'quantitative', axis: axisY, scale: { domain: [0, 100] } };
        return linesSpec(width, names, values, x, y);
      },
    };
  });
}

/** Measured values against a parameter, beside those that were published or expected. */
export function seriesPlots({ series }: RunRecord): Plot[] {
  return series
    .filter(({ lines }) => lines.some(({ points }) => points.length > 0))
    .map((one, i) => ({
      id: `series-${i + 1}`,
      section: 'series',
      title: one.title,
      description: seriesWords(one),
      notes: slopeWords(one),
      marksFaults: false,
      table: seriesTable(one, `series-${i + 1}`),
      spec: (width: number) => seriesSpec(one, width),
    }));
}

function seriesWords({ xLabel, yLabel, lines }: Series): string {
  return `${yLabel} against ${xLabel}: ${lines.map(({ label }) => label).join(', ')}.`;
}

function seriesTable(one: Series, id: string): Plot['table'] {
  const places = distinct(one.lines.flatMap(({ points }) => points.map(({ x }) => x)));
  places.sort((a, b) => a - b);
  return {
    id,
    title: one.title,
    columns: [
      { name: one.xLabel, show: roundFigure },
      ...one.lines.map(({ label }) => ({ name: label, show: roundFigure })),
    ],
    rows: places.map((x) => [
      x,
      ...one.lines.map(({ points }) => points.find((point) => point.x === x)?.y),
    ]),
  };
}

function seriesSpec(one: Series, width: number): PlotSpec {
  const names = one.lines.map(({ label }) => label);
  const values = one.lines.flatMap(({ label, points }) =>
    points.map(({ x, y }) => ({ x, y, line: label, dash: label })),
  );
  const places = distinct(values.map(({ x }) => x)).sort((a, b) => a - b);
  const isLog = one.xScale === 'log' && places.every((place) => place > 0);
  const ticks = places.length <= 8 ? { values: places } : {};
  const axisX = { title: one.xLabel, grid: false, format: ',~f', labelOverlap: true, ...ticks };
  const kind = isLog ? { type: 'log' } : { type: 'linear', zero: false };
  const scaleX = { ...kind, nice: false, padding: 12 };
  const x = { field: 'x', type: 'quantitative', scale: scaleX, axis: axisX };
  const heights = values.map((value) => value.y);
  const logValues = logTicks(Math.min(...heights) / 2, Math.max(...heights) * 2);
  const isLogY = isGrowthLogarithmic(one);
  const scaleY = isLogY ? { type: 'log' } : { zero: true };
  const axisY = { ...verticalAxis(one.yLabel), ...(isLogY ? { values: logValues } : {}) };
  const y = { field: 'y', type: 'quantitative', scale: scaleY, axis: axisY };
  return linesSpec(width, names, values, x, y);
}

function linesSpec(
  width: number,
  names: readonly string[],
  values: readonly PlotSpec[],
  x: PlotSpec,
  y: PlotSpec,
): PlotSpec {
  const legend = legendAbove(names, width);
  const line = { type: 'line', strokeWidth: 2 };
  const point = { type: 'point', filled: true, size: 75, opacity: 1, stroke: colour('paper') };
  const mark = { ...point, strokeWidth: 0.8 };
  const lines = { x, y, ...pointedLineEncodings(names, legend) };
  const points = { x, y, ...pointEncodings(names, legend) };
  return plotSpec({ width, height: 280 }, [
    { data: { values }, mark: line, encoding: lines },
    { data: { values }, mark, encoding: points },
  ]);
}

function lineName(defences: string): string {
  return defences === 'none' ? 'without defences' : defences;
}

function attackWords(points: readonly AttackPoint[], names: readonly string[]): string {
  const words = names.map((name) => {
    const last = points.filter(({ defences }) => lineName(defences) === name).at(-1);
    if (last === undefined) return name;
    const success = figure((100 * last.succeeded) / last.lookups, 1);
    return `${name}: ${success} % succeed with ${figure(100 * last.share, 1)} % attackers`;
  });
  return `${words.join('; ')}.`;
}

function distinct<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}
