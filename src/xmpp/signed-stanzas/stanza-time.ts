import { parseUtcTime } from '../../overlay-config/date-time.ts';
import { DELAY_NAMESPACE } from '../stanza/namespaces.ts';
import { childElements, isElement, type XmppElement } from '../stanza/xmpp-element.ts';
import { FRESH_WITHIN_MS, LONGEST_WAIT_MS } from './signed-limits.ts';
import { formatTimestamp } from './signed-timestamp.ts';
import { StanzaRefusal } from './stanza-refusal.ts';

/** `stored`: it waited for this peer, and everything that is known here agrees with that. */
export type StanzaAge = 'fresh' | 'stored';

/** What the receiver itself knows about the past. */
export interface OwnPast {
  /** Since when every timestamp that was accepted is remembered, ms since 1970. */
  readonly guardedSinceUnixMs: number;
  /** Whether this peer was not connected to its server at about that time. */
  wasAwayAt(unixMs: number): boolean;
}

/**
 * How old a stanza with this timestamp is — XEP-0285 §5. Within five minutes it is fresh. An older
 * one is believed to have waited on a server only when the server's delay stamp agrees with its
 * timestamp, this peer knows of itself that it was away then, and the wait is one that the replay
 * guard outlives: a stamp alone says nothing, since whoever withholds a stanza can write one.
 */
export function ageOf(
  timestampUnixMs: number,
  stampsUnixMs: readonly number[],
  past: OwnPast,
  unixMs: number,
): StanzaAge | StanzaRefusal {
  const time = formatTimestamp(timestampUnixMs);
  const age = unixMs - timestampUnixMs;
  if (age < -FRESH_WITHIN_MS) {
    return new StanzaRefusal('future-timestamp', `signed at ${time}, which is yet to come`);
  }
  if (timestampUnixMs < past.guardedSinceUnixMs) {
    const since = formatTimestamp(past.guardedSinceUnixMs);
    const detail = `signed at ${time}; what came before ${since} is not remembered here`;
    return new StanzaRefusal('before-replay-guard', detail);
  }
  if (age <= FRESH_WITHIN_MS) return 'fresh';
  if (age > LONGEST_WAIT_MS) {
    return new StanzaRefusal('too-old', `signed at ${time}, longer ago than any message waits`);
  }
  if (stampsUnixMs.length === 0) {
    const detail = `signed at ${time}, and no server says that it kept it`;
    return new StanzaRefusal('old-timestamp', detail);
  }
  if (!stampsUnixMs.some((stamp) => Math.abs(stamp - timestampUnixMs) <= FRESH_WITHIN_MS)) {
    const detail = `signed at ${time}, but no delay stamp is within five minutes of that`;
    return new StanzaRefusal('delay-disagrees', detail);
  }
  if (!past.wasAwayAt(timestampUnixMs)) {
    const detail = `signed at ${time}, when this peer was connected: no server had to keep it`;
    return new StanzaRefusal('withheld', detail);
  }
  return 'stored';
}

/** The times of the delay stamps (XEP-0203) beside the signed payload, ms since 1970. */
export function delayStamps(outer: XmppElement): number[] {
  return childElements(outer)
    .filter((child) => isElement(child, 'delay', DELAY_NAMESPACE))
    .slice(0, STAMPS_MAX)
    .flatMap((child) => parseUtcTime(child.attributes.get('stamp') ?? '') ?? []);
}

/** A stanza passes two servers and perhaps an archive. */
const STAMPS_MAX = 8;
