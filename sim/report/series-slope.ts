import type { Series } from '../simulation/run-record.ts';
import { roundFigure } from './figures.ts';

type Line = Series['lines'][number];

/** How each line grows with x, by least squares: beside 0.5·log₂ N, or as a power of N. */
export function slopeWords(series: Series): string[] {
  const { lines, xScale, xLabel } = series;
  if (xScale !== 'log') return [];
  const isPower = isGrowthLogarithmic(series);
  return lines.flatMap((line) => {
    const fit = fitted(isPower ? logarithmic(line) : line);
    // A line that fits wholly is a formula itself.
    if (fit === undefined || fit.deviation < 1e-9) return [];
    const power = `${line.label}: in proportion to ${xLabel} to the power ${signed(fit.slope)}.`;
    if (isPower) return [power];
    const sign = fit.atOne < 0 ? '−' : '+';
    const rest = `${sign} ${roundFigure(Math.abs(fit.atOne))}`;
    return [`${line.label}: fitted by ${signed(fit.slope)}·log₂ ${xLabel} ${rest}.`];
  });
}

function signed(value: number): string {
  return `${value < 0 ? '−' : ''}${roundFigure(Math.abs(value))}`;
}

function logarithmic({ label, points }: Line): Line {
  return { label, points: points.map(({ x, y }) => ({ x, y: Math.log2(y) })) };
}

/** Values over several powers of ten need a logarithmic axis. */
export function isGrowthLogarithmic({ lines, xScale }: Series): boolean {
  const values = lines.flatMap(({ points }) => points.map(({ y }) => y));
  const least = Math.min(...values);
  return xScale === 'log' && least > 0 && Math.max(...values) > 50 * least;
}

interface Fit {
  readonly atOne: number;
  /** For each doubling of x. */
  readonly slope: number;
  /** The greatest distance of a point from the fitted line. */
  readonly deviation: number;
}

/** Undefined for fewer than three different places. */
export function fitted({ points }: Line): Fit | undefined {
  const places = points.filter(({ x }) => x > 0).map(({ x, y }) => ({ x: Math.log2(x), y }));
  if (new Set(places.map(({ x }) => x)).size < 3) return undefined;
  const meanX = places.reduce((sum, { x }) => sum + x, 0) / places.length;
  const meanY = places.reduce((sum, { y }) => sum + y, 0) / places.length;
  const square = places.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0);
  const product = places.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0);
  const slope = product / square;
  const atOne = meanY - slope * meanX;
  const deviation = Math.max(...places.map(({ x, y }) => Math.abs(atOne + slope * x - y)));
  return { atOne, slope, deviation };
}
