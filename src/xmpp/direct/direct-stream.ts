import type { AuthenticatedNode } from '../../tls-auth/authenticated-node.ts';
import { toHex } from '../../wire/hex.ts';
import type { BareJid } from '../../xmpp-address/jid.ts';
import { CLIENT_NAMESPACE, isStanza, STANZA_ERROR_NAMESPACE } from '../stanza/stanza.ts';
import {
  type AttributeValues,
  childElement,
  element,
  writeElement,
  type XmppElement,
} from '../stanza/xmpp-element.ts';
import {
  STREAMS_NAMESPACE,
  type StreamErrorCondition,
  streamError,
} from '../stream/stream-error.ts';
import { DIRECT_STREAM_LIMITS } from '../stream/stream-limits.ts';
import {
  acknowledgement,
  acknowledgementRequest,
  handledCountOf,
  STREAM_MANAGEMENT_NAMESPACE as STREAM_MANAGEMENT,
} from '../stream/stream-management.ts';
import { type StreamEvent, type StreamOpened, StreamReader } from '../stream/stream-reader.ts';
import { writeFirstLevel, writeStreamEnd, writeStreamHeader } from '../stream/write-stream.ts';
import type { XmppEnvironment } from '../xmpp-environment.ts';
import type { DirectLinkId } from '../xmpp-input.ts';
import { CLOSING_MS_MAX, NEGOTIATION_MS_MAX, RESUMPTION_MS_MAX } from './direct-limits.ts';
import { whatIsWrongWithHeader } from './stream-header.ts';

/** Who opens the XMPP stream: the end that sent AppAttach (XEP-0415 §1). */
export type StreamRole = 'initiator' | 'receiver';

/** What a stream asks of, and tells, the device that it belongs to. */
export interface DirectStreamOwner {
  /** The session that this end wants to go on with, and its `h`. */
  sessionToResume(stream: DirectStream): { readonly id: string; readonly h: number } | undefined;
  /** The other end wants to go on with a session: its `h`, or undefined if there is none such. */
  resumptionAsked(stream: DirectStream, id: string, h: number): number | undefined;
  /** Both ends may send stanzas. `otherH` is what the other end has dealt with. */
  streamResumed(stream: DirectStream, otherH: number): void;
  /** The session that was to be resumed is gone; what `otherH` counts had arrived. */
  resumptionFailed(stream: DirectStream, otherH: number | undefined): void;
  /** A session begins; both ends may send stanzas. */
  streamOpened(stream: DirectStream, sessionId: string): void;
  stanzaRead(stream: DirectStream, stanza: XmppElement, bytes: number): void;
  acknowledged(stream: DirectStream, h: number): void;
  acknowledgementAsked(stream: DirectStream): void;
  /**
   * Once, unless the owner dropped it: the stream is over. `isFinal`: it was ended on purpose or is
   * refused; else the connection broke and its session may be resumed.
   */
  streamEnded(stream: DirectStream, reason: string, isFinal: boolean): void;
}

/**
 * One XMPP stream over one connection to a device: header, stream management (XEP-0198), stanzas,
 * end. Both ends are authenticated by TLS, so there is no SASL.
 */
export class DirectStream {
  readonly link: DirectLinkId;
  readonly role: StreamRole;
  /** As the certificate shown on this connection says. */
  readonly node: AuthenticatedNode;
  readonly user: BareJid;
  readonly upSinceMs: number;
  lastHeardMs: number;
  private readonly env: XmppEnvironment;
  private readonly ownUser: BareJid;
  private readonly over: () => void;
  private readonly owner: DirectStreamOwner;
  private readonly reader = new StreamReader(DIRECT_STREAM_LIMITS);
  private step: Step = 'header';
  private hasSentHeader = false;

  constructor(
    env: XmppEnvironment,
    connection: {
      readonly link: DirectLinkId;
      readonly role: StreamRole;
      readonly node: AuthenticatedNode;
      readonly user: BareJid;
      readonly ownUser: BareJid;
      /** Called once: no input of this connection is for anybody any more. */
      readonly over: () => void;
    },
    owner: DirectStreamOwner,
  ) {
    this.env = env;
    this.link = connection.link;
    this.role = connection.role;
    this.node = connection.node;
    this.user = connection.user;
    this.ownUser = connection.ownUser;
    this.over = connection.over;
    this.owner = owner;
    this.upSinceMs = env.now.monotonicMs;
    this.lastHeardMs = env.now.monotonicMs;
  }

  /** Stanzas may be sent. */
  get isOpen(): boolean {
    return this.step === 'open';
  }

  begin(): void {
    if (this.role === 'initiator') this.sendHeader();
    this.env.setDeadline(this.deadline, NEGOTIATION_MS_MAX, () => {
      this.fail('connection-timeout', `no stream after ${NEGOTIATION_MS_MAX} ms`, false);
    });
  }

