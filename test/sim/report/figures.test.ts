import { describe, expect, test } from 'vitest';
import { aimLines, successAim } from '../../../sim/report/aims.ts';
import { byteFigure, momentFigure, percent, roundFigure } from '../../../sim/report/figures.ts';
import { fitted, slopeWords } from '../../../sim/report/series-slope.ts';
import type { RunRecord } from '../../../sim/simulation/run-record.ts';
import { quietRecord } from './sample-record.ts';

describe('figures', () => {
  test.each([
    [percent(1, 3), '33.33'],
    [percent(100, 100), '100'],
    [percent(99_999, 100_000), '99.999'],
    [percent(9_999_999, 10_000_000), '> 99.99'],
    [percent(1, 10_000_000), '< 0.01'],
    [percent(0, 7), '0'],
    [percent(0, 0), '–'],
    [roundFigure(0.012345), '0.0123'],
    [roundFigure(1_234.5), '1,235'],
    [byteFigure(412_000_000), '412 MB'],
    [byteFigure(0), '0 B'],
    [momentFigure(30), '30 min'],
    [momentFigure(1_439.9), '24 h'],
    [momentFigure(200), '3 h 20 min'],
  ])('%s', (written, expected) => expect(written).toBe(expected));
});

describe('verdicts', () => {
  const churn = { ...quietRecord().scenario.churn, model: 'exponential' as const };

  test.each([
    [60, 99.9],
    [90, 99.9],
    [15, 99],
    [5, 95],
    [4, undefined],
  ])('sessions of %s minutes: %s %% of lookups shall succeed', (medianSessionMinutes, aim) => {
    expect(successAim(withScenario({ churn: { ...churn, medianSessionMinutes } }))).toBe(aim);
  });

  test('one failed lookup misses the aim of a steady overlay', () => {
    const record = quietRecord();
    const verdictOf = (succeeded: number) =>
      aimLines({ ...record, lookups: { ...record.lookups, succeeded } })[0]?.isMet;
    expect([verdictOf(120), verdictOf(119)]).toEqual([true, false]);
  });

  test('under faults or attack only what is promised has a verdict', () => {
    const faults = [{ type: 'vanish', atMinutes: 1, share: 0.2 } as const];
    const lines = aimLines(withScenario({ faults }));
    expect(lines.filter(({ isMet }) => isMet !== undefined).map(({ what }) => what)).toEqual([
      'The ring after churn and faults have ended',
    ]);
  });

  function withScenario(change: Partial<RunRecord['scenario']>): RunRecord {
    return { ...quietRecord(), scenario: { ...quietRecord().scenario, ...change } };
  }
});

describe('slopes', () => {
  const sizes = [100, 1_000, 10_000];
  const series = { title: '', xLabel: 'N', yLabel: 'hops', xScale: 'log' } as const;

  test('of a line in log₂ N', () => {
    const fit = fitted({
      label: 'a',
      points: sizes.map((x) => ({ x, y: 0.5 * Math.log2(x) + 1 })),
    });
    expect(fit?.slope).toBeCloseTo(0.5);
    expect(fit?.atOne).toBeCloseTo(1);
    expect(fit?.deviation).toBeCloseTo(0);
  });

  test('are said of what was measured, and not of formulas or two points', () => {
    const measured = [3.1, 4.9, 6.2].map((y, i) => ({ x: sizes[i] ?? 0, y }));
    const lines = [
      { label: 'measured', points: measured },
      { label: 'formula', points: sizes.map((x) => ({ x, y: Math.log2(x) })) },
      { label: 'short', points: measured.slice(1) },
    ];
    expect(slopeWords({ ...series, lines })).toEqual([
      'measured: fitted by 0.467·log₂ N + 0.0833.',
    ]);
    expect(slopeWords({ ...series, xScale: 'linear', lines })).toEqual([]);
  });

  test('of what falls over powers of ten, as a power', () => {
    const points = sizes.map((x) => ({ x, y: 4e7 / x ** 0.9 + x / 99 }));
    const [words] = slopeWords({ ...series, lines: [{ label: 'events/s', points }] });
    expect(words).toMatch(/^events\/s: in proportion to N to the power −0\.\d+\.$/);
  });
});
