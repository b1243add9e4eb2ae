import { toHex } from '../../wire/hex.ts';
import type { XmppElement } from '../stanza/xmpp-element.ts';
import { readFramed } from '../stream/read-framed.ts';
import {
  STREAMS_NAMESPACE,
  type StreamErrorCondition,
  streamError,
} from '../stream/stream-error.ts';
import { NEGOTIATION_STREAM_LIMITS, type StreamLimits } from '../stream/stream-limits.ts';
import { type StreamEvent, StreamReader } from '../stream/stream-reader.ts';
import {
  FRAMING_NAMESPACE,
  type Framing,
  writeFirstLevel,
  writeStreamEnd,
  writeStreamHeader,
} from '../stream/write-stream.ts';
import type { XmppEnvironment } from '../xmpp-environment.ts';
import type { ConnectionId } from '../xmpp-input.ts';
import {
  NEGOTIATION_UNREAD_BYTES_MAX,
  STREAM_ID_LENGTH,
  UNREAD_BYTES_MAX,
} from './client-limits.ts';

/**
 * The streams over one connection of a client, one after the other: bytes become events, elements
 * become bytes. TCP (RFC 6120 §4) and WebSocket (RFC 7395) look the same from above: the header of
 * a framed stream is told as `opened`, its `<close/>` as `closed`.
 */
export class ClientStream {
  readonly connection: ConnectionId;
  readonly framing: Framing;
  /** Nothing is sent or read any more. */
  isOver = false;
  /** Bytes that were sent and have not left for the kernel, as far as it is known. */
  waitingBytes = 0;
  private readonly env: XmppEnvironment;
  private readonly domain: string;
  private readonly whenOver: () => void;
  private limits: StreamLimits = NEGOTIATION_STREAM_LIMITS;
  private reader = new StreamReader(NEGOTIATION_STREAM_LIMITS);
  private message: Uint8Array | undefined;
  private isHeaderSent = false;
  private isHeaderRead = false;
  private unreadBytesMax = NEGOTIATION_UNREAD_BYTES_MAX;

  /** `whenOver` is called once, when nothing can be sent or read any more. */
  constructor(
    env: XmppEnvironment,
    connection: ConnectionId,
    framing: Framing,
    domain: string,
    whenOver: () => void,
  ) {
    this.env = env;
    this.connection = connection;
    this.framing = framing;
    this.domain = domain;
    this.whenOver = whenOver;
  }

  push(bytes: Uint8Array): void {
    if (this.isOver) return;
    if (this.framing === 'tcp') this.reader.push(bytes);
    else this.message = bytes;
  }

  next(): StreamEvent | undefined {
    if (this.isOver) return undefined;
    if (this.waitingBytes > this.unreadBytesMax) return READS_TOO_SLOWLY;
    if (this.framing === 'tcp') return this.reader.next();
    const { message } = this;
    this.message = undefined;
    return message === undefined ? undefined : this.framedEvent(message);
  }

  /** Whether bytes came that no event has told of. */
  get hasUnread(): boolean {
    return this.reader.hasUnread;
  }

  /** The client has logged in: what follows is a new stream (RFC 6120 §4.3.3, RFC 7395 §3.7). */
  restart(limits: StreamLimits): void {
    this.limits = limits;
    this.unreadBytesMax = UNREAD_BYTES_MAX;
    this.reader.restart(limits);
    this.isHeaderSent = false;
    this.isHeaderRead = false;
  }

  /** TLS is up: what came in the clear counts no more. */
  restartOverTls(): void {
    this.reader = new StreamReader(this.limits);
    this.isHeaderSent = false;
    this.isHeaderRead = false;
  }

  /** The own header (RFC 6120 §4.7), each time with another id. */
  sendHeader(to: string | undefined): void {
    this.isHeaderSent = true;
    const id = toHex(this.env.random.bytes(STREAM_ID_LENGTH));
    this.write(writeStreamHeader(this.framing, { from: this.domain, to, id, language: 'en' }));
  }

  sendFeatures(features: readonly XmppElement[]): void {
    this.send({
      name: 'features',
      namespace: STREAMS_NAMESPACE,
      attributes: NO_ATTRIBUTES,
      children: features,
    });
  }

  /** How many bytes it took. */
  send(given: XmppElement): number {
    return this.write(writeFirstLevel(this.framing, given));
  }

  /** Ends the stream with an error (RFC 6120 §4.9.1.1) and closes the connection. */
  fail(condition: StreamErrorCondition, text: string): void {
    this.failWith(streamError(condition, text), `${condition}: ${text}`);
  }

  failWith(error: XmppElement, reason: string): void {
    if (this.isOver) return;
    // RFC 6120 §4.9.1.2: an error stands in a stream, also one about its header.
    if (!this.isHeaderSent) this.sendHeader(undefined);
    this.send(error);
    this.close(reason);
  }

  /** Ends the own half of the stream and closes the connection (RFC 6120 §4.4). */
  close(reason: string): void {
    if (this.isOver) return;
    if (this.isHeaderSent) this.write(writeStreamEnd(this.framing));
    this.env.output({ type: 'clientClose', connection: this.connection, reason });
    this.connectionGone();
  }

  /** The connection is no more: nothing is sent to it. */
  connectionGone(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.whenOver();
  }

  private write(text: string): number {
    if (this.isOver) return 0;
    const bytes = encoder.encode(text);
    this.waitingBytes += bytes.length;
    this.env.output({ type: 'clientSend', connection: this.connection, bytes });
    return bytes.length;
  }

  private framedEvent(message: Uint8Array): StreamEvent {
    const event = readFramed(message, this.limits);
    if (event.type === 'fault') return event;
    const { name, namespace } = event.element;
    if (namespace === FRAMING_NAMESPACE && name === 'close') return { type: 'closed' };
    if (this.isHeaderRead) return event;
    this.isHeaderRead = true;
    // A framed stream has no content namespace of its own: each stanza says its namespace.
    return { type: 'opened', header: event.element, contentNamespace: '' };
  }
}

const encoder = new TextEncoder();
const READS_TOO_SLOWLY: StreamEvent = {
  type: 'fault',
  condition: 'policy-violation',
  text: 'The client reads too slowly what it is answered.',
};
const NO_ATTRIBUTES: ReadonlyMap<string, string> = new Map();
