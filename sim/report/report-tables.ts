import { DEFAULT_SCENARIO } from '../scenario/default-scenario.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { RunRecord } from '../simulation/run-record.ts';
import { byteFigure, figure, roundFigure } from './figures.ts';
import { faultLetter } from './plot-style.ts';
import type { ReportTable } from './report-table.ts';

export function violationsTable({ violations }: RunRecord): ReportTable {
  return {
    id: 'violations',
    title: 'Violations',
    columns: [
      { name: 'checker' },
      { name: 'kind' },
      { name: 'time', unit: 'minutes', show: (value) => figure(value, 3) },
      { name: 'event', show: (value) => figure(value) },
      { name: 'nodes' },
      { name: 'what was wrong' },
    ],
    rows: violations.map((one) => [
      one.checker,
      one.kind,
      one.atMinutes,
      one.event,
      one.nodes.join(', '),
      one.detail,
    ]),
  };
}

export function slowestTable({ lookups }: RunRecord): ReportTable {
  return {
    id: 'slowest-lookups',
    title: 'Slowest lookups',
    columns: [
      { name: 'time', unit: 'minutes', show: (value) => value.toFixed(2) },
      { name: 'from' },
      { name: 'target' },
      { name: 'outcome' },
      { name: 'took', unit: 'ms', show: (value) => figure(value), hasBar: true },
      { name: 'hops' },
    ],
    rows: lookups.slowest.map((one) => [
      one.atMinutes,
      one.from,
      one.target,
      one.outcome,
      one.ms,
      one.hops,
    ]),
  };
}

export function failuresTable({ lookups }: RunRecord): ReportTable {
  return {
    id: 'failures',
    title: 'Lookups that failed, by reason',
    columns: [
      { name: 'reason' },
      { name: 'lookups', show: (value) => figure(value), hasBar: true },
      { name: 'of all lookups', unit: '%', show: roundFigure },
    ],
    rows: Object.entries(lookups.failures)
      .sort(([, one], [, other]) => other - one)
      .map(([reason, count]) => [reason, count, (100 * count) / Math.max(1, lookups.started)]),
  };
}

export function trafficTable({ traffic }: RunRecord): ReportTable {
  const total = traffic.byMethod.reduce((all, { bytes }) => all + bytes, 0);
  return {
    id: 'traffic-by-method',
    title: 'Traffic by method',
    columns: [
      { name: 'method' },
      { name: 'messages', show: (value) => figure(value) },
      { name: 'bytes', show: byteFigure },
      { name: 'a peer sends', unit: 'B/s', show: (value) => value.toFixed(1), hasBar: true },
      { name: 'share', unit: '%', show: (value) => value.toFixed(1) },
    ],
    rows: [...traffic.byMethod]
      .sort((a, b) => b.bytes - a.bytes)
      .map((one) => [
        one.method,
        one.messages,
        one.bytes,
        one.bytesPerPeerPerSecond,
        (100 * one.bytes) / Math.max(1, total),
      ]),
  };
}

export function faultsTable({ faults }: RunRecord): ReportTable {
  return {
    id: 'faults',
    title: 'Faults',
    columns: [
      { name: 'mark' },
      { name: 'from', unit: 'minutes', show: (value) => figure(value, 2) },
      { name: 'to', unit: 'minutes', show: (value) => figure(value, 2) },
      { name: 'what' },
    ],
    rows: faults.map((one, i) => [faultLetter(i), one.atMinutes, one.endMinutes, one.label]),
  };
}

/** Every field of the scenario; those that differ from the defaults come first. */
export function parametersTable({ scenario, seed, signatures }: RunRecord): ReportTable {
  const standard = new Map(flattened(DEFAULT_SCENARIO));
  const all = flattened(scenario).map(([name, value]) => {
    const usual = standard.get(name);
    return { name, value, usual, isChanged: usual !== value };
  });
  const rows = [...all.filter((one) => one.isChanged), ...all.filter((one) => !one.isChanged)];
  return {
    id: 'parameters',
    title: 'Parameters',
    columns: [{ name: 'parameter' }, { name: 'value' }, { name: 'default' }, { name: 'changed' }],
    rows: [
      ['seed', String(seed), undefined, undefined],
      ['signatures', signatures, undefined, undefined],
      ...rows.map((one) => [
        one.name,
        one.value,
        one.usual ?? '–',
        one.isChanged ? 'changed' : undefined,
      ]),
    ],
  };
}

/** `network.latency.model` and its value, as text; lists by what is in them. */
function flattened(scenario: Scenario): [string, string][] {
  return Object.entries(scenario).flatMap(([name, value]) => entriesOf(name, value));
}

function entriesOf(name: string, value: unknown): [string, string][] {
  if (Array.isArray(value)) return [[name, listWords(value)]];
  if (typeof value !== 'object' || value === null) return [[name, wordOf(value)]];
  return Object.entries(value).flatMap(([key, inner]) => entriesOf(`${name}.${key}`, inner));
}

function wordOf(value: unknown): string {
  if (value === undefined) return 'none';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return String(value);
}

function listWords(list: readonly unknown[]): string {
  if (list.length === 0) return 'none';
  if (list.length > 8) return `${figure(list.length)} entries`;
  return list.map((one) => objectWords(one)).join('; ');
}

/** `partition (atMinutes 30, minutes 10, share 0.5)`. */
function objectWords(one: unknown): string {
  if (typeof one !== 'object' || one === null) return wordOf(one);
  const { type, ...others } = one as Readonly<Record<string, unknown>>;
  const words = Object.entries(others).map(([name, value]) => `${name} ${wordOf(value)}`);
  return type === undefined ? words.join(', ') : `${wordOf(type)} (${words.join(', ')})`;
}