  handleData(bytes: Uint8Array): void {
    this.lastHeardMs = this.env.now.monotonicMs;
    this.reader.push(bytes);
    for (let event = this.reader.next(); event !== undefined; event = this.reader.next()) {
      if (this.step === 'over') return;
      this.handle(event);
    }
  }

  /** The connection is gone. */
  handleDown(reason: string): void {
    if (this.step === 'over') return;
    const isFinal = this.step === 'closing';
    this.finish();
    this.owner.streamEnded(this, reason, isFinal);
  }

  send(text: string): void {
    this.env.output({
      type: 'directSend',
      link: this.link,
      bytes: new Uint8Array(Buffer.from(text)),
    });
  }

  requestAcknowledgement(): void {
    this.send(REQUEST);
  }

  acknowledge(h: number): void {
    this.send(writeElement(acknowledgement(h), CLIENT_NAMESPACE));
  }

  /** Ends the stream on purpose: its end is sent, and the other one's waited for, not for long. */
  close(reason: string): void {
    if (this.step === 'over' || this.step === 'closing') return;
    if (!this.hasSentHeader) {
      this.drop(reason);
      this.owner.streamEnded(this, reason, true);
      return;
    }
    this.send(STREAM_END);
    this.step = 'closing';
    this.env.setDeadline(this.deadline, CLOSING_MS_MAX, () => this.end(reason, true));
  }

  /**
   * Ends the stream with a stream error (RFC 6120 §4.9). Where its session may be resumed, the
   * connection breaks off without a word: what is ended properly cannot be resumed (XEP-0198 §5).
   */
  fail(condition: StreamErrorCondition, text: string, isFinal: boolean): void {
    if (this.step === 'over') return;
    if (isFinal) this.sendError(streamError(condition, text));
    this.end(text, isFinal);
  }

  /** Ends the stream with this error for good. */
  refuse(error: XmppElement, reason: string): void {
    if (this.step === 'over') return;
    this.sendError(error);
    this.end(reason, true);
  }

  /** Closes the connection without a word to the owner: another one took its place. */
  drop(reason: string): void {
    if (this.step === 'over') return;
    this.finish();
    this.env.output({ type: 'directClose', link: this.link, reason });
  }

  private handle(event: StreamEvent): void {
    switch (event.type) {
      case 'opened':
        this.handleHeader(event);
        return;
      case 'element':
        if (this.step !== 'closing') this.handleElement(event.element, event.bytes);
        else if (isStanza(event.element)) return;
        else this.handleManagement(event.element);
        return;
      case 'closed':
        if (this.step !== 'closing') this.send(STREAM_END);
        this.end('the other end ended the stream', true);
        return;
      case 'fault':
        this.fail(event.condition, event.text, true);
    }
  }

  private handleHeader(opened: StreamOpened): void {
    const expected = { from: this.user, to: this.ownUser };
    const fault = whatIsWrongWithHeader(opened, expected);
    if (fault !== undefined) {
      this.fail(fault.condition, fault.text, true);
      return;
    }
    if (this.role === 'initiator') {
      this.step = 'features';
      return;
    }
    this.sendHeader();
    const features = element('features', STREAMS_NAMESPACE, {}, [element('sm', STREAM_MANAGEMENT)]);
    this.send(writeFirstLevel('tcp', features));
    this.step = 'asked';
  }

  private handleElement(read: XmppElement, bytes: number): void {
    if (isStanza(read)) {
      if (this.step === 'open') this.owner.stanzaRead(this, read, bytes);
      else this.fail('not-authorized', 'expected stream management before the first stanza', true);
    } else if (read.namespace === STREAM_MANAGEMENT) {
      this.handleManagement(read);
    } else if (read.namespace === STREAMS_NAMESPACE && read.name === 'error') {
      this.end(`the other end ended the stream: ${conditionOf(read)}`, true);
    } else if (read.namespace === STREAMS_NAMESPACE && read.name === 'features') {
      this.handleFeatures(read);
    } else {
      this.fail('unsupported-stanza-type', `expected a stanza, got <${read.name}/>`, true);
    }
  }

  private handleFeatures(features: XmppElement): void {
    if (this.step !== 'features') {
      this.fail('policy-violation', 'expected no features now', true);
    } else if (childElement(features, 'sm', STREAM_MANAGEMENT) === undefined) {
      this.fail('unsupported-feature', 'expected the feature of stream management', true);
    } else {
      const wanted = this.owner.sessionToResume(this);
      if (wanted === undefined) this.enable();
      else this.sendManagement('resume', { previd: wanted.id, h: String(wanted.h) });
      this.step = 'asking';
    }
  }

