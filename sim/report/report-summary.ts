import type { RunOutcome, RunRecord } from '../simulation/run-record.ts';
import { byteFigure, figure, momentFigure, roundFigure } from './figures.ts';
import { type Markup, markup } from './markup.ts';
import { successWords } from './plot-lookups.ts';

/** What was run and how it ended, before anything else. */
export function summaryHtml(record: RunRecord): Markup {
  const { scenario, outcome } = record;
  const [headline, meaning] = OUTCOMES[outcome];
  const kind = outcome === 'clean' ? 'outcome' : 'outcome bad';
  return markup`<p class="kicker">Simulator report</p>
<h1>${scenario.name}</h1>
<p class="description">${scenario.description}</p>
<div class="${kind}" role="status"><strong>${outcome === 'clean' ? '✓' : '✗'} ${headline}</strong>
${meaning} ${sentence(record)}</div>`;
}

/** The command that gives the run again, and all that is needed to compare two runs. */
export function reproductionHtml(record: RunRecord): Markup {
  const rate = record.wallSeconds === 0 ? 0 : record.events / record.wallSeconds;
  const facts: readonly (readonly [string, string])[] = [
    ['Peers at the beginning', figure(record.scenario.peers)],
    ['Clients', figure(record.scenario.clients)],
    ['Virtual time', `${roundFigure(record.virtualHours)} h`],
    ['Wall time', `${roundFigure(record.wallSeconds)} s`],
    ['Of that, observing', `${roundFigure(record.observedWallSeconds)} s`],
    ...(record.observedCpuSeconds === undefined
      ? []
      : [['Processor time of that', `${roundFigure(record.observedCpuSeconds)} s`] as const]),
    ['Events', figure(record.events)],
    ['Events per second', roundFigure(rate)],
    ['Peak memory', byteFigure(record.peakMemoryBytes)],
    ['Seed', String(record.seed)],
    ['Signatures', SIGNATURES[record.signatures]],
    ['Node.js', record.nodeVersion],
  ];
  const long: readonly (readonly [string, string])[] = [
    ['Round-trip times', record.latencySource],
    ['Commit', record.commit],
    ['Trace hash', record.traceHash],
  ];
  const item =
    (kind: string) =>
    ([name, value]: readonly [string, string]) =>
      markup`<div class="${kind}"><dt>${name}</dt><dd>${value}</dd></div>\n`;
  return markup`<p>The same run again, with the same trace hash:</p>
<pre id="command" tabindex="0">${record.command}</pre>
<dl>
${facts.map(item('short'))}${long.map(item('long'))}</dl>
`;
}

function sentence(record: RunRecord): string {
  const { scenario, faults, lookups } = record;
  const parts = [`${figure(scenario.peers)} peers for ${momentFigure(60 * scenario.hours)}`];
  const { model, medianSessionMinutes } = scenario.churn;
  if (model !== 'none' && model !== 'trace') {
    parts.push(`sessions of ${figure(medianSessionMinutes, 1)} min (median, ${model})`);
  }
  if (model === 'trace') parts.push('churn from a trace');
  if (faults.length > 0) parts.push(`${faults.length} ${faults.length === 1 ? 'fault' : 'faults'}`);
  if (scenario.attack !== undefined) {
    parts.push(`${figure(100 * scenario.attack.share, 1)} % attackers (${scenario.attack.name})`);
  }
  const success = lookups.started === 0 ? '' : ` ${capital(successWords(record))}.`;
  return `${parts.join(', ')}.${success}`;
}

function capital(words: string): string {
  return words.slice(0, 1).toUpperCase() + words.slice(1);
}

const OUTCOMES: Readonly<Record<RunOutcome, readonly [string, string]>> = {
  clean: ['Clean', 'No checker complained.'],
  assertion: ['Assertion', 'The program itself was found wrong, and the run stopped there.'],
  'not-converged': ['Not converged', 'The ring did not become whole again in the time it had.'],
  correctness: ['Correctness violation', 'A promise was broken, and the run stopped there.'],
};

const SIGNATURES: Readonly<Record<RunRecord['signatures'], string>> = {
  real: 'real',
  cheap: 'cheap (not cryptographic)',
};
