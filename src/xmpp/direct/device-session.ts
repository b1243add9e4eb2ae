import type { AuthenticatedNode } from '../../tls-auth/authenticated-node.ts';
import { AddressFault } from '../../xmpp-address/address-fault.ts';
import { type BareJid, parseJid } from '../../xmpp-address/jid.ts';
import { CLIENT_NAMESPACE } from '../stanza/stanza.ts';
import { withAttributes, writeElement, type XmppElement } from '../stanza/xmpp-element.ts';
import { handledCountTooHigh } from '../stream/stream-management.ts';
import type { XmppEnvironment } from '../xmpp-environment.ts';
import type { DeviceConnection, StreamUser } from './device-connection.ts';
import { ACKNOWLEDGEMENT_MS_MAX, type DirectLimits, PROBE_ANSWER_MS_MAX } from './direct-limits.ts';
import type { DirectStream, DirectStreamOwner } from './direct-stream.ts';
import type { Device, DirectStreamsListener } from './direct-streams.ts';
import { StreamSession } from './stream-session.ts';

/** What all sessions share. */
export interface SessionContext {
  readonly env: XmppEnvironment;
  readonly limits: DirectLimits;
  readonly listener: DirectStreamsListener;
  /** Bytes sent to all devices and not acknowledged. */
  readonly load: { unacknowledgedBytes: number };
}

/**
 * The stanzas exchanged with one device: sent until acknowledged, counted when dealt with, both
 * over as many connections as it takes (XEP-0198).
 */
export class DeviceSession implements StreamUser, DirectStreamOwner {
  lastStanzaMs: number;
  /** Whom the last open stream was with. */
  node: AuthenticatedNode | undefined;
  lastDevice: Device | undefined;
  private readonly context: SessionContext;
  private readonly connection: DeviceConnection;
  private session: StreamSession | undefined;
  /** A request is under way; since when. */
  private requestedMs: number | undefined;
  private isAcknowledgementDue = false;
  private isFlushSet = false;

  constructor(context: SessionContext, connection: DeviceConnection) {
    this.context = context;
    this.connection = connection;
    this.lastStanzaMs = context.env.now.monotonicMs;
  }

  get streamOwner(): DirectStreamOwner {
    return this;
  }

  get waitingUser(): BareJid | undefined {
    return this.session?.device.user;
  }

  get current(): StreamSession | undefined {
    return this.session;
  }

  /** Nothing is kept for this device. */
  get isEmpty(): boolean {
    return this.session === undefined;
  }

  /** Sends and keeps a stanza; false: a limit is reached, or there is no session. */
  send(stanza: XmppElement, tag: number): boolean {
    const { session } = this;
    const { limits, load } = this.context;
    if (session === undefined || session.unacknowledgedStanzas >= limits.unacknowledgedStanzasMax) {
      return false;
    }
    const text = writeElement(stanza, CLIENT_NAMESPACE);
    const isTooMuch =
      session.unacknowledgedBytes + text.length > limits.unacknowledgedBytesMax ||
      load.unacknowledgedBytes + text.length > limits.unacknowledgedBytesTotalMax;
    if (isTooMuch) return false;
    this.counting(session, () => session.queue(tag, text));
    this.lastStanzaMs = this.context.env.now.monotonicMs;
    if (this.connection.stream?.isOpen === true) {
      this.connection.stream.send(text);
      this.setFlush();
    }
    return true;
  }

  /** The oldest stanza that was handed up is dealt with. */
  noteHandled(): void {
    if (this.session === undefined) return;
    this.session.noteHandled();
    this.isAcknowledgementDue = true;
    this.setFlush();
  }

  /** Ends the session for good: whoever sent is told what did not arrive for sure. */
  giveUp(reason: string): void {
    const { session } = this;
    if (session === undefined) return;
    this.session = undefined;
    this.node = undefined;
    const tags = this.counting(session, () => session.takeUndelivered());
    const { device } = session;
    const { listener, env } = this.context;
    if (tags.length > 0) listener.undelivered(device, tags);
    listener.deviceLost(device);
    env.event({ type: 'deviceLost', nodeId: device.nodeId, reason });
  }

