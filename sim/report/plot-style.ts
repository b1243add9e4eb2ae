import type { FaultMark, RunRecord } from '../simulation/run-record.ts';
import { colour } from './colours.ts';
import type { PlotSpec } from './plot.ts';

/** The frame that all plots share: size, fonts, axes; the layers are drawn in their order. */
export function plotSpec(
  size: { readonly width: number; readonly height: number },
  layer: readonly PlotSpec[],
): PlotSpec {
  return {
    ...size,
    autosize: { type: 'fit', contains: 'padding' },
    padding: { left: 2, right: 10, top: 4, bottom: 2 },
    background: null,
    config: CONFIG,
    layer,
  };
}

/** The title of the vertical axis stands level above it, `raisedBy` pixels over the plot. */
export function verticalAxis(title: string, raisedBy = 10): PlotSpec {
  const place = { titleAngle: 0, titleAlign: 'left', titleBaseline: 'bottom', titleX: 0 };
  return { ...place, title, titleY: -raisedBy, titleAnchor: 'start', tickCount: 5 };
}

export interface TimeAxis {
  readonly title: string;
  /** Minutes of one unit of the axis. */
  readonly minutes: number;
  readonly end: number;
}

export function timeAxisOf({ timeline }: RunRecord): TimeAxis {
  const last = timeline.at(-1)?.atMinutes ?? 0;
  const minutes = last > 180 ? 60 : 1;
  const title = `${minutes === 60 ? 'hours' : 'minutes'} of observation`;
  return { title, minutes, end: last / minutes };
}

export function timeEncoding({ title, end }: TimeAxis): PlotSpec {
  const scale = { domain: [0, end], nice: false };
  return { field: 't', type: 'quantitative', scale, axis: { title, grid: false } };
}

/** A band while a fault lasts, behind the others; a dashed rule and its letter before them. */
export function withFaults(
  faults: readonly FaultMark[],
  axis: TimeAxis,
  layers: readonly PlotSpec[],
): readonly PlotSpec[] {
  if (faults.length === 0) return layers;
  const marks = faults.map(({ atMinutes, endMinutes }, i) => ({
    t: atMinutes / axis.minutes,
    end: Math.min(axis.end, (endMinutes ?? atMinutes) / axis.minutes),
    letter: faultLetter(i),
  }));
  const x = timeEncoding(axis);
  const data = { values: marks.filter(({ t }) => t <= axis.end) };
  const dash = { type: 'rule', color: colour('soft'), strokeDash: [4, 3], strokeWidth: 1.2 };
  const text = { type: 'text', baseline: 'bottom', fontWeight: 600, color: colour('ink') };
  return [
    { data, mark: { type: 'rect', color: colour('band') }, encoding: { x, x2: { field: 'end' } } },
    ...layers,
    { data, mark: dash, encoding: { x } },
    { data, mark: { ...text, y: -3 }, encoding: { x, text: { field: 'letter', type: 'nominal' } } },
  ];
}

/** A, B, … Z, A2, B2, … */
export function faultLetter(index: number): string {
  const round = Math.floor(index / 26);
  return String.fromCharCode(65 + (index % 26)) + (round === 0 ? '' : String(round + 1));
}

export interface MarkedPlace {
  readonly x: number;
  readonly label: string;
  readonly dash: readonly number[];
}

/**
 * Vertical rules through a distribution, from left to right, their labels one above the other over
 * the plot. All labels stand on one side of their rules, so that no rule crosses a label.
 */
export function markedPlaces(
  places: readonly MarkedPlace[],
  x: PlotSpec,
  shareOf: (x: number) => number,
): PlotSpec[] {
  const sorted = [...places].sort((a, b) => a.x - b.x);
  const isRight = shareOf(sorted.at(-1)?.x ?? 0) < 0.6;
  return sorted.flatMap((place, i) => {
    const data = { values: [{ v: place.x, label: place.label }] };
    const rank = isRight ? sorted.length - 1 - i : i;
    const height = 3 + rank * LABEL_PIXELS;
    const rule = { type: 'rule', strokeWidth: 1.6, color: colour('ink'), strokeDash: place.dash };
    const text = { type: 'text', baseline: 'bottom', color: colour('ink'), y: -height };
    const side = isRight ? { align: 'left', dx: 4 } : { align: 'right', dx: -4 };
    const encoding = { x: { ...x, field: 'v' } };
    const label = { ...encoding, text: { field: 'label', type: 'nominal' } };
    const top = -height - LABEL_PIXELS + 3;
    return [
      { data, mark: { ...rule, y: { expr: 'height' }, y2: top }, encoding },
      { data, mark: { ...text, ...side }, encoding: label },
    ];
  });
}

