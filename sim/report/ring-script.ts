import {
  ARC_MAX,
  BAR_LENGTH,
  BAR_RADIUS,
  LANE_RADII,
  MARK_RADIUS,
  RING_LAYERS,
} from './ring-drawing.ts';
import { RING_UNITS } from './ring-states.ts';

/**
 * The page's only script: it draws the ring as it was at the slider's moment, as `ringPaths` does,
 * and names the peer that is pointed at. The page is whole without it.
 */
export const RING_SCRIPT = `'use strict';
const { states, marks } = JSON.parse(document.getElementById('ring-data').textContent);
const by = (id) => document.getElementById('ring-' + id);
const [slider, ring] = [by('slider'), by('svg')];
const radii = ${JSON.stringify(LANE_RADII)};
const angleOf = (place) => 2 * Math.PI * place / ${RING_UNITS};
const point = (place, radius) => Math.round(5000 + radius * Math.sin(angleOf(place))) + ',' +
  Math.round(5000 - radius * Math.cos(angleOf(place)));
function arc(end, length, radius) {
  const drawn = Math.min(length, ${ARC_MAX});
  return 'M' + point(end - drawn, radius) + 'A' + radius + ',' + radius + ',0,' +
    (drawn > ${RING_UNITS / 2} ? 1 : 0) + ',1,' + point(end, radius);
}
function* triples(numbers) {
  for (let at = 0; at < numbers.length; at += 3) yield numbers.slice(at, at + 3);
}
function draw() {
  const moment = states.moments[slider.value];
  const paths = { even: '', odd: '', values: '', joined: '', joining: '', down: '', attacker: '' };
  const counts = radii.map(() => 0);
  for (const [lane, end, length] of triples(moment.ranges)) {
    paths[counts[lane] % 2 === 0 ? 'even' : 'odd'] += arc(end, length, radii[lane]);
    counts[lane] += 1;
  }
  for (const [index, code, values] of triples(moment.peers)) {
    const place = states.places[index];
    if (values > 0) {
      const end = ${BAR_RADIUS} - Math.round(${BAR_LENGTH} * Math.sqrt(values / states.valuesMax));
      paths.values += 'M' + point(place, ${BAR_RADIUS}) + 'L' + point(place, end);
    }
    const start = 'M' + point(place, ${MARK_RADIUS});
    const state = code % 4;
    if (code >= 4) paths.attacker += start + marks.attacker;
    if (state === 2) paths.down += start + marks.down;
    else if (state === 1) paths.joining += start + marks.joining;
    else if (code < 4) paths.joined += start + marks.joined;
  }
  for (const layer of ${JSON.stringify(RING_LAYERS)}) by(layer).setAttribute('d', paths[layer]);
  by('moment').textContent = moment.title;
  by('svg-title').textContent = 'The ring after ' + moment.title;
  by('svg-words').textContent = by('words').textContent = moment.words;
  slider.setAttribute('aria-valuetext', moment.title);
}
function name(event) {
  const box = ring.getBoundingClientRect();
  const [x, y] = [event.clientX - box.x - box.width / 2, event.clientY - box.y - box.height / 2];
  const half = ${RING_UNITS / 2};
  const place = (Math.atan2(x, -y) / Math.PI + 2) % 2 * half;
  const away = ([index]) =>
    Math.abs((states.places[index] - place + 3 * half) % (2 * half) - half);
  const peers = [...triples(states.moments[slider.value].peers)];
  if (peers.length === 0) return;
  const [index, code, values] = peers.reduce((a, b) => away(b) < away(a) ? b : a);
  by('peer').textContent = states.names[index] + ': ' + (code >= 4 ? 'attacker, ' : '') +
    ['joined', 'joining', 'down'][code % 4] + ', ' + values + (values === 1 ? ' value' : ' values');
}
slider.addEventListener('input', draw);
ring.addEventListener('pointermove', name);
ring.addEventListener('pointerdown', name);
by('controls').hidden = false;
`;

/** Of exactly these bytes, for the Content-Security-Policy; a test says what it must be. */
export const RING_SCRIPT_HASH = 'sha256-X1yv1WGVssdmUvqLd28okmD0+Z8PYS4B3n9w16cXTGY=';