  private handleManagement(read: XmppElement): void {
    const { name } = read;
    const isExpected =
      name === 'a' || name === 'r'
        ? this.step === 'open' || this.step === 'closing'
        : EXPECTED_IN[name] === this.step;
    if (!isExpected) {
      this.fail('policy-violation', `expected no <${name}/> of stream management now`, true);
      return;
    }
    const h = handledCountOf(read);
    if ((read.attributes.get('id') ?? '').length > SM_ID_CHARACTERS_MAX) {
      this.fail('bad-format', `expected an id of ${SM_ID_CHARACTERS_MAX} characters at most`, true);
      return;
    }
    const needsCount = name === 'a' || name === 'resume' || name === 'resumed';
    if (needsCount && h === undefined) {
      this.fail('bad-format', `expected a count h in <${name}/>`, true);
      return;
    }
    this.follow(read, h);
  }

  private follow(read: XmppElement, h: number | undefined): void {
    const { attributes } = read;
    switch (read.name) {
      case 'a':
        this.owner.acknowledged(this, h ?? 0);
        return;
      case 'r':
        this.owner.acknowledgementAsked(this);
        return;
      case 'enable': {
        const id = toHex(this.env.random.bytes(16));
        const max = String(RESUMPTION_MS_MAX / 1000);
        this.sendManagement('enabled', { id, resume: 'true', max });
        this.open(() => this.owner.streamOpened(this, id));
        return;
      }
      case 'resume':
        this.resume(attributes.get('previd') ?? '', h ?? 0);
        return;
      case 'enabled': {
        const id = attributes.get('id') ?? '';
        this.open(() => this.owner.streamOpened(this, id));
        return;
      }
      case 'resumed':
        this.open(() => this.owner.streamResumed(this, h ?? 0));
        return;
      case 'failed':
        this.owner.resumptionFailed(this, h);
        this.enable();
        return;
      default:
        this.fail('unsupported-stanza-type', `expected no <${read.name}/>`, true);
    }
  }

  /** The other end goes on where the former connection broke, if its session is still here. */
  private resume(id: string, h: number): void {
    const ownH = this.owner.resumptionAsked(this, id, h);
    if (this.step === 'over') return;
    if (ownH === undefined) {
      const condition = element('item-not-found', STANZA_ERROR_NAMESPACE);
      this.send(
        writeElement(element('failed', STREAM_MANAGEMENT, {}, [condition]), CLIENT_NAMESPACE),
      );
      return;
    }
    this.sendManagement('resumed', { previd: id, h: String(ownH) });
    this.open(() => this.owner.streamResumed(this, h));
  }

  private open(tell: () => void): void {
    this.step = 'open';
    this.env.cancelDeadline(this.deadline);
    tell();
  }

  private enable(): void {
    this.sendManagement('enable', { resume: 'true', max: String(RESUMPTION_MS_MAX / 1000) });
  }

  private sendManagement(name: string, attributes: AttributeValues): void {
    this.send(writeElement(element(name, STREAM_MANAGEMENT, attributes), CLIENT_NAMESPACE));
  }

  private sendHeader(): void {
    this.hasSentHeader = true;
    const id = this.role === 'receiver' ? toHex(this.env.random.bytes(16)) : undefined;
    this.send(writeStreamHeader('tcp', { from: this.ownUser, to: this.user, id }));
  }

  private sendError(error: XmppElement): void {
    if (this.step === 'closing') return;
    if (!this.hasSentHeader) this.sendHeader();
    this.send(`${writeFirstLevel('tcp', error)}${STREAM_END}`);
  }

  private end(reason: string, isFinal: boolean): void {
    this.drop(reason);
    this.owner.streamEnded(this, reason, isFinal);
  }

  private finish(): void {
    this.step = 'over';
    this.env.cancelDeadline(this.deadline);
    this.over();
  }

  private get deadline(): string {
    return `direct stream ${this.link}`;
  }
}

/** What is awaited of the other end. */
type Step = 'header' | 'features' | 'asked' | 'asking' | 'open' | 'closing' | 'over';

/** XEP-0198 §5: the other end makes it, and it is kept as long as the session. */
const SM_ID_CHARACTERS_MAX = 4_000;

/** In which step an element of stream management may come. */
const EXPECTED_IN: Readonly<Record<string, Step>> = {
  enable: 'asked',
  resume: 'asked',
  enabled: 'asking',
  resumed: 'asking',
  failed: 'asking',
};

function conditionOf(error: XmppElement): string {
  const [condition] = error.children.filter((node) => typeof node !== 'string');
  return condition?.name.slice(0, 64) ?? 'no condition';
}

const REQUEST = writeElement(acknowledgementRequest(), CLIENT_NAMESPACE);
const STREAM_END = writeStreamEnd('tcp');