  /** Looks whether the other end still answers; asks it to, after `silentMs` without a word. */
  probe(silentMs: number): void {
    const { stream } = this.connection;
    if (stream?.isOpen !== true) return;
    const nowMs = this.context.env.now.monotonicMs;
    if (this.requestedMs === undefined) {
      if (nowMs - stream.lastHeardMs >= silentMs) this.request(stream);
    } else if (nowMs - Math.max(this.requestedMs, stream.lastHeardMs) > PROBE_ANSWER_MS_MAX) {
      const text = `nothing heard for ${PROBE_ANSWER_MS_MAX} ms after a request`;
      stream.fail('connection-timeout', text, false);
    }
  }

  sessionToResume(stream: DirectStream): { readonly id: string; readonly h: number } | undefined {
    const { session } = this;
    if (session === undefined || session.device.user !== stream.user) return undefined;
    return { id: session.id, h: session.resumptionCount() };
  }

  resumptionAsked(stream: DirectStream, id: string, h: number): number | undefined {
    const { session } = this;
    if (session === undefined || session.id !== id || id === '') return undefined;
    if (session.device.user !== stream.user || !this.acknowledge(session, h)) {
      return undefined;
    }
    return session.resumptionCount();
  }

  streamResumed(stream: DirectStream, otherH: number): void {
    const { session } = this;
    const tags = session && this.counting(session, () => session.acknowledge(otherH));
    if (session === undefined || tags === undefined || tags === 'too-high') {
      this.refuseCount(stream, otherH);
      return;
    }
    this.begin(stream);
    for (const { text } of session.unacknowledged) stream.send(text);
    this.isAcknowledgementDue = true;
    this.setFlush();
    this.connection.handleStreamOpen();
    // What follows from it may be sent at once, so it is told when all is repeated.
    if (tags.length > 0) this.context.listener.delivered(session.device, tags);
  }

  resumptionFailed(_stream: DirectStream, otherH: number | undefined): void {
    if (this.session !== undefined && otherH !== undefined) this.acknowledge(this.session, otherH);
    this.giveUp('the other end has begun anew');
  }

  streamOpened(stream: DirectStream, sessionId: string): void {
    this.giveUp('the other end has begun anew');
    const device = { nodeId: this.connection.nodeId, user: stream.user };
    this.session = new StreamSession(sessionId, device);
    this.lastDevice = device;
    this.lastStanzaMs = this.context.env.now.monotonicMs;
    this.begin(stream);
    const { env, listener } = this.context;
    env.event({ type: 'deviceConnected', nodeId: device.nodeId, address: device.user });
    listener.deviceConnected(device);
    this.connection.handleStreamOpen();
  }

  stanzaRead(stream: DirectStream, stanza: XmppElement, bytes: number): void {
    const { session } = this;
    if (session === undefined || stream !== this.connection.stream) return;
    const from = senderOf(stanza, session.device.user);
    if (from === undefined) {
      this.refuseSender(stream, stanza);
      return;
    }
    const { limits, listener } = this.context;
    if (
      session.unhandledStanzas >= limits.unhandledStanzasMax ||
      session.unhandledBytes + bytes > limits.unhandledBytesMax
    ) {
      const text = 'expected fewer stanzas before they are acknowledged';
      stream.fail('resource-constraint', text, true);
      return;
    }
    if (!session.receive(bytes)) return;
    this.lastStanzaMs = this.context.env.now.monotonicMs;
    // Clients compare addresses as they are written, so there is one spelling of each.
    const isPrepared = stanza.attributes.get('from') === from;
    listener.stanzaFromDevice(
      session.device,
      isPrepared ? stanza : withAttributes(stanza, { from }),
    );
  }

  acknowledged(stream: DirectStream, h: number): void {
    const { session } = this;
    if (session === undefined || stream !== this.connection.stream) return;
    this.requestedMs = undefined;
    if (!this.acknowledge(session, h)) this.refuseCount(stream, h);
    else if (session.unacknowledgedStanzas > 0) this.setFlush();
  }

