import { mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { TopLevelSpec } from 'vega-lite';
import {
  type DrawnPlot,
  NARROW_PIXELS,
  type Plot,
  type PlotSpec,
  WIDE_PIXELS,
} from '../report/plot.ts';
import { reportFiles } from '../report/report-files.ts';
import { reportHtml } from '../report/report-html.ts';
import { reportPlots } from '../report/report-plots.ts';
import type { RunRecord } from '../simulation/run-record.ts';

/**
 * Writes the report to `htmlPath` and its SVG and CSV files to a folder beside it that is named
 * after it. Returns the paths of all, the HTML first.
 */
export async function writeReport(record: RunRecord, htmlPath: string): Promise<string[]> {
  const plots = await renderPlots(reportPlots(record));
  const folder = join(dirname(htmlPath), `${basename(htmlPath).replace(/\.html?$/i, '')}-files`);
  await mkdir(folder, { recursive: true });
  const files = [
    { path: htmlPath, content: reportHtml(record, plots) },
    ...reportFiles(record, plots).map(({ name, content }) => ({
      path: join(folder, name),
      content,
    })),
  ];
  await Promise.all(files.map(({ path, content }) => writeFile(path, content)));
  return files.map(({ path }) => path);
}

/**
 * Draws them for both widths. Warnings of vega go to `warn`: a report is better than none. Vega is
 * loaded here, as most runs do without it.
 */
export async function renderPlots(
  plots: readonly Plot[],
  warn: (warning: string) => void = () => undefined,
): Promise<DrawnPlot[]> {
  const { parse, View, Warn } = await import('vega');
  const { compile } = await import('vega-lite');
  const logger = loggerTo(warn);

  async function svgOf(spec: PlotSpec): Promise<string> {
    const { spec: compiled } = compile(spec as unknown as TopLevelSpec, { logger });
    const view = new View(parse(compiled), { renderer: 'none', logLevel: Warn, logger });
    const svg = await view.toSVG();
    view.finalize();
    return svg;
  }

  const drawn: DrawnPlot[] = [];
  for (const plot of plots) {
    const wide = await svgOf(plot.spec(WIDE_PIXELS));
    const narrow = await svgOf(plot.spec(NARROW_PIXELS));
    drawn.push({ plot, wide, narrow });
  }
  return drawn;
}

/** Vega's logger, which returns itself for chaining. */
function loggerTo(warn: (warning: string) => void) {
  const logger = {
    level: (_level?: number) => logger as never,
    error: (...words: readonly unknown[]) => tell(words),
    warn: (...words: readonly unknown[]) => tell(words),
    info: () => logger,
    debug: () => logger,
  };
  function tell(words: readonly unknown[]): typeof logger {
    warn(words.map(String).join(' '));
    return logger;
  }
  return logger;
}
