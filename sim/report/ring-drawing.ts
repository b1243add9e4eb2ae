import { colour } from './colours.ts';
import { type Markup, markup, trustedMarkup } from './markup.ts';
import {
  ATTACKER_CODE,
  NUMBERS_PER_PEER,
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

export function ringPaths(states: RingStates, { peers }: RingMoment): RingPaths {
  const paths: RingPaths = {
    even: '',
    odd: '',
    values: '',
    joined: '',
    joining: '',
    down: '',
    attacker: '',
  };
  let count = 0;
  for (let at = 0; at < peers.length; at += NUMBERS_PER_PEER) {
    const [index = 0, code = 0, lane = -1, length = 0, values = 0] = peers.slice(at);
    const place = states.places[index] ?? 0;
    if (lane >= 0) {
      paths[count % 2 === 0 ? 'even' : 'odd'] += arc(place, length, LANE_RADII[lane] ?? 0);
      count += 1;
    }
    if (values > 0) {
      const end = BAR_RADIUS - Math.round(BAR_LENGTH * Math.sqrt(values / states.valuesMax));
      paths.values += `M${point(place, BAR_RADIUS)}L${point(place, end)}`;
    }
    const mark = `M${point(place, MARK_RADIUS)}`;
    const state = code % ATTACKER_CODE;
    if (code >= ATTACKER_CODE) paths.attacker += mark + TRIANGLE;
    if (state === STATE_CODES.down) paths.down += mark + CROSS;
    else if (state === STATE_CODES.joining) paths.joining += mark + CIRCLE;
    else if (code < ATTACKER_CODE) paths.joined += mark + DOT;
  }
  return paths;
}

/** The ring as an SVG, in the state of `moment`. */
export function ringSvg(states: RingStates, moment: RingMoment): Markup {
  const paths = ringPaths(states, moment);
  const layers = RING_LAYERS.map((layer) => {
    const style = trustedMarkup(LAYER_STYLES[layer]);
    return markup`<path id="ring-${layer}" d="${paths[layer]}" ${style}/>\n`;
  });
  return markup`<svg xmlns="http://www.w3.org/2000/svg" id="ring-svg" viewBox="0 0 1000 1000"
 role="img" aria-labelledby="ring-svg-title ring-svg-words" font-family="system-ui, sans-serif">
<title id="ring-svg-title">The ring after ${moment.title}</title>
<desc id="ring-svg-words">${moment.words}</desc>
${layers}<text id="ring-moment" x="500" y="512" text-anchor="middle" font-size="44"
 fill="${colour('ink')}">${moment.title}</text>
</svg>
`;
}

/** What the marks mean, with the marks. */
export function ringKey(): Markup {
  const entries: readonly (readonly [string, string, string])[] = [
    ['joined', 'M15,15h0', 'joined'],
    ['joining', `M15,15${CIRCLE}`, 'joining'],
    ['down', `M15,15${CROSS}`, 'down'],
    ['attacker', `M15,15${TRIANGLE}`, 'attacker'],
    ['even', 'M2,15h13', 'range of a peer, one shade after another'],
    ['values', 'M15,2v26', 'stored values (length: square root)'],
  ];
  const items = entries.map(([layer, d, words]) => {
    const style = trustedMarkup(LAYER_STYLES[layer as keyof RingPaths]);
    const other = trustedMarkup(
      layer === 'even' ? `<path d="M15,15h13" ${LAYER_STYLES.odd}/>` : '',
    );
    const path = markup`<path d="${d}" ${style}/>${other}`;
    return markup`<li><svg viewBox="0 0 30 30" aria-hidden="true">${path}</svg>
${words}</li>`;
  });
  return markup`<ul class="key">${items}</ul>`;
}

/** A range, which ends at its peer's place. */
function arc(place: number, length: number, radius: number): string {
  const drawn = Math.min(length, ARC_MAX);
  const isLong = drawn > RING_UNITS / 2 ? 1 : 0;
  const start = point(place - drawn, radius);
  return `M${start}A${radius},${radius},0,${isLong},1,${point(place, radius)}`;
}

function point(place: number, radius: number): string {
  const angle = (2 * Math.PI * place) / RING_UNITS;
  const x = Math.round(500 + radius * Math.sin(angle));
  return `${x},${Math.round(500 - radius * Math.cos(angle))}`;
}

/** The longest arc whose ends are not the same pixel. */
export const ARC_MAX = RING_UNITS - 20;

/** From outside to inside. */
export const LANE_RADII: readonly number[] = [480, 444, 408];
export const MARK_RADIUS = 372;
export const BAR_RADIUS = 348;
export const BAR_LENGTH = 150;
export const DOT = 'h0';
export const CIRCLE = 'm-8,0a8,8,0,1,0,16,0a8,8,0,1,0,-16,0';
export const CROSS = 'm-8,-8l16,16m0,-16l-16,16';
export const TRIANGLE = 'm0,-14l13,23h-26z';

const LAYER_STYLES: Readonly<RingPaths> = {
  even: `fill="none" stroke="${colour('c1')}" stroke-width="26"`,
  odd: `fill="none" stroke="${colour('c1')}" stroke-width="26" stroke-opacity="0.35"`,
  values: `fill="none" stroke="${colour('soft')}" stroke-width="3"`,
  joined: `fill="none" stroke="${colour('ink')}" stroke-width="11" stroke-linecap="round"`,
  joining: `fill="${colour('paper')}" stroke="${colour('c3')}" stroke-width="4"`,
  down: `fill="none" stroke="${colour('bad')}" stroke-width="4.5"`,
  attacker: `fill="${colour('band')}" stroke="${colour('c6')}" stroke-width="4.5"`,
};
