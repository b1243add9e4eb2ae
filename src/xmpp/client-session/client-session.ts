import { toHex } from '../../wire/hex.ts';
import { AddressFault } from '../../xmpp-address/address-fault.ts';
import { type Jid, parseJid } from '../../xmpp-address/jid.ts';
import { PING_NAMESPACE, SESSION_NAMESPACE } from '../stanza/namespaces.ts';
import { CLIENT_NAMESPACE, isStanza, mayBeAnsweredByError, stanzaError } from '../stanza/stanza.ts';
import {
  childElement,
  element,
  withAttributes,
  writeElement,
  type XmppElement,
} from '../stanza/xmpp-element.ts';
import { type StreamErrorCondition, streamError } from '../stream/stream-error.ts';
import { ROUTED_BYTES_MAX } from '../stream/stream-limits.ts';
import { STREAM_MANAGEMENT_NAMESPACE } from '../stream/stream-management.ts';
import { ArrivedStanzas } from './arrived-stanzas.ts';
import type { ClientContext } from './client-context.ts';
import { STREAM_ID_LENGTH } from './client-limits.ts';
import type { ClientStream } from './client-stream.ts';
import type { LocalSessionsListener, SessionId } from './local-sessions.ts';
import { enabled, ManagedStream, managementFailed, wantsResumption } from './managed-stream.ts';

/** How the client of a session logged in. */
export interface SessionLogin {
  /** By SASL; the connection has had TLS since before. */
  readonly mechanism: string;
  /** What it showed in TLS, where it logged in with that: it is judged again when trust changes. */
  readonly certificates: readonly Uint8Array[] | undefined;
  /** The only one that it may bind or resume (XEP-0257); undefined: any. */
  readonly resource: string | undefined;
  readonly language: string | undefined;
}

export interface ClientSessionOwner {
  readonly listener: LocalSessionsListener;
  /** From now on the session is found by this id. */
  sessionResumable(session: ClientSession, resumptionId: string): void;
  /** The session is over; its id means nothing any more. */
  sessionOver(session: ClientSession, undelivered: readonly XmppElement[], reason: string): void;
}

/** A bound session of a client (RFC 6120 §7), over one connection or, resumed, over several. */
export class ClientSession {
  readonly id: SessionId;
  readonly address: Jid;
  login: SessionLogin;
  private readonly context: ClientContext;
  private readonly owner: ClientSessionOwner;
  private stream: ClientStream | undefined;
  private management: ManagedStream | undefined;
  private readonly arrived: ArrivedStanzas;
  private isOver = false;
  private lastHeardMs: number;
  /** Nothing was heard since the client was asked whether it is there. */
  private isAsked = false;
  private pingId: string | undefined;

  constructor(
    id: SessionId,
    address: Jid,
    context: ClientContext,
    owner: ClientSessionOwner,
    connection: { readonly stream: ClientStream; readonly login: SessionLogin },
  ) {
    this.id = id;
    this.address = address;
    this.context = context;
    this.owner = owner;
    this.stream = connection.stream;
    this.login = connection.login;
    this.lastHeardMs = context.env.now.monotonicMs;
    this.arrived = new ArrivedStanzas((isCounted) => {
      if (isCounted) this.management?.handled(this.stream);
    });
    this.watchIdle();
  }

  /** A quarter of what it may be behind at most: then no single stanza is too much. */
  get hasRoom(): boolean {
    const { waitingBytesMax, unacknowledgedMax, unacknowledgedBytesMax } = this.context.limits;
    const { stream, management } = this;
    if ((stream?.waitingBytes ?? 0) > waitingBytesMax / 4) return false;
    if (management === undefined) return true;
    const { unacknowledged, unacknowledgedBytes } = management;
    return (
      unacknowledged <= unacknowledgedMax / 4 && unacknowledgedBytes <= unacknowledgedBytesMax / 4
    );
  }

  get resumptionId(): string | undefined {
    return this.management?.resumptionId;
  }

  /** How many stanzas of the client are dealt with, since stream management was enabled. */
  get handledCount(): number {
    return this.management?.received.handledCount ?? 0;
  }

  isOn(stream: ClientStream): boolean {
    return this.stream === stream;
  }

  heard(): void {
    this.lastHeardMs = this.context.env.now.monotonicMs;
    this.isAsked = false;
  }

  /** A first-level element from the client. */
  receive(given: XmppElement, bytes: number): void {
    if (isStanza(given)) this.receiveStanza(given, bytes);
    else if (given.namespace === STREAM_MANAGEMENT_NAMESPACE) this.receiveManagement(given);
    else this.end('unsupported-stanza-type', `<${given.name}/> of ${given.namespace} is no stanza`);
  }

  send(stanza: XmppElement): void {
    const { stream, management } = this;
    if (management === undefined) stream?.send(stanza);
    else {
      const wasAsked = management.requestedAtMs !== undefined;
      management.send(stanza, stream, this.context.env.now.monotonicMs);
      if (stream !== undefined && !wasAsked) this.watchAnswer();
    }
    this.checkSent();
  }