  acknowledgementAsked(stream: DirectStream): void {
    const { session } = this;
    if (session === undefined || stream !== this.connection.stream) return;
    if (session.unhandledStanzas === 0) {
      stream.acknowledge(session.handled);
      return;
    }
    const { env } = this.context;
    env.setDeadline(`direct acknowledgement ${stream.link}`, ACKNOWLEDGEMENT_MS_MAX, () => {
      if (stream === this.connection.stream && stream.isOpen) stream.acknowledge(session.handled);
    });
  }

  streamEnded(stream: DirectStream, reason: string, isFinal: boolean): void {
    if (stream !== this.connection.stream) return;
    if (isFinal) {
      this.connection.stream = undefined;
      this.giveUp(reason);
    }
    this.requestedMs = undefined;
    this.connection.handleStreamEnded(stream.role, reason, this.session !== undefined);
  }

  /** The last acknowledgement of a stream that is to be closed. */
  acknowledgeNow(): void {
    const { session } = this;
    const { stream } = this.connection;
    if (session !== undefined && stream?.isOpen === true) stream.acknowledge(session.handled);
  }

  private begin(stream: DirectStream): void {
    this.node = stream.node;
    this.requestedMs = undefined;
  }

  /** False: so many stanzas were never sent. */
  private acknowledge(session: StreamSession, h: number): boolean {
    const tags = this.counting(session, () => session.acknowledge(h));
    if (tags === 'too-high') return false;
    if (tags.length > 0) this.context.listener.delivered(session.device, tags);
    return true;
  }

  /** At the end of the present input: one acknowledgement and one request for all that was sent. */
  private setFlush(): void {
    if (this.isFlushSet) return;
    this.isFlushSet = true;
    this.context.env.setDeadline(`direct flush ${this.connection.nodeId}`, 0, () => this.flush());
  }

  private flush(): void {
    this.isFlushSet = false;
    const { session } = this;
    const { stream } = this.connection;
    if (session === undefined || stream?.isOpen !== true) return;
    if (this.isAcknowledgementDue) {
      this.isAcknowledgementDue = false;
      this.context.env.cancelDeadline(`direct acknowledgement ${stream.link}`);
      stream.acknowledge(session.handled);
    }
    if (session.unacknowledgedStanzas > 0 && this.requestedMs === undefined) this.request(stream);
  }

  private request(stream: DirectStream): void {
    this.requestedMs = this.context.env.now.monotonicMs;
    stream.requestAcknowledgement();
  }

  private counting<Result>(session: StreamSession, change: () => Result): Result {
    const before = session.unacknowledgedBytes;
    const result = change();
    this.context.load.unacknowledgedBytes += session.unacknowledgedBytes - before;
    return result;
  }

  /** XEP-0198 §6. */
  private refuseCount(stream: DirectStream, h: number): void {
    const sent = this.session?.sentCount ?? 0;
    const reason = `expected an acknowledgement of at most ${sent} stanzas, got ${h}`;
    stream.refuse(handledCountTooHigh(h, sent), reason);
  }

  /** A stanza of somebody else than the certificate names is never handed up. */
  private refuseSender(stream: DirectStream, stanza: XmppElement): void {
    const from = stanza.attributes.get('from');
    const condition = from === undefined ? 'improper-addressing' : 'invalid-from';
    const reason = `expected a stanza from ${stream.user}, whom the certificate names`;
    const { nodeId } = this.connection;
    this.context.env.event({ type: 'stanzaRefused', from: nodeId, condition, reason });
    stream.fail(condition, reason, true);
  }
}

/** The prepared `from` of the stanza if it is one of this user. */
function senderOf(stanza: XmppElement, user: BareJid): string | undefined {
  const from = stanza.attributes.get('from');
  if (from === undefined || from === user) return from;
  const jid = parseJid(from);
  return jid instanceof AddressFault || jid.bare !== user ? undefined : jid.text;
}
