import { colour, hatchPatterns, withLightColours } from './colours.ts';
import { escaped } from './markup.ts';
import type { DrawnPlot, Plot } from './plot.ts';

/** As a part of the page: without what only vega's own scripts need, and with names of its own. */
export function inlineSvg(drawn: DrawnPlot, kind: 'wide' | 'narrow'): string {
  const key = `${drawn.plot.id}-${kind}`;
  const inner = slim(drawn[kind])
    .replace(/\bid="clip/g, `id="${key}-clip`)
    .replace(/url\(#clip/g, `url(#${key}-clip`);
  return withRoot(inner, drawn.plot, key, ` class="${kind}"`, '');
}

/** As a file on its own: in light colours on white, with the hatchings that it uses. */
export function standaloneSvg({ plot, wide }: DrawnPlot): string {
  const paper = `<rect width="100%" height="100%" fill="${colour('paper')}"/>`;
  const extra = `<defs>${hatchPatterns()}</defs>${paper}`;
  return `${withLightColours(withRoot(slim(wide), plot, plot.id, '', extra))}\n`;
}

function withRoot(svg: string, plot: Plot, key: string, attributes: string, extra: string): string {
  const words =
    `<title id="${key}-title">${escaped(plot.title)}</title>` +
    `<desc id="${key}-words">${escaped(plot.description)}</desc>`;
  const role = ` role="img" aria-labelledby="${key}-title ${key}-words"`;
  return svg.replace(
    /^<svg[^>]*?( width="[^"]*" height="[^"]*" viewBox="[^"]*")>/,
    (_, size: string) =>
      `<svg xmlns="http://www.w3.org/2000/svg"${attributes}${size}${role}>${words}${extra}`,
  );
}

/** Half the size: no attributes without effect, no unseen text, tenths of a pixel. */
function slim(svg: string): string {
  return svg
    .replace(/<path class="(background|foreground)"[^>]*\/>/g, '')
    .replace(/<text[^>]* opacity="0"[^>]*>[^<]*<\/text>/g, '')
    .replace(/ (aria-[a-z]+|role|pointer-events)="[^"]*"/g, '')
    .replace(/ opacity="1"| stroke-miterlimit="4"/g, '')
    .replace(/ (d|transform|x|y|x2|y2|width|height)="[^"]*"/g, (attribute) =>
      attribute.replace(/-?\d+\.\d{2,}(e-\d+)?/g, (number) =>
        String(Number(Number(number).toFixed(1))),
      ),
    );
}