  handled(): void {
    this.arrived.handleOldest();
  }

  /** Ends the session for good, with a stream error where there is a stream. */
  end(condition: StreamErrorCondition, text: string): void {
    this.endWith(streamError(condition, text), `${condition}: ${text}`);
  }

  /** The client has ended its stream: RFC 6120 §4.4, XEP-0198 §7. */
  closed(): void {
    const { stream } = this;
    this.stream = undefined;
    stream?.close('the client closed the stream');
    this.over('the client closed the stream');
  }

  /** The connection is gone, or the stream has ended: the session waits if it can be resumed. */
  lost(reason: string): void {
    if (this.isOver) return;
    this.stream = undefined;
    const { env, limits } = this.context;
    env.cancelDeadline(this.idleKey);
    env.cancelDeadline(this.answerKey);
    if (this.resumptionId === undefined) return this.over(reason);
    env.setDeadline(this.resumptionKey, limits.resumptionMsMax, () => {
      this.over('it was not resumed in time');
    });
  }

  /**
   * XEP-0198 §5: goes on over another stream. The element `<resume/>` says what the client has;
   * false when that cannot be understood, and the other stream goes on without this session.
   */
  resume(resume: XmppElement, stream: ClientStream, login: SessionLogin): boolean {
    const { management } = this;
    if (management === undefined) return false;
    const fault = management.acknowledged(resume);
    if (fault === 'malformed') return false;
    this.replaceStream(stream);
    this.login = login;
    if (fault !== undefined) {
      this.endWith(fault, 'more stanzas were acknowledged than sent');
      return true;
    }
    management.resume(stream, this.context.env.now.monotonicMs);
    if (management.unacknowledged > 0) this.watchAnswer();
    return true;
  }

  private replaceStream(stream: ClientStream): void {
    const former = this.stream;
    this.stream = stream;
    former?.fail('conflict', 'The session goes on over another connection.');
    this.context.env.cancelDeadline(this.resumptionKey);
    this.heard();
    this.watchIdle();
  }

  private receiveStanza(given: XmppElement, bytes: number): void {
    const { management } = this;
    if (management?.received.receive() === false) return;
    if (!this.isOwnFrom(given.attributes.get('from'))) {
      this.refuse(given, 'invalid-from', `expected from='${this.address.text}' or none`);
      return;
    }
    const stanza = withAttributes(given, {
      from: this.address.text,
      'xml:lang': given.attributes.get('xml:lang') ?? this.login.language,
    });
    const isForRouting = !this.answersHere(stanza) && !this.isTooLong(stanza, bytes);
    this.arrived.add(bytes, management !== undefined, !isForRouting);
    if (!isForRouting) return;
    this.owner.listener.stanzaFromSession(this.id, stanza);
    const { unhandledMax, unhandledBytesMax } = this.context.limits;
    if (this.arrived.size > unhandledMax || this.arrived.totalBytes > unhandledBytesMax) {
      this.giveUpStream('policy-violation', 'More stanzas came than could be dealt with.');
    }
  }

  /** RFC 6120 §8.1.2.1: the own full JID, or the bare one. */
  private isOwnFrom(from: string | undefined): boolean {
    if (from === undefined) return true;
    const jid = parseJid(from);
    if (jid instanceof AddressFault) return false;
    return jid.text === this.address.text || jid.text === this.address.bare;
  }

  /** What is between the client and its own session, and goes nowhere else. */
  private answersHere(stanza: XmppElement): boolean {
    if (stanza.name !== 'iq') return false;
    const { id, type } = { id: stanza.attributes.get('id'), type: stanza.attributes.get('type') };
    if (
      this.pingId !== undefined &&
      id === this.pingId &&
      (type === 'result' || type === 'error')
    ) {
      this.pingId = undefined;
      return true;
    }
    // RFC 3921 §3: clients that are older than RFC 6120 ask for it after binding.
    if (type !== 'set' || childElement(stanza, 'session', SESSION_NAMESPACE) === undefined) {
      return false;
    }
    this.send(element('iq', CLIENT_NAMESPACE, { type: 'result', id, to: this.address.text }));
    return true;
  }

  /** What no stream with a device could carry is refused here, with an error where one may be. */
  private isTooLong(stanza: XmppElement, bytes: number): boolean {
    if (bytes <= UNCHECKED_BYTES) return false;
    if (Buffer.byteLength(writeElement(stanza, CLIENT_NAMESPACE)) <= ROUTED_BYTES_MAX) return false;
    const reason = `expected at most ${ROUTED_BYTES_MAX} bytes as it is written on`;
    const from = this.address.text;
    this.context.env.event({ type: 'stanzaRefused', from, condition: 'policy-violation', reason });
    if (mayBeAnsweredByError(stanza)) this.send(stanzaError(stanza, 'policy-violation', reason));
    return true;
  }

