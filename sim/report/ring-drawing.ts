import { colour } from './colours.ts';
import { type Markup, markup, trustedMarkup } from './markup.ts';
import {
  ATTACKER_CODE,
  RING_UNITS,
  type RingMoment,
  type RingStates,
  STATE_CODES,
} from './ring-states.ts';

/** The paths of a moment. `ring-script.ts` does the same in the browser; a test compares them. */
export type RingPaths = Record<(typeof RING_LAYERS)[number], string>;

export const RING_LAYERS = [
  'even',
  'odd',
  'values',
  'joined',
  'joining',
  'down',
  'attacker',
] as const;

export function ringPaths(states: RingStates, { ranges, peers }: RingMoment): RingPaths {
  const marks = ringMarks(states);
  const paths = { even: '', odd: '', values: '', joined: '', joining: '', down: '', attacker: '' };
  const counts = LANE_RADII.map(() => 0);
  for (let at = 0; at < ranges.length; at += 3) {
    const [lane = 0, end = 0, length = 0] = ranges.slice(at, at + 3);
    const count = counts[lane] ?? 0;
    paths[count % 2 === 0 ? 'even' : 'odd'] += arc(end, length, LANE_RADII[lane] ?? 0);
    counts[lane] = count + 1;
  }
  for (let at = 0; at < peers.length; at += 3) {
    const [index = 0, code = 0, values = 0] = peers.slice(at, at + 3);
    const place = states.places[index] ?? 0;
    if (values > 0) {
      const end = BAR_RADIUS - Math.round(BAR_LENGTH * Math.sqrt(values / states.valuesMax));
      paths.values += `M${point(place, BAR_RADIUS)}L${point(place, end)}`;
    }
    const start = `M${point(place, MARK_RADIUS)}`;
    const state = code % ATTACKER_CODE;
    if (code >= ATTACKER_CODE) paths.attacker += start + marks.attacker;
    if (state === STATE_CODES.down) paths.down += start + marks.down;
    else if (state === STATE_CODES.joining) paths.joining += start + marks.joining;
    else if (code < ATTACKER_CODE) paths.joined += start + marks.joined;
  }
  return paths;
}

/** The mark of each state; smaller where there are many. */
export function ringMarks({ drawnMost }: RingStates) {
  const size = markSize(drawnMost);
  const scaled = (length: number) => Math.round(length * size);
  const [half, whole] = [scaled(80), 2 * scaled(80)];
  const bow = `a${half},${half},0,1,0,`;
  return {
    joined: 'h0',
    joining: `m-${half},0${bow}${whole},0${bow}-${whole},0`,
    down: `m-${half},-${half}l${whole},${whole}m0,-${whole}l-${whole},${whole}`,
    attacker: `m0,-${scaled(140)}l${scaled(130)},${scaled(230)}h-${2 * scaled(130)}z`,
  };
}

/** The ring as an SVG, in the state of `moment`. */
export function ringSvg(states: RingStates, moment: RingMoment): Markup {
  const paths = ringPaths(states, moment);
  const styles = layerStyles(markSize(states.drawnMost));
  const layers = RING_LAYERS.map((layer) => {
    const style = trustedMarkup(styles[layer]);
    return markup`<path id="ring-${layer}" d="${paths[layer]}" ${style}/>\n`;
  });
  return markup`<svg xmlns="http://www.w3.org/2000/svg" id="ring-svg" viewBox="0 0 10000 10000"
 role="img" aria-labelledby="ring-svg-title ring-svg-words" font-family="system-ui, sans-serif">
<title id="ring-svg-title">The ring after ${moment.title}</title>
<desc id="ring-svg-words">${moment.words}</desc>
${layers}<text id="ring-moment" x="5000" y="5120" text-anchor="middle" font-size="440"
 fill="${colour('ink')}">${moment.title}</text>
</svg>
`;
}

/** What the marks mean, with the marks. */
export function ringKey(states: RingStates): Markup {
  const marks = ringMarks({ ...states, drawnMost: 1 });
  const styles = layerStyles(1);
  const entries: readonly (readonly [keyof RingPaths, string, string])[] = [
    ['joined', `M150,150${marks.joined}`, 'joined'],
    ['joining', `M150,150${marks.joining}`, 'joining'],
    ['down', `M150,150${marks.down}`, 'down'],
    ['attacker', `M150,150${marks.attacker}`, 'attacker'],
    ['even', 'M20,150h130', 'ranges of peers, one shade after another'],
    ['values', 'M150,20v260', 'stored values (length: square root)'],
  ];
  const items = entries.map(([layer, d, words]) => {
    const other = layer === 'even' ? `<path d="M150,150h130" ${styles.odd}/>` : '';
    const path = markup`<path d="${d}" ${trustedMarkup(styles[layer])}/>${trustedMarkup(other)}`;
    return markup`<li><svg viewBox="0 0 300 300" aria-hidden="true">${path}</svg>
${words}</li>`;
  });
  return markup`<ul class="key">${items}</ul>`;
}

/** A range up to a place. */
function arc(end: number, length: number, radius: number): string {
  const drawn = Math.min(length, ARC_MAX);
  const isLong = drawn > RING_UNITS / 2 ? 1 : 0;
  const start = point(end - drawn, radius);
  return `M${start}A${radius},${radius},0,${isLong},1,${point(end, radius)}`;
}

function point(place: number, radius: number): string {
  const angle = (2 * Math.PI * place) / RING_UNITS;
  const x = Math.round(5000 + radius * Math.sin(angle));
  return `${x},${Math.round(5000 - radius * Math.cos(angle))}`;
}

/** 1 for a hundred peers, and a third for a thousand. */
function markSize(peers: number): number {
  return Math.min(1, Math.sqrt(110 / Math.max(1, peers)) + 0.1);
}

/** The longest arc whose ends are not the same point. */
export const ARC_MAX = RING_UNITS - 5;

/** From outside to inside. */
export const LANE_RADII: readonly number[] = [4800, 4440, 4080];
export const MARK_RADIUS = 3720;
export const BAR_RADIUS = 3480;
export const BAR_LENGTH = 1500;

function layerStyles(size: number): Readonly<RingPaths> {
  const width = (full: number) => `stroke-width="${Math.round(full * size)}"`;
  const range = `fill="none" stroke="${colour('c1')}" stroke-width="260"`;
  const line = (name: Parameters<typeof colour>[0]) => `fill="none" stroke="${colour(name)}"`;
  return {
    even: range,
    odd: `${range} stroke-opacity="0.35"`,
    values: `${line('soft')} ${width(32)}`,
    joined: `${line('ink')} ${width(110)} stroke-linecap="round"`,
    joining: `fill="${colour('paper')}" stroke="${colour('c3')}" ${width(40)}`,
    down: `${line('bad')} ${width(45)}`,
    attacker: `fill="${colour('band')}" stroke="${colour('c6')}" ${width(45)}`,
  };
}
