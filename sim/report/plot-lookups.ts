import type { RunRecord, TimelineSample } from '../simulation/run-record.ts';
import { colour } from './colours.ts';
import { figure, percent } from './figures.ts';
import type { Plot, PlotSpec } from './plot.ts';
import {
  logTicks,
  markedPlaces,
  markedPlacesHeight,
  plotSpec,
  timeAxisOf,
  timeEncoding,
  titleRaise,
  verticalAxis,
  withFaults,
} from './plot-style.ts';
import { inGroups } from './timeline-groups.ts';

/** Lookup success over time; undefined where no lookup was made. */
export function successPlot(record: RunRecord, aimPercent: number | undefined): Plot | undefined {
  const samples = record.timeline.filter(({ lookups }) => lookups > 0);
  if (samples.length === 0) return undefined;
  const points = inGroups(samples).map((group) => ({
    minutes: group.at(-1)?.atMinutes ?? 0,
    success: (100 * sum(group, 'succeeded')) / sum(group, 'lookups'),
  }));
  const least = Math.min(...points.map(({ success }) => success), aimPercent ?? 100);
  return {
    id: 'lookup-success',
    section: 'lookups',
    title: 'Lookup success over time',
    description: `Share of lookups that succeeded, over time; at least ${figure(least, 2)} %.`,
    notes: aimPercent === undefined ? [] : [`The dotted line is the aim, ${aimPercent} %.`],
    marksFaults: true,
    table: {
      id: 'lookup-success',
      title: 'Lookups over time',
      columns: [{ name: 'time', unit: 'minutes' }, { name: 'lookups' }, { name: 'succeeded' }],
      rows: record.timeline.map((one) => [one.atMinutes, one.lookups, one.succeeded]),
    },
    spec: (width) => successSpec(record, points, width, [floorOf(least), 100], aimPercent),
  };
}

function successSpec(
  record: RunRecord,
  points: readonly { readonly minutes: number; readonly success: number }[],
  width: number,
  domain: readonly number[],
  aim: number | undefined,
): PlotSpec {
  const axis = timeAxisOf(record);
  const x = timeEncoding(axis);
  const scale = { domain, nice: false };
  const axisY = verticalAxis('lookups that succeeded, %', titleRaise(record.faults));
  const y = { field: 'success', type: 'quantitative', scale, axis: axisY };
  const values = points.map(({ minutes, success }) => ({ t: minutes / axis.minutes, success }));
  const line = { type: 'line', color: colour('c1'), strokeWidth: 2, clip: false };
  const point = { type: 'point', filled: true, size: 18, color: colour('c1'), opacity: 1 };
  const aimRule = { type: 'rule', color: colour('soft'), strokeDash: [1, 3], strokeWidth: 1.5 };
  const aimLayer = {
    data: { values: [{ success: aim ?? 100 }] },
    mark: aimRule,
    encoding: { y },
  };
  const layers = [
    ...(aim === undefined ? [] : [aimLayer]),
    { data: { values }, mark: line, encoding: { x, y } },
    ...(points.length > 130 ? [] : [{ data: { values }, mark: point, encoding: { x, y } }]),
  ];
  return plotSpec({ width, height: 240 }, withFaults(record.faults, axis, layers));
}

/** How many links the requests crossed, beside what the Chord paper expects. */
export function hopsPlot({ lookups, scenario }: RunRecord): Plot | undefined {
  const total = lookups.hops.histogram.reduce((all, count) => all + count, 0);
  if (total === 0) return undefined;
  const expected = 0.5 * Math.log2(scenario.peers);
  const expectation = `0.5·log₂ ${scenario.peers} = ${figure(expected, 2)}`;
  const { mean, p99, max } = lookups.hops;
  const bars = lookups.hops.histogram.map((count, hops) => ({
    from: hops - 0.42,
    to: hops + 0.42,
    share: (100 * count) / total,
    none: 0,
  }));
  return {
    id: 'hops',
    section: 'lookups',
    title: 'Hops of a lookup',
    description: `Hops: ${figure(mean, 2)} on average, 99 % within ${p99}, at most ${max}.`,
    notes: ['A hop is a link that the request crossed.'],
    marksFaults: false,
    table: {
      id: 'hops',
      title: 'Hops of lookups',
      columns: [{ name: 'hops' }, { name: 'lookups' }],
      rows: lookups.hops.histogram.map((count, hops) => [hops, count]),
    },
    spec: (width) => {
      const domain = [-0.6, bars.length - 0.4];
      const axis = { title: 'hops', grid: false, tickMinStep: 1, format: 'd', ticks: false };
      const x = { type: 'quantitative', scale: { domain, nice: false }, axis };
      const places = [
        { x: mean, label: `mean ${figure(mean, 2)}`, dash: [1, 0] },
        { x: expected, label: expectation, dash: [5, 4] },
      ];
      return histogramSpec(width, bars, x, places, (hops) => hops / bars.length);
    },
  };
}