  private receiveManagement(given: XmppElement): void {
    const { stream, management } = this;
    if (stream === undefined) return;
    if (given.name === 'enable' && management === undefined) this.enable(given, stream);
    else if (given.name === 'r' && management !== undefined) management.answerRequest(stream);
    else if (given.name === 'a' && management !== undefined) this.acknowledged(given, management);
    else stream.send(managementFailed('unexpected-request'));
  }

  private enable(enable: XmppElement, stream: ClientStream): void {
    const { env, limits } = this.context;
    const id = wantsResumption(enable) ? toHex(env.random.bytes(STREAM_ID_LENGTH)) : undefined;
    this.management = new ManagedStream(id);
    if (id !== undefined) this.owner.sessionResumable(this, id);
    stream.send(enabled(id, limits.resumptionMsMax));
  }

  private acknowledged(given: XmppElement, management: ManagedStream): void {
    const fault = management.acknowledged(given);
    if (fault === 'malformed') {
      this.end('bad-format', 'expected a number in h');
    } else if (fault !== undefined) {
      this.endWith(fault, 'more stanzas were acknowledged than sent');
    } else if (management.unacknowledged > 0) {
      management.request(this.stream, this.context.env.now.monotonicMs);
      this.watchAnswer();
    } else {
      this.context.env.cancelDeadline(this.answerKey);
    }
  }

  private checkSent(): void {
    const { limits } = this.context;
    const { stream, management } = this;
    if (stream !== undefined && stream.waitingBytes > limits.waitingBytesMax) {
      this.giveUpStream('policy-violation', 'The client reads too slowly.');
    }
    if (management === undefined) return;
    const isTooMuch =
      management.unacknowledged > limits.unacknowledgedMax ||
      management.unacknowledgedBytes > limits.unacknowledgedBytesMax;
    if (isTooMuch) this.end('policy-violation', 'Too many stanzas are not acknowledged.');
  }

  /** Asks a silent client whether it is there, and gives up its stream when no answer comes. */
  private watchIdle(): void {
    const { env, limits } = this.context;
    const silentMs = env.now.monotonicMs - this.lastHeardMs;
    env.setDeadline(this.idleKey, Math.max(0, limits.idleMs - silentMs), () => {
      if (env.now.monotonicMs - this.lastHeardMs < limits.idleMs) return this.watchIdle();
      this.ask();
      env.setDeadline(this.idleKey, limits.answerMsMax, () => {
        if (!this.isAsked) return this.watchIdle();
        this.giveUpStream('connection-timeout', 'The client did not answer.');
      });
    });
  }

  private ask(): void {
    const { stream, management } = this;
    const { env, user } = this.context;
    if (stream === undefined) return;
    this.isAsked = true;
    if (management !== undefined) {
      management.request(stream, env.now.monotonicMs);
      return;
    }
    this.pingId = toHex(env.random.bytes(STREAM_ID_LENGTH));
    const addresses = { from: user.domainpart, to: this.address.text, id: this.pingId };
    const ping = element('ping', PING_NAMESPACE);
    stream.send(element('iq', CLIENT_NAMESPACE, { type: 'get', ...addresses }, [ping]));
  }

  /** A client that leaves requests for acknowledgement unanswered is not there any more. */
  private watchAnswer(): void {
    const { env, limits } = this.context;
    env.setDeadline(this.answerKey, limits.answerMsMax, () => {
      const requestedAtMs = this.management?.requestedAtMs;
      if (requestedAtMs === undefined) return;
      if (env.now.monotonicMs - requestedAtMs < limits.answerMsMax) return this.watchAnswer();
      this.giveUpStream('connection-timeout', 'The client did not acknowledge.');
    });
  }

  /** Ends the stream, but not the session where it can be resumed. */
  private giveUpStream(condition: StreamErrorCondition, text: string): void {
    const { stream } = this;
    this.lost(`${condition}: ${text}`);
    stream?.fail(condition, text);
  }

  private refuse(given: XmppElement, condition: StreamErrorCondition, reason: string): void {
    const from = given.attributes.get('from') ?? this.address.text;
    this.context.env.event({ type: 'stanzaRefused', from, condition, reason });
    this.end(condition, reason);
  }

  private endWith(error: XmppElement, reason: string): void {
    const { stream } = this;
    this.stream = undefined;
    stream?.failWith(error, reason);
    this.over(reason);
  }

  private over(reason: string): void {
    if (this.isOver) return;
    this.isOver = true;
    const { env } = this.context;
    for (const key of [this.idleKey, this.answerKey, this.resumptionKey]) env.cancelDeadline(key);
    this.owner.sessionOver(this, this.management?.takeUndelivered() ?? [], reason);
  }

  private get idleKey(): string {
    return `client ${this.id} idle`;
  }

  private get answerKey(): string {
    return `client ${this.id} answer`;
  }

  private get resumptionKey(): string {
    return `client ${this.id} resumption`;
  }
}

/** Fewer cannot become more than ROUTED_BYTES_MAX, whatever namespaces are in them. */
const UNCHECKED_BYTES = 2_000;
