/**
 * Every colour of the report. In the page they are CSS variables, which follow the reader's choice
 * of light or dark; in SVG files on their own they are the light ones. Text has a contrast of at
 * least 4.5 on `paper`. No colour tells alone: there is a dash, a shape, a hatching or a word too.
 */
const COLOURS = {
  paper: { light: '#ffffff', dark: '#15181c' },
  panel: { light: '#f5f6f7', dark: '#1d2126' },
  ink: { light: '#1c2024', dark: '#e7e9ec' },
  soft: { light: '#59626b', dark: '#a6afb9' },
  rule: { light: '#c9ced4', dark: '#414851' },
  grid: { light: '#e6e8eb', dark: '#2a2f36' },
  band: { light: '#ebe5d8', dark: '#33301f' },
  good: { light: '#1a6b3c', dark: '#74d39a' },
  bad: { light: '#b3261e', dark: '#ff9a90' },
  c1: { light: '#0b5cad', dark: '#74b4ff' },
  c2: { light: '#b4530e', dark: '#ffab66' },
  c3: { light: '#1f7a4d', dark: '#72d6a0' },
  c4: { light: '#7a3b9e', dark: '#d2a3f7' },
  c5: { light: '#7d6200', dark: '#e0c257' },
  c6: { light: '#a02c5d', dark: '#f79ac0' },
  c7: { light: '#59626b', dark: '#a6afb9' },
} as const;

export type ColourName = keyof typeof COLOURS;

/** As it is written into a specification or a style. */
export function colour(name: ColourName): string {
  return `var(--${name})`;
}

/** The declarations of all variables, `--ink:#1c2024;…`. */
export function colourVariables(mode: 'light' | 'dark'): string {
  return Object.entries(COLOURS)
    .map(([name, one]) => `--${name}:${one[mode]};`)
    .join('');
}

/** An SVG that stands alone: the variables are replaced by the light colours. */
export function withLightColours(svg: string): string {
  return svg.replace(/var\(--(\w+)\)/g, (whole, name: string) =>
    name in COLOURS ? COLOURS[name as ColourName].light : whole,
  );
}

/** Fills that differ without colour; `url(#hatch-1)` and so on. */
export const HATCHES_MAX = 7;

/** The first of three that are light, nearly without lines. */
export const CALM_HATCH = 8;

export function hatch(number: number): string {
  return `url(#hatch-${number})`;
}

/** The patterns themselves, for the `defs` of an SVG. */
export function hatchPatterns(): string {
  return HATCHINGS.map(([size, lines], i) => {
    const ink = colour(`c${(i % HATCHES_MAX) + 1}` as ColourName);
    const square = `width="${size}" height="${size}"`;
    return (
      `<pattern id="hatch-${i + 1}" patternUnits="userSpaceOnUse" ${square}>` +
      `<rect ${square} fill="${colour('paper')}"/>` +
      `<rect ${square} fill="${ink}" fill-opacity="${i === 0 ? 0.8 : 0.2}"/>` +
      `<path d="${lines}" stroke="${ink}" stroke-width="1.4" fill="none"/></pattern>`
    );
  }).join('');
}

/** Side of the tile, and the lines on it; none: plain. */
const HATCHINGS: readonly (readonly [number, string])[] = [
  [6, ''],
  [6, 'M-1,1l2,-2M0,6l6,-6M5,7l2,-2'],
  [6, 'M0,3h6'],
  [6, 'M-1,5l2,2M0,0l6,6M5,-1l2,2'],
  [5, 'M2.5,0v5'],
  [6, 'M0,3h6M3,0v6'],
  [6, 'M2.3,3h1.4'],
  [6, ''],
  [9, 'M4,4.5h1'],
  [18, 'M0,9h18'],
];
