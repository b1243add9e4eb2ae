import type { LinkUse } from './link-state.ts';
import {
  NEAREST_PROBE_IDLE_MS,
  NEIGHBOR_PROBE_IDLE_MS,
  OTHER_PROBE_IDLE_MS,
  UNUSED_LINK_IDLE_MS,
} from './timing.ts';

/**
 * After how long a silence a link is probed, or closed. One Ping shows both ends that the other
 * lives. So that one is enough, the end with the larger Node-ID (`isFirst` is false) waits a little
 * longer than the other one.
 */
export function idleLimitMs(use: LinkUse, isFirst: boolean): number {
  if (use === 'none') return UNUSED_LINK_IDLE_MS;
  const limitMs = PROBE_IDLE_MS[use];
  return isFirst ? limitMs : limitMs * SECOND_TURN_FACTOR;
}

const PROBE_IDLE_MS = {
  nearest: NEAREST_PROBE_IDLE_MS,
  neighbor: NEIGHBOR_PROBE_IDLE_MS,
  other: OTHER_PROBE_IDLE_MS,
} as const;
const SECOND_TURN_FACTOR = 1.125;