/** Room that `markedPlaces` takes above the plot. */
export function markedPlacesHeight(count: number): number {
  return 8 + count * LABEL_PIXELS;
}

/** Lines that differ by colour and dash, explained by the legend. */
export function lineEncodings(names: readonly string[], legend: PlotSpec): PlotSpec {
  const one = { field: 'line', type: 'nominal', legend };
  return {
    color: { ...one, scale: scaleOf(names, LINE_COLOURS) },
    strokeDash: { ...one, scale: scaleOf(names, DASHES) },
  };
}

/**
 * The same for lines that have points, whose shapes the legend shows. The dash is that of the field
 * `dash`: by the same field vega-lite would put it into the legend, around the shapes.
 */
export function pointedLineEncodings(names: readonly string[], legend: PlotSpec): PlotSpec {
  const { color } = lineEncodings(names, legend);
  const scale = scaleOf(names, DASHES);
  return { color, strokeDash: { field: 'dash', type: 'nominal', legend: null, scale } };
}

/** Points on such lines: the legend shows their shapes. */
export function pointEncodings(names: readonly string[], legend: PlotSpec): PlotSpec {
  const { color } = lineEncodings(names, legend);
  const scale = scaleOf(names, SHAPES);
  return { color, shape: { field: 'line', type: 'nominal', scale, legend } };
}

/** How far the title of the vertical axis stands over the plot: above the letters of the faults. */
export function titleRaise(faults: readonly FaultMark[]): number {
  return faults.length > 0 ? 22 : 10;
}

/** Above the plot and the title of its axis, in as many columns as there is room for. */
export function legendAbove(names: readonly string[], width: number, raisedBy = 10): PlotSpec {
  const offset = raisedBy + 16;
  const longest = Math.max(...names.map((name) => name.length));
  const columns = Math.max(1, Math.floor((width - 60) / (40 + longest * LETTER_PIXELS)));
  return { title: null, orient: 'top', columns, labelLimit: width - 80, offset, columnPadding: 18 };
}

function scaleOf(names: readonly string[], values: readonly unknown[]): PlotSpec {
  return { domain: names, range: names.map((_, i) => values[i % values.length]) };
}

/** Labels for a logarithmic axis: powers of ten, and 2 and 5 times them where those are few. */
export function logTicks(first: number, last: number): number[] {
  const isWide = last / first > 200;
  const ticks: number[] = [];
  for (let power = 10 ** Math.floor(Math.log10(first)); power <= last; power *= 10) {
    ticks.push(...(isWide ? [1] : [1, 2, 5]).map((n) => n * power));
  }
  return ticks.filter((tick) => tick >= first && tick <= last);
}

/** Wider than most, as vega cannot measure text without a browser. */
const LETTER_PIXELS = 9.6;
const LABEL_PIXELS = 15;

const LINE_COLOURS = ['c1', 'c2', 'c3', 'c4', 'c5', 'c6', 'c7'].map((name) => `var(--${name})`);
const DASHES = [
  [1, 0],
  [7, 4],
  [2, 3],
  [9, 3, 2, 3],
  [5, 2],
  [12, 5],
  [2, 6],
];
const SHAPES = [
  'circle',
  'square',
  'triangle-up',
  'diamond',
  'cross',
  'triangle-down',
  'triangle-right',
];

const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif';

const CONFIG: PlotSpec = {
  font: FONT.replaceAll('"', "'"),
  view: { stroke: null },
  text: { fontSize: 12 },
  axis: {
    labelColor: colour('soft'),
    titleColor: colour('soft'),
    domainColor: colour('rule'),
    tickColor: colour('rule'),
    gridColor: colour('grid'),
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: 'normal',
    titlePadding: 8,
    labelPadding: 4,
    tickSize: 4,
  },
  axisY: { domain: false, ticks: false },
  axisX: { labelFlush: false },
  legend: { labelColor: colour('ink'), labelFontSize: 12, symbolStrokeWidth: 2, symbolSize: 80 },
};
