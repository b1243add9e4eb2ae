import type { RunRecord } from '../simulation/run-record.ts';
import { aimLines } from './aims.ts';
import type { DrawnPlot } from './plot.ts';
import { standaloneSvg } from './plot-svg.ts';
import { type ReportTable, tableCsv } from './report-table.ts';
import {
  failuresTable,
  faultsTable,
  parametersTable,
  slowestTable,
  trafficTable,
  violationsTable,
} from './report-tables.ts';

export interface ReportFile {
  readonly name: string;
  readonly content: string;
}

/** What lies beside the report: an SVG for each plot, a CSV for what it shows and each table. */
export function reportFiles(record: RunRecord, plots: readonly DrawnPlot[]): ReportFile[] {
  const tables = [
    ...plots.map(({ plot }) => plot.table),
    aimsTable(record),
    violationsTable(record),
    failuresTable(record),
    slowestTable(record),
    trafficTable(record),
    faultsTable(record),
    parametersTable(record),
    ringTable(record),
  ];
  return [
    ...plots.map((drawn) => ({ name: `${drawn.plot.id}.svg`, content: standaloneSvg(drawn) })),
    ...tables
      .filter(({ rows }) => rows.length > 0)
      .map((table) => ({ name: `${table.id}.csv`, content: tableCsv(table) })),
  ];
}

function aimsTable(record: RunRecord): ReportTable {
  return {
    id: 'aims',
    title: 'Measured beside the aims',
    columns: [{ name: 'what' }, { name: 'measured' }, { name: 'aim' }, { name: 'verdict' }],
    rows: aimLines(record).map(({ what, measured, aim, isMet }) => [
      what,
      measured,
      aim,
      isMet === undefined ? undefined : isMet ? 'met' : 'missed',
    ]),
  };
}

function ringTable({ ring }: RunRecord): ReportTable {
  return {
    id: 'ring',
    title: 'The ring over time',
    columns: [
      { name: 'time', unit: 'minutes' },
      { name: 'peer' },
      { name: 'place', unit: 'Node-ID / 2^128' },
      { name: 'range from', unit: 'Node-ID / 2^128' },
      { name: 'state' },
      { name: 'attacker' },
      { name: 'values' },
    ],
    rows: ring.flatMap(({ atMinutes, peers }) =>
      peers.map((one) => [
        atMinutes,
        one.name,
        one.place,
        one.rangeFrom,
        one.state,
        one.isAttacker ? 'yes' : 'no',
        one.values,
      ]),
    ),
  };
}
