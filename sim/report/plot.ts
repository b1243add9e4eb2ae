import type { ReportTable } from './report-table.ts';

/** A vega-lite specification. What is in it is checked where it is compiled. */
export type PlotSpec = Readonly<Record<string, unknown>>;

/** A figure of the report, before it is drawn. */
export interface Plot {
  /** Of the anchor and the file. */
  readonly id: string;
  readonly section: PlotSection;
  readonly title: string;
  /** What is to be seen, in words: the `desc` of the SVG. */
  readonly description: string;
  /** Below the figure; may hold what the marks in it mean. */
  readonly notes: readonly string[];
  /** The letters of the faults are explained below it. */
  readonly marksFaults: boolean;
  /** The numbers that it shows. */
  readonly table: ReportTable;
  readonly spec: (widthPixels: number) => PlotSpec;
}

export type PlotSection = 'lookups' | 'traffic' | 'overlay' | 'attack' | 'series';

/** A plot that was drawn, once for a desk and once for a phone. */
export interface DrawnPlot {
  readonly plot: Plot;
  readonly wide: string;
  readonly narrow: string;
}

export const WIDE_PIXELS = 720;
export const NARROW_PIXELS = 340;
