import {
  CLIENT_NAMESPACE,
  STANZA_ERROR_NAMESPACE,
  type StanzaErrorCondition,
} from '../stanza/stanza.ts';
import { element, writeElement, type XmppElement } from '../stanza/xmpp-element.ts';
import {
  acknowledgement,
  acknowledgementRequest,
  handledCountOf,
  handledCountTooHigh,
  ReceivedCount,
  STREAM_MANAGEMENT_NAMESPACE,
  UnacknowledgedQueue,
} from '../stream/stream-management.ts';
import { ACKNOWLEDGE_EVERY } from './client-limits.ts';
import type { ClientStream } from './client-stream.ts';

/**
 * Stream management of one session (XEP-0198), from `<enable/>` on and over resumptions: what was
 * sent and is not acknowledged, and what came and is dealt with.
 */
export class ManagedStream {
  readonly received = new ReceivedCount();
  /** By which the session is resumed; undefined: it cannot be. */
  readonly resumptionId: string | undefined;
  /** Since when an `<r/>` waits for its `<a/>`, monotonic ms. */
  requestedAtMs: number | undefined;
  private readonly sent = new UnacknowledgedQueue<SentStanza>();
  private sentBytes = 0;
  private handledSinceAcknowledgement = 0;
  /** A request was answered while stanzas before it were not dealt with. */
  private owesAcknowledgement = false;

  constructor(resumptionId: string | undefined) {
    this.resumptionId = resumptionId;
  }

  get unacknowledged(): number {
    return this.sent.size;
  }

  get unacknowledgedBytes(): number {
    return this.sentBytes;
  }

  /** Sends and remembers a stanza; without a stream it waits for the resumption. */
  send(stanza: XmppElement, stream: ClientStream | undefined, nowMs: number): void {
    const bytes = stream?.send(stanza) ?? byteLength(stanza);
    this.sent.push({ stanza, bytes });
    this.sentBytes += bytes;
    this.request(stream, nowMs);
  }

  /** Asks for an acknowledgement, unless the client has one to answer already. */
  request(stream: ClientStream | undefined, nowMs: number): void {
    if (stream === undefined || this.requestedAtMs !== undefined) return;
    this.requestedAtMs = nowMs;
    stream.send(acknowledgementRequest());
  }

  /** Takes the `h` of `<a/>` or `<resume/>`: the stream error where it cannot be. */
  acknowledged(given: XmppElement): XmppElement | 'malformed' | undefined {
    const h = handledCountOf(given);
    if (h === undefined) return 'malformed';
    const taken = this.sent.acknowledge(h);
    if (taken === 'too-high') return handledCountTooHigh(h, this.sent.sentCount);
    for (const { bytes } of taken) this.sentBytes -= bytes;
    this.requestedAtMs = undefined;
    return undefined;
  }

  /** `<r/>`: answered at once, whatever is not dealt with yet (XEP-0198 §4). */
  answerRequest(stream: ClientStream): void {
    this.owesAcknowledgement = this.received.pendingCount > 0;
    this.acknowledge(stream);
  }

  /** The oldest stanza that came is dealt with. */
  handled(stream: ClientStream | undefined): void {
    this.received.handle();
    this.handledSinceAcknowledgement += 1;
    if (stream === undefined) return;
    const isOwed = this.owesAcknowledgement && this.received.pendingCount === 0;
    if (!isOwed && this.handledSinceAcknowledgement < ACKNOWLEDGE_EVERY) return;
    if (isOwed) this.owesAcknowledgement = false;
    this.acknowledge(stream);
  }

  /** XEP-0198 §5: `<resumed/>`, then all that the client has not acknowledged once more. */
  resume(stream: ClientStream, nowMs: number): void {
    const h = String(this.received.resume());
    const previd = this.resumptionId;
    stream.send(element('resumed', STREAM_MANAGEMENT_NAMESPACE, { previd, h }));
    this.handledSinceAcknowledgement = 0;
    this.owesAcknowledgement = false;
    this.requestedAtMs = undefined;
    for (const { stanza } of this.sent.all) stream.send(stanza);
    if (this.sent.size > 0) this.request(stream, nowMs);
  }

  /** What the client never acknowledged: the session is over. */
  takeUndelivered(): XmppElement[] {
    this.sentBytes = 0;
    return this.sent.takeAll().map(({ stanza }) => stanza);
  }

  private acknowledge(stream: ClientStream): void {
    this.handledSinceAcknowledgement = 0;
    stream.send(acknowledgement(this.received.handledCount));
  }
}

interface SentStanza {
  readonly stanza: XmppElement;
  readonly bytes: number;
}

/** `<enabled/>` (XEP-0198 §3). */
export function enabled(id: string | undefined, resumptionMsMax: number): XmppElement {
  if (id === undefined) return element('enabled', STREAM_MANAGEMENT_NAMESPACE);
  const max = String(Math.floor(resumptionMsMax / 1_000));
  return element('enabled', STREAM_MANAGEMENT_NAMESPACE, { id, resume: 'true', max });
}

/**
 * `<failed/>` (XEP-0198 §5, §6). `handled`: how many stanzas of a session that is over were dealt
 * with, where that is known.
 */
export function managementFailed(condition: StanzaErrorCondition, handled?: number): XmppElement {
  const h = handled === undefined ? undefined : String(handled);
  return element('failed', STREAM_MANAGEMENT_NAMESPACE, { h }, [
    element(condition, STANZA_ERROR_NAMESPACE),
  ]);
}

export function wantsResumption(enable: XmppElement): boolean {
  const resume = enable.attributes.get('resume');
  return resume === 'true' || resume === '1';
}

function byteLength(stanza: XmppElement): number {
  return Buffer.byteLength(writeElement(stanza, CLIENT_NAMESPACE));
}
