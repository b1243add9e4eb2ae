import type { Device } from './direct-streams.ts';

/** A stanza that was sent and is not acknowledged. */
interface SentStanza {
  readonly tag: number;
  readonly text: string;
  readonly bytes: number;
}

/**
 * What a stream with stream management is made of, apart from its connection (XEP-0198): the
 * stanzas sent and not acknowledged, and how many of those received are dealt with. It outlives
 * connections: whichever end opens the next one resumes it by its id.
 */
export class StreamSession {
  /** The SM-ID; the end that took the stream made it. */
  readonly id: string;
  readonly device: Device;
  private sent: SentStanza[] = [];
  /** How many at the beginning of `sent` are acknowledged already. */
  private head = 0;
  private acknowledgedCount = 0;
  private waitingBytes = 0;
  private receivedCount = 0;
  private handledCount = 0;
  /** So many of the next stanzas came before and are sent again. */
  private repeatedCount = 0;
  /** Sizes of the stanzas that came and are not dealt with. */
  private unhandled: number[] = [];
  private unhandledTotal = 0;

  constructor(id: string, device: Device) {
    this.id = id;
    this.device = device;
  }

  /** Bytes sent and not acknowledged. */
  get unacknowledgedBytes(): number {
    return this.waitingBytes;
  }

  get unacknowledgedStanzas(): number {
    return this.sent.length - this.head;
  }

  get unhandledBytes(): number {
    return this.unhandledTotal;
  }

  get unhandledStanzas(): number {
    return this.unhandled.length;
  }

  /** `h`: how many stanzas of the other end are dealt with, modulo 2^32. */
  get handled(): number {
    return this.handledCount % COUNTER_MODULUS;
  }

  queue(tag: number, text: string): void {
    const bytes = Buffer.byteLength(text);
    this.sent.push({ tag, text, bytes });
    this.waitingBytes += bytes;
  }

  /** The tags that `h` acknowledges, in order; undefined when so many were never sent. */
  acknowledge(h: number): number[] | undefined {
    const before = this.acknowledgedCount % COUNTER_MODULUS;
    const count = (h - before + COUNTER_MODULUS) % COUNTER_MODULUS;
    // An older count than the last one is no news: it crossed on the way.
    if (count > COUNTER_MODULUS / 2) return [];
    if (count > this.unacknowledgedStanzas) return undefined;
    const acknowledged = this.sent.slice(this.head, this.head + count);
    for (const { bytes } of acknowledged) this.waitingBytes -= bytes;
    this.head += count;
    this.acknowledgedCount += count;
    if (this.head > COMPACT_MIN && this.head * 2 > this.sent.length) {
      this.sent = this.sent.slice(this.head);
      this.head = 0;
    }
    return acknowledged.map(({ tag }) => tag);
  }

  /** How many stanzas were sent, as the other end counts them. */
  get sentCount(): number {
    return (this.acknowledgedCount + this.unacknowledgedStanzas) % COUNTER_MODULUS;
  }

  /** What is not acknowledged, to be sent again over a new connection. */
  unacknowledged(): readonly { readonly tag: number; readonly text: string }[] {
    return this.sent.slice(this.head);
  }

  /** Takes all that is not acknowledged: the session is over. */
  takeUndelivered(): number[] {
    const tags = this.sent.slice(this.head).map(({ tag }) => tag);
    this.sent = [];
    this.head = 0;
    this.waitingBytes = 0;
    return tags;
  }

  /** Whether a stanza that came is new; false: it came over the former connection, too. */
  receive(bytes: number): boolean {
    if (this.repeatedCount > 0) {
      this.repeatedCount -= 1;
      return false;
    }
    this.receivedCount += 1;
    this.unhandled.push(bytes);
    this.unhandledTotal += bytes;
    return true;
  }

  /** The oldest stanza that came is dealt with. */
  noteHandled(): void {
    this.unhandledTotal -= this.unhandled.shift() ?? 0;
    this.handledCount += 1;
  }

  /**
   * The `h` for `<resume/>` or `<resumed/>`. The other end sends again what it does not count; what
   * of it is here already and being dealt with must not count twice.
   */
  resumptionCount(): number {
    this.repeatedCount = this.receivedCount - this.handledCount;
    return this.handled;
  }
}

/** XEP-0198 §4: `h` is an unsignedInt. */
const COUNTER_MODULUS = 2 ** 32;
const COMPACT_MIN = 256;

/** An `h` as it stands in an attribute; undefined: it is none. */
export function readCount(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,10}$/.test(text)) return undefined;
  const count = Number(text);
  return count < COUNTER_MODULUS ? count : undefined;
}
