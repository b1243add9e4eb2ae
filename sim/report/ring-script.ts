import {
  ARC_MAX,
  BAR_LENGTH,
  BAR_RADIUS,
  CIRCLE,
  CROSS,
  DOT,
  LANE_RADII,
  MARK_RADIUS,
  RING_LAYERS,
  TRIANGLE,
} from './ring-drawing.ts';
import { NUMBERS_PER_PEER, RING_UNITS } from './ring-states.ts';

/**
 * The page's only script: it draws the ring as it was at the slider's moment, as `ringPaths` does,
 * and names the peer that is pointed at. The page is whole without it.
 */
export const RING_SCRIPT = `'use strict';
const data = JSON.parse(document.getElementById('ring-data').textContent);
const by = (id) => document.getElementById('ring-' + id);
const [slider, ring] = [by('slider'), by('svg')];
const angleOf = (place) => 2 * Math.PI * place / ${RING_UNITS};
const point = (place, radius) => Math.round(500 + radius * Math.sin(angleOf(place))) + ',' +
  Math.round(500 - radius * Math.cos(angleOf(place)));
function arc(place, length, radius) {
  const drawn = Math.min(length, ${ARC_MAX});
  return 'M' + point(place - drawn, radius) + 'A' + radius + ',' + radius + ',0,' +
    (drawn > ${RING_UNITS / 2} ? 1 : 0) + ',1,' + point(place, radius);
}
const radii = ${JSON.stringify(LANE_RADII)};
function* peersOf({ peers }) {
  for (let at = 0; at < peers.length; at += ${NUMBERS_PER_PEER}) {
    const [index, code, lane, length, values] = peers.slice(at, at + ${NUMBERS_PER_PEER});
    yield { index, place: data.places[index], code, state: code % 4, lane, length, values };
  }
}
function draw() {
  const moment = data.moments[slider.value];
  const paths = { even: '', odd: '', values: '', joined: '', joining: '', down: '', attacker: '' };
  let count = 0;
  for (const { place, code, state, lane, length, values } of peersOf(moment)) {
    if (lane >= 0) {
      paths[count % 2 === 0 ? 'even' : 'odd'] += arc(place, length, radii[lane]);
      count += 1;
    }
    if (values > 0) {
      const end = ${BAR_RADIUS} - Math.round(${BAR_LENGTH} * Math.sqrt(values / data.valuesMax));
      paths.values += 'M' + point(place, ${BAR_RADIUS}) + 'L' + point(place, end);
    }
    const mark = 'M' + point(place, ${MARK_RADIUS});
    if (code >= 4) paths.attacker += mark + '${TRIANGLE}';
    if (state === 2) paths.down += mark + '${CROSS}';
    else if (state === 1) paths.joining += mark + '${CIRCLE}';
    else if (code < 4) paths.joined += mark + '${DOT}';
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
  const place = (Math.atan2(x, -y) / 2 / Math.PI + 1) % 1 * ${RING_UNITS};
  const half = ${RING_UNITS / 2};
  const away = (peer) => Math.abs((peer.place - place + 3 * half) % (2 * half) - half);
  const peers = [...peersOf(data.moments[slider.value])].sort((a, b) => away(a) - away(b));
  if (peers.length === 0) return;
  const { index, code, state, values } = peers[0];
  by('peer').textContent = data.names[index] + ': ' + (code >= 4 ? 'attacker, ' : '') +
    ['joined', 'joining', 'down'][state] + ', ' + values + (values === 1 ? ' value' : ' values');
}
slider.addEventListener('input', draw);
ring.addEventListener('pointermove', name);
ring.addEventListener('pointerdown', name);
by('controls').hidden = false;
`;

/** Of exactly these bytes, for the Content-Security-Policy; a test says what it must be. */
export const RING_SCRIPT_HASH = 'sha256-bwq1LXHm5pqcB0a39n/BhrnAp0f18cGCWZI3/a29eEU=';
