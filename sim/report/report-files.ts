import type { RunRecord } from '../simulation/run-record.ts';
import { aimLines } from './aims.ts';
import { colour, withLightColours } from './colours.ts';
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
import { ringSvg } from './ring-drawing.ts';
import { ringStatesOf, thinned } from './ring-states.ts';

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
    ...ringFiles(record),
    ...plots.map((drawn) => ({ name: `${drawn.plot.id}.svg`, content: standaloneSvg(drawn) })),
    ...tables
      .filter(({ rows }) => rows.length > 0)
      .map((table) => ({ name: `${table.id}.csv`, content: tableCsv(table) })),
  ];
}

/** The ring at the end. */
function ringFiles(record: RunRecord): ReportFile[] {
  const states = ringStatesOf(record);
  const last = states.moments.at(-1);
  if (last === undefined) return [];
  const paper = `<rect width="100%" height="100%" fill="${colour('paper')}"/>`;
  const svg = ringSvg(states, last).text.replace('</desc>', `</desc>${paper}`);
  return [{ name: 'ring.svg', content: withLightColours(svg) }];
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

/** Of a large ring less often, as one row for each peer and moment is soon too much. */
function ringTable({ ring }: RunRecord): ReportTable {
  const peersMost = Math.max(1, ...ring.map(({ peers }) => peers.length));
  const moments = thinned(ring, Math.floor(RING_ROWS_MAX / peersMost));
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
    rows: moments.flatMap(({ atMinutes, peers }) =>
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

const RING_ROWS_MAX = 50_000;
