import type { RunRecord } from '../simulation/run-record.ts';
import { aimLines } from './aims.ts';
import { hatchPatterns } from './colours.ts';
import { momentFigure } from './figures.ts';
import { type Markup, markup, trustedMarkup } from './markup.ts';
import { pageStyle } from './page-style.ts';
import type { DrawnPlot, PlotSection } from './plot.ts';
import { successWords } from './plot-lookups.ts';
import { faultLetter } from './plot-style.ts';
import { inlineSvg } from './plot-svg.ts';
import { reproductionHtml, summaryHtml } from './report-summary.ts';
import { tableHtml } from './report-table.ts';
import {
  failuresTable,
  faultsTable,
  parametersTable,
  slowestTable,
  trafficTable,
  violationsTable,
} from './report-tables.ts';
import { ringKey, ringMarks, ringSvg } from './ring-drawing.ts';
import { RING_SCRIPT, RING_SCRIPT_HASH } from './ring-script.ts';
import { ringStatesOf } from './ring-states.ts';

/**
 * The report of a run: one HTML page that needs nothing else, neither network nor script. Its one
 * script moves the slider of the ring. Sections without content are left out.
 */
export function reportHtml(record: RunRecord, plots: readonly DrawnPlot[]): string {
  const sections = sectionsOf(record, plots).filter(({ body }) => body.text !== '');
  const links = sections.map(({ id, title }) => markup`<li><a href="#${id}">${title}</a></li>`);
  const bodies = sections.map(
    ({ id, title, body }) => markup`<section id="${id}">\n<h2>${title}</h2>\n${body}</section>\n`,
  );
  const hatches = trustedMarkup(hatchPatterns());
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${record.scenario.name}: simulator report</title>
<style>${trustedMarkup(pageStyle())}</style>
</head>
<body>
<svg class="hatches" aria-hidden="true"><defs>${hatches}</defs></svg>
<header>
${summaryHtml(record)}
<nav aria-label="Sections"><ul>${links}</ul></nav>
</header>
<main>
${bodies}</main>
<footer><p>xmpp-over-reload, simulator of RELOAD (RFC 6940) overlays.</p></footer>
</body>
</html>
`.text;
}

interface Section {
  readonly id: string;
  readonly title: string;
  readonly body: Markup;
}

function sectionsOf(record: RunRecord, plots: readonly DrawnPlot[]): Section[] {
  const drawn = (section: PlotSection) => plotsHtml(record, plots, section);
  return [
    { id: 'run', title: 'The run', body: reproductionHtml(record) },
    { id: 'aims', title: 'Beside the aims', body: aimsHtml(record) },
    { id: 'checks', title: 'Checks', body: checksHtml(record) },
    { id: 'ring', title: 'The ring', body: ringHtml(record) },
    { id: 'lookups', title: 'Lookups', body: lookupsHtml(record, drawn('lookups')) },
    { id: 'overlay', title: 'Peers and values', body: drawn('overlay') },
    { id: 'traffic', title: 'Traffic', body: trafficHtml(record, drawn('traffic')) },
    { id: 'attack', title: 'Attack', body: drawn('attack') },
    { id: 'series', title: 'Measured series', body: seriesHtml(plots) },
    { id: 'scenario', title: 'Scenario', body: scenarioHtml(record) },
  ];
}

function aimsHtml(record: RunRecord): Markup {
  const lines = aimLines(record);
  if (lines.length === 0) return markup``;
  const rows = lines.map(({ what, measured, aim, isMet }) => {
    const verdict =
      isMet === undefined
        ? markup`<td class="none">–</td>`
        : markup`<td class="${isMet ? 'met' : 'missed'}">${isMet ? '✓ met' : '✗ missed'}</td>`;
    const figures = markup`<td class="number">${measured}</td><td>${aim}</td>`;
    return markup`<tr><td>${what}</td>${figures}${verdict}</tr>\n`;
  });
  return markup`<div class="table short" tabindex="0" role="region"
 aria-label="Measured beside the aims">
<table id="aims-table"><caption class="unseen">Measured beside the aims</caption>
<thead><tr><th scope="col">what</th><th scope="col" class="number">measured</th>
<th scope="col">aim</th><th scope="col">verdict</th></tr></thead>
<tbody>
${rows}</tbody></table></div>
`;
}

function checksHtml(record: RunRecord): Markup {
  if (record.violations.length === 0) return markup`<p>No checker found a violation.</p>\n`;
  return tableHtml(violationsTable(record));
}

function ringHtml(record: RunRecord): Markup {
  const states = ringStatesOf(record);
  const last = states.moments.at(-1);
  if (last === undefined) return markup``;
  const end = states.moments.length - 1;
  const json = JSON.stringify({ states, marks: ringMarks(states) }).replaceAll('<', '\\u003c');
  const isSampled = states.onePeerIn > 1;
  const oneIn = `One peer in ${states.onePeerIn} is drawn; ranges and shares are of all.`;
  const hidden = trustedMarkup(end === 0 ? ' style="display:none"' : '');
  return markup`<figure class="ring">
<h3>Who is responsible for what</h3>
${ringSvg(states, last)}<div class="ring-controls" id="ring-controls" hidden${hidden}>
<label for="ring-slider">Time</label>
<input type="range" id="ring-slider" min="0" max="${end}" value="${end}" step="1"
 aria-valuetext="${last.title}" autocomplete="off"></div>
<figcaption><p id="ring-words">${last.words}</p><p id="ring-peer"></p>
${ringKey(states)}
<p>Ranges that overlap are drawn beside each other: two closed circles are two rings.</p>
${isSampled ? markup`<p>${oneIn}</p>` : undefined}
</figcaption></figure>
<script type="application/json" id="ring-data">${trustedMarkup(json)}</script>
<script>${trustedMarkup(RING_SCRIPT)}</script>
`;
}

function lookupsHtml(record: RunRecord, plots: Markup): Markup {
  const { lookups } = record;
  if (lookups.started === 0) return markup``;
  const none = markup`<p>No lookup failed.</p>\n`;
  const failures = failuresTable(record);
  const slowest = slowestTable(record);
  return markup`<p>${successWords(record)}.</p>
${plots}${failures.rows.length === 0 ? none : tableHtml(failures)}${
  slowest.rows.length === 0 ? undefined : tableHtml(slowest)
}`;
}

function trafficHtml(record: RunRecord, plots: Markup): Markup {
  const table = trafficTable(record);
  return table.rows.length === 0 ? plots : markup`${plots}${tableHtml(table)}`;
}

function seriesHtml(plots: readonly DrawnPlot[]): Markup {
  const parts = plots
    .filter(({ plot }) => plot.section === 'series')
    .map((drawn) => markup`${figureHtml(drawn, [])}${tableHtml(drawn.plot.table, true)}`);
  return markup`${parts}`;
}

function scenarioHtml(record: RunRecord): Markup {
  const { faults } = record;
  const none = markup`<p>No fault was planned.</p>\n`;
  return markup`${faults.length === 0 ? none : tableHtml(faultsTable(record))}${tableHtml(
    parametersTable(record),
  )}`;
}

function plotsHtml(record: RunRecord, plots: readonly DrawnPlot[], section: PlotSection): Markup {
  const letters = record.faults.map(({ atMinutes, endMinutes, label }, i) => {
    const end = endMinutes === undefined ? '' : ` to ${momentFigure(endMinutes)}`;
    return markup`<li><b>${faultLetter(i)}</b> ${momentFigure(atMinutes)}${end}: ${label}</li>`;
  });
  const own = plots.filter(({ plot }) => plot.section === section);
  const figures = (isSmall: boolean) =>
    own
      .filter(({ plot }) => SMALL.has(plot.id) === isSmall)
      .map((drawn) => figureHtml(drawn, letters));
  const small = figures(true);
  const pair = small.length === 0 ? undefined : markup`<div class="pair">\n${small}</div>\n`;
  return markup`${figures(false)}${pair}`;
}

function figureHtml(drawn: DrawnPlot, letters: readonly Markup[]): Markup {
  const { plot } = drawn;
  const notes = plot.notes.map((note) => markup`<p>${note}</p>`);
  const isMarked = plot.marksFaults && letters.length > 0;
  const faults = isMarked ? markup`<ul class="faults">${letters}</ul>` : undefined;
  const wide = SMALL.has(plot.id) ? '' : inlineSvg(drawn, 'wide');
  return markup`<figure id="plot-${plot.id}">
<h3>${plot.title}</h3>
${trustedMarkup(wide)}${trustedMarkup(inlineSvg(drawn, 'narrow'))}
<figcaption>${faults}${notes}</figcaption>
</figure>
`;
}

/** Two of them have room beside each other. */
const SMALL = new Set(['hops', 'latency']);

const POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; " +
  `form-action 'none'; script-src '${RING_SCRIPT_HASH}'`;
