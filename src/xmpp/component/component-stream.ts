import { createHash } from 'node:crypto';
import { PING_NAMESPACE } from '../stanza/namespaces.ts';
import { CLIENT_NAMESPACE, isStanza } from '../stanza/stanza.ts';
import { childElement, childElements, element, type XmppElement } from '../stanza/xmpp-element.ts';
import {
  STREAM_ERROR_NAMESPACE,
  STREAMS_NAMESPACE,
  type StreamErrorCondition,
  streamError,
} from '../stream/stream-error.ts';
import { type StreamEvent, StreamReader } from '../stream/stream-reader.ts';
import { writeFirstLevel } from '../stream/write-stream.ts';
import {
  CLOSING_MS_MAX,
  COMPONENT_STREAM_LIMITS,
  CONNECTING_MS_MAX,
  GOOD_STREAM_MS_MIN,
  NEGOTIATION_MS_MAX,
  PAUSE_MS_MAX,
  PAUSE_MS_MIN,
  PING_MS_MAX,
  SILENCE_MS_MAX,
} from './component-limits.ts';
import {
  COMPONENT_NAMESPACE,
  fromComponentStream,
  writeComponentHeader,
  writeComponentStanza,
} from './component-stanza.ts';
import { UnsentStanzas } from './unsent-stanzas.ts';

/** What happened to a component, or what it is to do. */
export type ComponentInput =
  /** Connects, and connects again whenever the stream is lost. */
  | { readonly type: 'start' }
  /** Ends the stream; `stopped` is the last output. */
  | { readonly type: 'stop' }
  /** In the namespace `jabber:client`; it waits for the next stream where there is none. */
  | { readonly type: 'send'; readonly stanza: XmppElement }
  | { readonly type: 'connected' }
  | { readonly type: 'received'; readonly bytes: Uint8Array }
  /** The connection is over, or never came; `reason` is half a sentence. */
  | { readonly type: 'disconnected'; readonly reason: string }
  /** A deadline is due. */
  | { readonly type: 'time' };

export type ComponentOutput =
  | { readonly type: 'connect' }
  | { readonly type: 'write'; readonly text: string }
  /** Close the connection once what was written is out. It is forgotten from now on. */
  | { readonly type: 'disconnect' }
  /** The server knows the secret and routes stanzas. */
  | { readonly type: 'attached' }
  /** It is tried again after the pause. `reason` is half a sentence. */
  | { readonly type: 'detached'; readonly reason: string; readonly pauseMs: number }
  /** In the namespace `jabber:client`. */
  | { readonly type: 'stanza'; readonly stanza: XmppElement }
  | { readonly type: 'stopped' };

export interface ComponentStreamOptions {
  /** The component's own domain. */
  readonly jid: string;
  /** What it shares with the server. */
  readonly secret: string;
}

/**
 * An external component's side of a stream with its server (XEP-0114, `jabber:component:accept`):
 * `handle(input, now) → outputs`, and `nextDeadline()`. Times are monotonic, in ms. It keeps
 * itself connected from `start` to `stop`.
 */
export class ComponentStream {
  private readonly jid: string;
  private readonly secret: string;
  private readonly unsent = new UnsentStanzas();
  private step: Step = { type: 'idle' };
  private reader = new StreamReader(COMPONENT_STREAM_LIMITS);
  private outputs: ComponentOutput[] = [];
  private nowMs = 0;
  private lossesInARow = 0;
  private pings = 0;

  constructor({ jid, secret }: ComponentStreamOptions) {
    this.jid = jid;
    this.secret = secret;
  }

  get isAttached(): boolean {
    return this.step.type === 'attached';
  }

  handle(input: ComponentInput, nowMs: number): readonly ComponentOutput[] {
    this.nowMs = nowMs;
    this.outputs = [];
    switch (input.type) {
      case 'start':
        if (this.step.type === 'idle') this.connect();
        break;
      case 'stop':
        this.stop();
        break;
      case 'send':
        this.send(input.stanza);
        break;
      case 'connected':
        if (this.step.type === 'connecting') this.open();
        break;
      case 'received':
        this.receive(input.bytes);
        break;
      case 'disconnected':
        this.lost(input.reason);
        break;
      case 'time':
        if (nowMs >= (this.nextDeadline() ?? Number.POSITIVE_INFINITY)) this.due();
    }
    return this.outputs;
  }

  /** When `time` is to come; undefined: there is nothing to wait for. */
  nextDeadline(): number | undefined {
    return 'deadlineMs' in this.step ? this.step.deadlineMs : undefined;
  }

  private connect(): void {
    this.step = { type: 'connecting', deadlineMs: this.nowMs + CONNECTING_MS_MAX };
    this.outputs.push({ type: 'connect' });
  }

