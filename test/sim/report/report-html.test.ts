import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { reportFiles } from '../../../sim/report/report-files.ts';
import { reportHtml } from '../../../sim/report/report-html.ts';
import { reportPlots } from '../../../sim/report/report-plots.ts';
import { RING_SCRIPT, RING_SCRIPT_HASH } from '../../../sim/report/ring-script.ts';
import { renderPlots } from '../../../sim/run/render-plots.ts';
import type { RunRecord } from '../../../sim/simulation/run-record.ts';
import { hostileRecord, quietRecord, sampleRecord } from './sample-record.ts';

describe('the report of a run with everything in it', async () => {
  const { html, warnings, files } = await reportOf(sampleRecord());

  test('vega has nothing to complain about', () => expect(warnings).toEqual([]));

  test('says what was run, how it ended, and how to run it again', () => {
    for (const words of [
      'Correctness violation',
      'npm run sim -- --scenario partition-and-vanish --peers 200 --hours 2 --seed 7',
      'b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c',
      'generated with the percentiles of the PlanetLab matrix',
      'cheap (not cryptographic)',
      '43,822',
      '412 MB',
      'no-acknowledged-store-lost',
      '0.5·log₂ 200 = 3.82',
      '✗ missed',
    ]) {
      expect(html).toContain(words);
    }
  });

  test('loads nothing from anywhere and runs one script alone, that of the policy', () => {
    const hash = createHash('sha256').update(RING_SCRIPT).digest('base64');
    expect(RING_SCRIPT_HASH).toBe(`sha256-${hash}`);
    const policy = html.match(/Content-Security-Policy" content="([^"]*)"/)?.[1];
    expect(policy?.replaceAll('&#39;', "'")).toBe(
      "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; " +
        `form-action 'none'; script-src '${RING_SCRIPT_HASH}'`,
    );
    expect(html.match(/<script>/g)).toHaveLength(1);
    expect(html.match(/\b(src|href)="(?!#)[^"]*"/g)).toBeNull();
    expect(html.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:/);
  });

  test('no id stands twice', () => {
    const ids = [...html.matchAll(/\bid="([^"]*)"/g)].map(([, id]) => id);
    expect(ids.filter((id, i) => ids.indexOf(id) !== i)).toEqual([]);
    const targets = [...html.matchAll(/(?:url\(#|href="#)([^)"]*)/g)].map(([, id]) => id);
    expect(targets.filter((id) => !ids.includes(id))).toEqual([]);
  });

  test('the same record gives the same bytes', async () => {
    expect((await reportOf(sampleRecord())).html).toBe(html);
  });

  test('beside it lies an SVG for each plot and a CSV for what it shows', () => {
    const names = files.map(({ name }) => name);
    expect(names).toContain('ring.svg');
    for (const plot of reportPlots(sampleRecord())) {
      expect(names).toContain(`${plot.id}.svg`);
      expect(names).toContain(`${plot.table.id}.csv`);
    }
    expect(new Set(names).size).toBe(names.length);
  });

  test('an SVG stands alone: colours instead of variables, and its hatchings', () => {
    const { content = '' } = files.find(({ name }) => name === 'traffic.svg') ?? {};
    expect(content).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" width="720"/);
    expect(content).not.toContain('var(');
    expect(content).toContain('<pattern id="hatch-2"');
    expect(content).toContain('<title id="traffic-title">');
  });

  test('a CSV has a head with units, and one line for each row', () => {
    const { content = '' } = files.find(({ name }) => name === 'peers.csv') ?? {};
    const lines = content.split('\r\n');
    expect(lines[0]).toBe('time (minutes),up,joined,links per peer');
    expect(lines[1]).toMatch(/^1,200,\d+,23\.\d+$/);
    expect(lines).toHaveLength(122);
  });

  test('parameters that differ from the defaults are marked, and come first', () => {
    const { content = '' } = files.find(({ name }) => name === 'parameters.csv') ?? {};
    expect(content).toContain('\r\nchurn.model,exponential,none,changed\r\n');
    expect(content).toContain('"partition (atMinutes 30, minutes 10, share 0.5); vanish');
    expect(content.indexOf('churn.model')).toBeLessThan(content.indexOf('clients,0,0,\r\n'));
  });
});

describe('what there is nothing to say about', async () => {
  const { html, files } = await reportOf(quietRecord());

  test('has no section and no file', () => {
    for (const title of ['Attack', 'Measured series', 'The ring', 'Traffic', 'Peers and values']) {
      expect(html).not.toContain(`<h2>${title}</h2>`);
    }
    expect(html.match(/<figure/g)).toHaveLength(2);
    expect(html).not.toContain('<script');
    expect(files.map(({ name }) => name)).not.toContain('violations.csv');
  });

  test('or a sentence', () => {
    expect(html).toContain('No checker found a violation.');
    expect(html).toContain('No lookup failed.');
    expect(html).toContain('No fault was planned.');
    expect(html).toContain('✓ Clean');
  });

  test('a run without lookups has a report too', async () => {
    const none = { ...quietRecord().lookups, started: 0, succeeded: 0 };
    const hops = { ...none.hops, histogram: [] };
    const latencyMs = { ...none.latencyMs, histogram: [] };
    const record = { ...quietRecord(), lookups: { ...none, hops, latencyMs } };
    const report = await reportOf(record);
    expect(report.html).not.toContain('<figure');
    expect(report.html).not.toMatch(/NaN|Infinity|undefined/);
  });
});

test('a name from a scenario file stays text, wherever it is shown', async () => {
  const evil = `</title></script><script>alert(1)</script><img src=x onerror="alert('2')">&amp;`;
  const record = hostileRecord(evil);
  const { html, files } = await reportOf(record);
  expect(html).not.toMatch(/<script>alert|<img/);
  expect(html.match(/<script/g)).toHaveLength(2);
  expect(html).toContain('&lt;/title&gt;&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;');
  for (const { name, content } of files) {
    if (name.endsWith('.svg')) expect(content).not.toMatch(/<script|<img/);
  }
});

test('no cell of a CSV is a formula', async () => {
  const { files } = await reportOf(hostileRecord('=HYPERLINK("x")'));
  const all = files.filter(({ name }) => name.endsWith('.csv')).map(({ content }) => content);
  expect(all.join('')).toContain(`"'=HYPERLINK(""x"")"`);
  expect(all.join('')).not.toMatch(/(^|,|\n)"?=/);
});

async function reportOf(record: RunRecord) {
  const warnings: string[] = [];
  const plots = await renderPlots(reportPlots(record), (warning) => warnings.push(warning));
  return { html: reportHtml(record, plots), files: reportFiles(record, plots), warnings };
}