/** Times of lookups; the axis is logarithmic where the buckets or the tail call for it. */
export function latencyPlot({ lookups }: RunRecord): Plot | undefined {
  const { histogram, p50, p95, p99, max } = lookups.latencyMs;
  const total = histogram.reduce((all, { count }) => all + count, 0);
  if (total === 0) return undefined;
  const bars = latencyBars(histogram, total);
  const isLog = max > 12 * p50 && p50 > 0;
  const first = Math.max(bars[0]?.from ?? 1, (bars[0]?.to ?? 1) / 2);
  const last = bars.at(-1)?.to ?? 1;
  return {
    id: 'latency',
    section: 'lookups',
    title: 'Time of a lookup',
    description:
      `Distribution of the milliseconds that a lookup took: median ${figure(p50)}, ` +
      `95th percentile ${figure(p95)}, 99th ${figure(p99)}, at most ${figure(max)}.`,
    notes: isLog ? ['The axis is logarithmic.'] : [],
    marksFaults: false,
    table: {
      id: 'latency',
      title: 'Times of lookups',
      columns: [{ name: 'up to', unit: 'ms' }, { name: 'lookups' }],
      rows: histogram.map(({ uptoMs, count }) => [uptoMs, count]),
    },
    spec: (width) => {
      const domain = [isLog ? first : 0, last];
      const scale = { type: isLog ? 'log' : 'linear', domain, nice: false };
      const ticks = isLog ? { values: logTicks(first, last) } : { tickCount: 5 };
      const axis = { title: 'milliseconds', grid: false, format: ',~f', ...ticks };
      const x = { type: 'quantitative', scale, axis };
      const places = [
        { x: p50, label: `median ${figure(p50)} ms`, dash: [1, 0] },
        { x: p95, label: `95 %: ${figure(p95)} ms`, dash: [6, 3] },
        { x: p99, label: `99 %: ${figure(p99)} ms`, dash: [2, 3] },
      ];
      const drawn = bars.map((bar) => ({ ...bar, from: Math.max(bar.from, domain[0] ?? 0) }));
      const shareOf = (ms: number) =>
        isLog ? Math.log(ms / first) / Math.log(last / first) : ms / last;
      return histogramSpec(width, drawn, x, places, shareOf);
    },
  };
}

interface Bar {
  readonly from: number;
  readonly to: number;
  readonly share: number;
  readonly none: number;
}

function latencyBars(
  histogram: RunRecord['lookups']['latencyMs']['histogram'],
  total: number,
): Bar[] {
  const bars = histogram.map(({ uptoMs, count }, i) => ({
    from: histogram[i - 1]?.uptoMs ?? 0,
    to: uptoMs,
    share: (100 * count) / total,
    none: 0,
  }));
  const firstFilled = bars.findIndex(({ share }) => share > 0);
  const lastFilled = bars.findLastIndex(({ share }) => share > 0);
  return bars.slice(firstFilled, lastFilled + 1);
}

function histogramSpec(
  width: number,
  values: readonly Bar[],
  x: PlotSpec,
  places: Parameters<typeof markedPlaces>[0],
  shareOf: (x: number) => number,
): PlotSpec {
  const title = verticalAxis('lookups, %', markedPlacesHeight(places.length));
  const encoding = {
    x: { ...x, field: 'from' },
    x2: { field: 'to' },
    y: { field: 'share', type: 'quantitative', axis: title, scale: { domainMin: 0 } },
    y2: { field: 'none' },
  };
  const rect = { type: 'rect', fill: colour('c1'), fillOpacity: 0.35, stroke: colour('c1') };
  const bars = { data: { values }, mark: { ...rect, strokeWidth: 0.8 }, encoding };
  return plotSpec({ width, height: 260 }, [bars, ...markedPlaces(places, x, shareOf)]);
}

function sum(samples: readonly TimelineSample[], key: 'lookups' | 'succeeded'): number {
  return samples.reduce((all, sample) => all + sample[key], 0);
}

/** Where the axis begins, so that what is lost can be seen. */
function floorOf(least: number): number {
  const floors = [99, 98, 95, 90, 80, 50, 0];
  return floors.find((floor) => least >= floor + (100 - floor) * 0.05) ?? 0;
}

/** `succeeded` of `started` in words. */
export function successWords({ lookups }: RunRecord): string {
  if (lookups.started === 0) return 'no lookup was made';
  const share = percent(lookups.succeeded, lookups.started);
  return `${share} % of ${figure(lookups.started)} lookups succeeded`;
}