  private open(): void {
    this.reader = new StreamReader(COMPONENT_STREAM_LIMITS);
    this.step = { type: 'opening', deadlineMs: this.nowMs + NEGOTIATION_MS_MAX };
    this.write(writeComponentHeader(this.jid));
  }

  private send(stanza: XmppElement): void {
    const text = writeComponentStanza(stanza);
    if (this.isAttached) this.write(text);
    else if (this.step.type !== 'stopped') this.unsent.push(text, this.nowMs);
  }

  private receive(bytes: Uint8Array): void {
    if (!hasConnection(this.step)) return;
    if (this.step.type === 'attached') {
      this.step = { ...this.step, isAsked: false, deadlineMs: this.nowMs + SILENCE_MS_MAX };
    }
    this.reader.push(bytes);
    for (let event = this.reader.next(); event !== undefined; event = this.reader.next()) {
      this.take(event);
      if (!hasConnection(this.step)) return;
    }
  }

  private take(event: StreamEvent): void {
    switch (event.type) {
      case 'opened':
        this.takeHeader(event.header, event.contentNamespace);
        return;
      case 'element':
        this.takeElement(event.element);
        return;
      case 'closed':
        if (this.step.type === 'closing') this.over();
        else this.fail(undefined, 'the server ended the stream');
        return;
      case 'fault':
        this.fail(event.condition, `the server sent what no stream carries: ${event.text}`);
    }
  }

  private takeHeader(header: XmppElement, contentNamespace: string): void {
    // The end was ours, before the server's header came.
    if (this.step.type === 'closing') return;
    const id = header.attributes.get('id');
    if (header.name !== 'stream' || header.namespace !== STREAMS_NAMESPACE) {
      this.fail('invalid-namespace', 'what answered is no XMPP server');
    } else if (contentNamespace !== COMPONENT_NAMESPACE) {
      this.fail('invalid-namespace', 'what answered is no server for components (XEP-0114)');
    } else if (id === undefined || id === '') {
      // An error may follow; it says more than the lack of the id (XEP-0114 §3).
      this.step = { type: 'refused', deadlineMs: this.nowMs + NEGOTIATION_MS_MAX };
    } else {
      this.step = { type: 'handshaking', deadlineMs: this.nowMs + NEGOTIATION_MS_MAX };
      this.write(`<handshake>${handshakeDigest(id, this.secret)}</handshake>`);
    }
  }

  private takeElement(read: XmppElement): void {
    if (read.namespace === STREAMS_NAMESPACE && read.name === 'error') {
      this.fail(undefined, sentenceOf(read));
      return;
    }
    switch (this.step.type) {
      case 'handshaking':
        if (read.name === 'handshake' && read.namespace === COMPONENT_NAMESPACE) this.attach();
        else this.fail('not-authorized', 'the server sent something else before its handshake');
        return;
      case 'attached': {
        const stanza = fromComponentStream(read);
        if (!isStanza(stanza) || read.namespace !== COMPONENT_NAMESPACE) {
          this.fail('unsupported-stanza-type', 'the server sent what is no stanza');
        } else if (!this.isOwnPing(stanza)) this.outputs.push({ type: 'stanza', stanza });
        return;
      }
      case 'refused':
        this.fail('bad-format', 'the header of the server has no id');
    }
  }

  private attach(): void {
    this.step = {
      type: 'attached',
      sinceMs: this.nowMs,
      isAsked: false,
      deadlineMs: this.nowMs + SILENCE_MS_MAX,
    };
    this.outputs.push({ type: 'attached' });
    for (const text of this.unsent.take(this.nowMs)) this.write(text);
  }

  private due(): void {
    const { step } = this;
    switch (step.type) {
      case 'pausing':
        this.connect();
        return;
      case 'connecting':
        this.outputs.push({ type: 'disconnect' });
        this.lost(`no connection within ${CONNECTING_MS_MAX / 1_000} s`);
        return;
      case 'closing':
        this.over();
        return;
      case 'attached':
        if (step.isAsked) this.fail('connection-timeout', 'the server is silent');
        else this.ask(step);
        return;
      case 'opening':
      case 'handshaking':
      case 'refused':
        this.fail('connection-timeout', `no answer within ${NEGOTIATION_MS_MAX / 1_000} s`);
    }
  }

  /**
   * A ping (XEP-0199) to itself goes through the server and comes back: what a component is sure
   * to be allowed to send.
   */
  private ask(attached: Attached): void {
    this.step = { ...attached, isAsked: true, deadlineMs: this.nowMs + PING_MS_MAX };
    this.pings += 1;
    const values = { type: 'get', from: this.jid, to: this.jid, id: `${PING_ID}${this.pings}` };
    const ping = element('iq', CLIENT_NAMESPACE, values, [element('ping', PING_NAMESPACE)]);
    this.write(writeComponentStanza(ping));
  }

