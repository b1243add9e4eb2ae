/** The report as readers see it: in Chromium, light and dark, on a desk, a phone and paper. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { reportPlots } from '../../../sim/report/report-plots.ts';
import { ringPaths } from '../../../sim/report/ring-drawing.ts';
import { ringStatesOf } from '../../../sim/report/ring-states.ts';
import { writeReport } from '../../../sim/run/render-plots.ts';
import { areInstalled } from '../../installed-programs.ts';
import { HeadlessBrowser, installedBrowser, type Viewport } from './headless-browser.ts';
import { hostileRecord, quietRecord, sampleRecord } from './sample-record.ts';

const command = installedBrowser();

const DESK = { width: 1280, height: 900, scheme: 'light' } as const;
const PHONE = { width: 390, height: 844, scheme: 'light' } as const;
const VIEWPORTS: readonly (readonly [string, Viewport])[] = [
  ['on a desk', DESK],
  ['on a desk in the dark', { ...DESK, scheme: 'dark' }],
  ['on a phone', PHONE],
  ['on a phone in the dark', { ...PHONE, scheme: 'dark' }],
  ['on paper', { ...DESK, width: 700, media: 'print' }],
  ['without script', { ...DESK, isScriptless: true }],
];

describe('the report in a browser', () => {
  if (!areInstalled({ chromium: command !== undefined }) || command === undefined) return;
  const folder = mkdtempSync(join(tmpdir(), 'report-test-'));
  const record = sampleRecord();
  const url = pathToFileURL(join(folder, 'run.html')).href;
  const quietUrl = pathToFileURL(join(folder, 'quiet.html')).href;
  let browser: HeadlessBrowser;

  beforeAll(async () => {
    await writeReport(record, join(folder, 'run.html'));
    await writeReport(quietRecord(), join(folder, 'quiet.html'));
    browser = await HeadlessBrowser.open(command);
  });

  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true });
  });

  for (const [name, viewport] of VIEWPORTS) {
    test(`${name}: every plot is drawn, nothing is cut off, nobody complains`, async () => {
      await browser.load(url, viewport);
      const plots = await browser.evaluate<PlotFacts[]>(PLOT_FACTS);
      expect(plots.map(({ id }) => id).sort()).toEqual(
        ['ring', ...reportPlots(record).map(({ id }) => `plot-${id}`)].sort(),
      );
      checkPlots(plots);
      expect(await browser.evaluate(OVERFLOW)).toBe(0);
      expect(await browser.evaluate(FAINT_TEXTS)).toEqual([]);
      expect(browser.complaints).toEqual([]);
    });
  }

  test('without faults the plots have no letters, and their legends still have room', async () => {
    await writeReport({ ...record, faults: [] }, join(folder, 'calm.html'));
    for (const viewport of [DESK, PHONE]) {
      await browser.load(pathToFileURL(join(folder, 'calm.html')).href, viewport);
      checkPlots(await browser.evaluate<PlotFacts[]>(PLOT_FACTS));
    }
  });

  test('light and dark differ in paper and ink', async () => {
    const colours: unknown[] = [];
    for (const scheme of ['light', 'dark'] as const) {
      await browser.load(url, { ...DESK, scheme });
      colours.push(await browser.evaluate(PAPER_AND_INK));
    }
    expect(colours[0]).not.toEqual(colours[1]);
  });

  test('the slider shows the ring as it was at every moment', async () => {
    await browser.load(url, DESK);
    const states = ringStatesOf(record);
    for (const [i, moment] of [...states.moments.entries()].reverse()) {
      await browser.evaluate(moveSlider(i));
      expect(await browser.evaluate(RING_FACTS)).toEqual({
        ...ringPaths(states, moment),
        words: moment.words,
        title: moment.title,
      });
    }
  });

  test('two rings of a partition are two circles beside each other', async () => {
    await browser.load(url, DESK);
    const split = record.ring.findIndex(({ atMinutes }) => atMinutes === 35);
    await browser.evaluate(moveSlider(split));
    const { words } = await browser.evaluate<{ words: string }>(RING_FACTS);
    expect(words).toContain('100 % is claimed more than once');
  });

  test('pointing at the ring names the peer there', async () => {
    await browser.load(url, DESK);
    expect(await browser.evaluate(POINT_AT_THE_TOP)).toMatch(/^peer-\d+: .*joined, \d+ values?$/);
  });

  test('a run with little to say has no empty plot', async () => {
    await browser.load(quietUrl, DESK);
    const plots = await browser.evaluate<PlotFacts[]>(PLOT_FACTS);
    expect(plots.map(({ id }) => id)).toEqual(['plot-hops', 'plot-latency']);
    expect(plots.every(({ marks }) => marks > 0)).toBe(true);
    expect(browser.complaints).toEqual([]);
  });

  test('a hostile name is shown and not obeyed', async () => {
    await writeReport(hostileRecord(EVIL), join(folder, 'evil.html'));
    await browser.load(pathToFileURL(join(folder, 'evil.html')).href, PHONE);
    expect(await browser.evaluate("document.querySelector('h1').textContent")).toBe(EVIL);
    expect(await browser.evaluate('String(window.isObeyed)')).toBe('undefined');
    expect(await browser.evaluate(OVERFLOW)).toBe(0);
    expect(browser.complaints).toEqual([]);
  });

  test('the policy refuses every other script and picture, and this test would see it', async () => {
    const added = `<script>window.isObeyed = true</script><img src="https://example.org/a.png">`;
    const html = readFileSync(join(folder, 'run.html'), 'utf8').replace(
      '</main>',
      `${added}</main>`,
    );
    writeFileSync(join(folder, 'changed.html'), html);
    const other = await HeadlessBrowser.open(command);
    await other.load(pathToFileURL(join(folder, 'changed.html')).href, DESK);
    expect(await other.evaluate('String(window.isObeyed)')).toBe('undefined');
    await other.close();
    expect(other.complaints.filter((one) => one.includes('Content Security Policy'))).toHaveLength(
      2,
    );
  });

  test('each SVG file opens on its own', async () => {
    for (const name of readdirSync(join(folder, 'run-files')).filter((one) =>
      one.endsWith('.svg'),
    )) {
      await browser.load(pathToFileURL(join(folder, 'run-files', name)).href, DESK);
      expect(await browser.evaluate('document.documentElement.nodeName')).toBe('svg');
      expect(await browser.evaluate("document.querySelectorAll('parsererror').length")).toBe(0);
    }
    expect(browser.complaints).toEqual([]);
  });
});

const EVIL = `</title></script><script>isObeyed=1</script><img src=x onerror="isObeyed=1">${'x'.repeat(99)}`;

interface PlotFacts {
  readonly id: string;
  /** How many of its drawings are shown. */
  readonly svgs: number;
  /** Marks with an extent, axes and legends apart. */
  readonly marks: number;
  /** Texts that reach out of the drawing. */
  readonly outside: readonly string[];
  /** Texts that are written over each other. */
  readonly overlaps: readonly string[];
}

