import { element, type XmppElement } from '../stanza/xmpp-element.ts';
import { streamError } from './stream-error.ts';

/** Stream management (XEP-0198): what both kinds of streams share of it. */
export const STREAM_MANAGEMENT_NAMESPACE = 'urn:xmpp:sm:3';

/**
 * What came and how much of it is dealt with (XEP-0198 §4). Counts begin at 0 and go back to 0
 * after 2^32 - 1.
 */
export class ReceivedCount {
  private handled = 0;
  private pending = 0;
  private repeated = 0;

  /** `h`: how many stanzas of the other end are dealt with. */
  get handledCount(): number {
    return this.handled;
  }

  /** How many came and are not dealt with. */
  get pendingCount(): number {
    return this.pending;
  }

  /** A stanza came: true when it is new, false when it came before the resumption, too. */
  receive(): boolean {
    if (this.repeated > 0) {
      this.repeated -= 1;
      return false;
    }
    this.pending += 1;
    return true;
  }

  /** The oldest stanza that came is dealt with. */
  handle(): void {
    this.pending -= 1;
    this.handled = (this.handled + 1) % COUNT_MODULUS;
  }

  /**
   * The `h` of `<resume/>` or `<resumed/>`. The other end sends again what that does not count;
   * what of it came already and is being dealt with is not taken twice.
   */
  resume(): number {
    this.repeated = this.pending;
    return this.handled;
  }
}

/** What was sent and is not acknowledged yet, oldest first. */
export class UnacknowledgedQueue<Sent> {
  private readonly waiting: Sent[] = [];
  private acknowledged = 0;

  /** How many stanzas were sent, modulo 2^32. */
  get sentCount(): number {
    return (this.acknowledged + this.waiting.length) % COUNT_MODULUS;
  }

  get size(): number {
    return this.waiting.length;
  }

  /** Oldest first. */
  get all(): readonly Sent[] {
    return this.waiting;
  }

  push(sent: Sent): void {
    this.waiting.push(sent);
  }

  /**
   * The other end has handled `h` stanzas: those that it acknowledges with that, oldest first, or
   * `too-high` when so many were never sent. An older `h` than the last is no news.
   */
  acknowledge(h: number): Sent[] | 'too-high' {
    const count = (h - this.acknowledged + COUNT_MODULUS) % COUNT_MODULUS;
    if (count > COUNT_MODULUS / 2) return [];
    if (count > this.waiting.length) return 'too-high';
    this.acknowledged = h;
    return this.waiting.splice(0, count);
  }

  /** All that is waiting, oldest first; nothing is after that. */
  takeAll(): Sent[] {
    const { sentCount } = this;
    this.acknowledged = sentCount;
    return this.waiting.splice(0);
  }
}

/** The attribute `h` of `<a/>`, `<resume/>` and `<resumed/>`, or undefined when it is no count. */
export function handledCountOf(given: XmppElement): number | undefined {
  const text = given.attributes.get('h') ?? '';
  if (!/^\d{1,10}$/.test(text)) return undefined;
  const count = Number(text);
  return count < COUNT_MODULUS ? count : undefined;
}

/** `<r/>`: asks for an acknowledgement. */
export function acknowledgementRequest(): XmppElement {
  return element('r', STREAM_MANAGEMENT_NAMESPACE);
}

/** `<a/>`: acknowledges that `h` stanzas are dealt with. */
export function acknowledgement(h: number): XmppElement {
  return element('a', STREAM_MANAGEMENT_NAMESPACE, { h: String(h) });
}

/** The stream error for an `h` of more stanzas than were sent (XEP-0198 §6). */
export function handledCountTooHigh(h: number, sentCount: number): XmppElement {
  const text = `You acknowledged ${h} stanzas, but only ${sentCount} were sent to you.`;
  return streamError('undefined-condition', text, [
    element('handled-count-too-high', STREAM_MANAGEMENT_NAMESPACE, {
      h: String(h),
      'send-count': String(sentCount),
    }),
  ]);
}

const COUNT_MODULUS = 2 ** 32;