  private isOwnPing({ attributes }: XmppElement): boolean {
    return attributes.get('from') === this.jid && (attributes.get('id') ?? '').startsWith(PING_ID);
  }

  private stop(): void {
    switch (this.step.type) {
      case 'idle':
      case 'pausing':
        this.end();
        return;
      case 'connecting':
        this.outputs.push({ type: 'disconnect' });
        this.end();
        return;
      case 'opening':
      case 'handshaking':
      case 'refused':
      case 'attached':
        this.step = { type: 'closing', deadlineMs: this.nowMs + CLOSING_MS_MAX };
        this.write(STREAM_END);
    }
  }

  /** The stream is over on both sides. */
  private over(): void {
    this.outputs.push({ type: 'disconnect' });
    this.end();
  }

  private end(): void {
    this.step = { type: 'stopped' };
    this.unsent.clear();
    this.outputs.push({ type: 'stopped' });
  }

  /** Ends the stream and comes back later; `condition` is what the server did wrong. */
  private fail(condition: StreamErrorCondition | undefined, reason: string): void {
    if (this.step.type === 'closing') {
      this.over();
      return;
    }
    if (condition !== undefined) this.write(writeFirstLevel('tcp', streamError(condition, reason)));
    this.write(STREAM_END);
    this.outputs.push({ type: 'disconnect' });
    this.lost(reason);
  }

  private lost(reason: string): void {
    const { step } = this;
    if (step.type === 'closing') {
      this.end();
      return;
    }
    if (step.type !== 'connecting' && !hasConnection(step)) return;
    const wasGood = step.type === 'attached' && this.nowMs - step.sinceMs >= GOOD_STREAM_MS_MIN;
    this.lossesInARow = wasGood ? 1 : this.lossesInARow + 1;
    const doublings = Math.min(this.lossesInARow - 1, PAUSE_DOUBLINGS_MAX);
    const pauseMs = Math.min(PAUSE_MS_MAX, PAUSE_MS_MIN * 2 ** doublings);
    this.step = { type: 'pausing', deadlineMs: this.nowMs + pauseMs };
    this.outputs.push({ type: 'detached', reason, pauseMs });
  }

  private write(text: string): void {
    this.outputs.push({ type: 'write', text });
  }
}

/** `<handshake/>`: SHA-1 of the stream's id and the secret, in lower-case hex (XEP-0114 §3). */
export function handshakeDigest(streamId: string, secret: string): string {
  return createHash('sha1').update(streamId).update(secret).digest('hex');
}

interface Attached {
  readonly type: 'attached';
  readonly sinceMs: number;
  /** Whether the server was asked if it is there. */
  readonly isAsked: boolean;
  readonly deadlineMs: number;
}

type Step =
  | { readonly type: 'idle' | 'stopped' }
  | { readonly type: 'connecting' | 'pausing'; readonly deadlineMs: number }
  | {
      readonly type: 'opening' | 'refused' | 'handshaking' | 'closing';
      readonly deadlineMs: number;
    }
  | Attached;

function hasConnection({ type }: Step): boolean {
  return ['opening', 'refused', 'handshaking', 'attached', 'closing'].includes(type);
}

/** What a stream error says, with what to do where that is known. */
function sentenceOf(error: XmppElement): string {
  const condition = childElements(error).find(
    ({ namespace, name }) => namespace === STREAM_ERROR_NAMESPACE && name !== 'text',
  );
  const name = condition?.name ?? 'undefined-condition';
  const advice = ADVICE[name];
  if (advice !== undefined) return `the server says ${name}: ${advice}`;
  const text = childElement(error, 'text', STREAM_ERROR_NAMESPACE);
  const [said] = text?.children ?? [];
  return typeof said === 'string'
    ? `the server says ${name}: ${said.slice(0, SHOWN_LENGTH_MAX)}`
    : `the server says ${name}`;
}

const ADVICE: Readonly<Record<string, string>> = {
  'not-authorized': 'the secret is not the one of its configuration',
  'host-unknown': 'it has no component of this name in its configuration',
  conflict: 'another component of this name is connected to it',
  'system-shutdown': 'it stops',
};
const STREAM_END = '</stream:stream>';
const PING_ID = 'own-ping-';
const SHOWN_LENGTH_MAX = 200;
/** 2 ** 6 s is beyond the longest pause. */
const PAUSE_DOUBLINGS_MAX = 6;