function checkPlots(plots: readonly PlotFacts[]): void {
  for (const { id, svgs, marks, outside, overlaps } of plots) {
    expect(svgs, `${id} is drawn once`).toBe(1);
    expect(marks, `${id} has marks`).toBeGreaterThan(0);
    expect(outside, `${id} has text outside of its picture`).toEqual([]);
    expect(overlaps, `${id} has text over text`).toEqual([]);
  }
}

const PLOT_FACTS = `[...document.querySelectorAll('figure')].map((figure) => {
  const isShown = (svg) => svg.getBoundingClientRect().width > 0;
  const svgs = [...figure.querySelectorAll(':scope > svg')].filter(isShown);
  const marks = svgs.flatMap((svg) => [...svg.querySelectorAll('.role-mark *, #ring-svg > path')]);
  const box = svgs[0]?.getBoundingClientRect();
  const isOutside = (text) => {
    const { left, right, top, bottom } = text.getBoundingClientRect();
    return left < box.left - 1 || right > box.right + 1 || top < box.top - 1 || bottom > box.bottom + 1;
  };
  const texts = svgs.flatMap((svg) => [...svg.querySelectorAll('text')]);
  const overlap = (one, other) => {
    const [a, b] = [one, other].map((text) => text.getBoundingClientRect());
    return Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
      Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 5;
  };
  return {
    id: figure.id || figure.className,
    svgs: svgs.length,
    marks: marks.filter((mark) => {
      const { width, height } = mark.getBoundingClientRect();
      return width > 0 || height > 0;
    }).length,
    outside: texts.filter(isOutside).map((text) => text.textContent),
    overlaps: texts.flatMap((one, i) => texts.slice(i + 1).filter((other) => overlap(one, other))
      .map((other) => one.textContent + ' | ' + other.textContent)),
  };
})`;

const OVERFLOW = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';

const PAPER_AND_INK =
  '[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]';

/** Texts whose contrast with the paper is less than 4.5 (WCAG 2.2 §1.4.3). */
const FAINT_TEXTS = `(() => {
  const light = (colour) => colour.match(/[\\d.]+/g).slice(0, 3)
    .map((value) => value / 255)
    .map((value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
    .reduce((sum, value, i) => sum + value * [0.2126, 0.7152, 0.0722][i], 0);
  const paper = light(getComputedStyle(document.body).backgroundColor);
  const contrast = (colour) => (Math.max(light(colour), paper) + 0.05) / (Math.min(light(colour), paper) + 0.05);
  const faint = [...document.querySelectorAll('body *')].filter((one) => {
    const hasText = [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== '');
    if (!hasText || one.matches('script, style, title, desc') || one.getBoundingClientRect().width === 0) return false;
    const style = getComputedStyle(one);
    return contrast(one.matches('svg text') ? style.fill : style.color) < 4.5;
  });
  return faint.map((one) => one.textContent);
})()`;

const RING_FACTS = `(() => {
  const layers = ['even', 'odd', 'values', 'joined', 'joining', 'down', 'attacker'];
  const by = (id) => document.getElementById('ring-' + id);
  const paths = Object.fromEntries(layers.map((layer) => [layer, by(layer).getAttribute('d')]));
  return { ...paths, words: by('words').textContent, title: by('moment').textContent };
})()`;

const POINT_AT_THE_TOP = `(() => {
  const ring = document.getElementById('ring-svg');
  const { x, y, width } = ring.getBoundingClientRect();
  ring.dispatchEvent(new PointerEvent('pointermove', { clientX: x + width / 2, clientY: y + 9 }));
  return document.getElementById('ring-peer').textContent;
})()`;

function moveSlider(to: number): string {
  return `(() => {
    const slider = document.getElementById('ring-slider');
    slider.value = ${to};
    slider.dispatchEvent(new Event('input'));
  })()`;
}
