import { ReceivedCount, UnacknowledgedQueue } from '../stream/stream-management.ts';
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
  private readonly sent = new UnacknowledgedQueue<SentStanza>();
  private readonly received = new ReceivedCount();
  private sentBytes = 0;
  /** Sizes of the stanzas that came and are not dealt with, from `firstUnhandled` on. */
  private unhandled: number[] = [];
  private firstUnhandled = 0;
  private unhandledTotal = 0;

  constructor(id: string, device: Device) {
    this.id = id;
    this.device = device;
  }

  /** Bytes sent and not acknowledged. */
  get unacknowledgedBytes(): number {
    return this.sentBytes;
  }

  get unacknowledgedStanzas(): number {
    return this.sent.size;
  }

  get unhandledBytes(): number {
    return this.unhandledTotal;
  }

  get unhandledStanzas(): number {
    return this.received.pendingCount;
  }

  /** `h`: how many stanzas of the other end are dealt with, modulo 2^32. */
  get handled(): number {
    return this.received.handledCount;
  }

  /** How many stanzas were sent, as the other end counts them. */
  get sentCount(): number {
    return this.sent.sentCount;
  }

  /** What is not acknowledged, to be sent again over a new connection. */
  get unacknowledged(): readonly { readonly text: string }[] {
    return this.sent.all;
  }

  queue(tag: number, text: string): void {
    const bytes = Buffer.byteLength(text);
    this.sent.push({ tag, text, bytes });
    this.sentBytes += bytes;
  }

  /** The tags that `h` acknowledges, in order. */
  acknowledge(h: number): number[] | 'too-high' {
    const acknowledged = this.sent.acknowledge(h);
    return acknowledged === 'too-high' ? acknowledged : this.release(acknowledged);
  }

  /** Takes all that is not acknowledged: the session is over. */
  takeUndelivered(): number[] {
    return this.release(this.sent.takeAll());
  }

  /** Whether a stanza that came is new; false: it came over the former connection, too. */
  receive(bytes: number): boolean {
    if (!this.received.receive()) return false;
    this.unhandled.push(bytes);
    this.unhandledTotal += bytes;
    return true;
  }

  /** The oldest stanza that came is dealt with. */
  noteHandled(): void {
    if (this.received.pendingCount === 0) return;
    this.received.handle();
    this.unhandledTotal -= this.unhandled[this.firstUnhandled] ?? 0;
    this.firstUnhandled += 1;
    if (this.firstUnhandled < this.unhandled.length && this.firstUnhandled < COMPACT_MIN) return;
    this.unhandled = this.unhandled.slice(this.firstUnhandled);
    this.firstUnhandled = 0;
  }

  /** The `h` for `<resume/>` or `<resumed/>`: the other end sends again what it does not count. */
  resumptionCount(): number {
    return this.received.resume();
  }

  private release(stanzas: readonly SentStanza[]): number[] {
    for (const { bytes } of stanzas) this.sentBytes -= bytes;
    return stanzas.map(({ tag }) => tag);
  }
}

const COMPACT_MIN = 1_024;
