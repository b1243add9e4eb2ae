import { formatUtcTime, parseUtcTime } from '../../overlay-config/date-time.ts';
import { CLOCK_SET_BACK_MS } from './signed-limits.ts';

/**
 * `2010-06-29T02:15:21.012Z` — XEP-0285 §5: UTC with no offset, seconds and three digits of their
 * fraction, 24 characters.
 */
export function formatTimestamp(unixMs: number): string {
  const text = formatUtcTime(unixMs);
  return text.length === TIMESTAMP_LENGTH ? text : `${text.slice(0, -1)}.000Z`;
}

/** ms since 1970, or undefined for anything that is not exactly of that form. */
export function parseTimestamp(text: string): number | undefined {
  return TIMESTAMP.test(text) ? parseUtcTime(text) : undefined;
}

/** The timestamps of one signer: each greater than the last (XEP-0285 §5). */
export class TimestampSource {
  private last = 0;

  next(unixMs: number): number {
    const isSetBack = this.last - unixMs > CLOCK_SET_BACK_MS;
    this.last = isSetBack ? unixMs : Math.max(unixMs, this.last + 1);
    return this.last;
  }
}

const TIMESTAMP = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;
const TIMESTAMP_LENGTH = 24;
