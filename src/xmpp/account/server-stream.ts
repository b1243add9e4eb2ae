import { toHex } from '../../wire/hex.ts';
import type { Jid } from '../../xmpp-address/jid.ts';
import { toBase64 } from '../sasl/base64.ts';
import { SCRAM_NONCE_LENGTH } from '../sasl/sasl-limits.ts';
import { PING_NAMESPACE, TLS_NAMESPACE } from '../stanza/namespaces.ts';
import { CLIENT_NAMESPACE, isStanza } from '../stanza/stanza.ts';
import { element, isElement, type XmppElement } from '../stanza/xmpp-element.ts';
import {
  STREAMS_NAMESPACE,
  type StreamErrorCondition,
  streamError,
} from '../stream/stream-error.ts';
import { NEGOTIATION_STREAM_LIMITS } from '../stream/stream-limits.ts';
import { handledCountOf, STREAM_MANAGEMENT_NAMESPACE } from '../stream/stream-management.ts';
import { type StreamEvent, type StreamOpened, StreamReader } from '../stream/stream-reader.ts';
import { writeFirstLevel, writeStreamEnd, writeStreamHeader } from '../stream/write-stream.ts';
import { REQUEST_ID_LENGTH, SERVER_STREAM_LIMITS, type ServerTimeouts } from './account-limits.ts';
import type { AccountSurroundings, ServerTransport } from './account-surroundings.ts';
import { bindRequest, boundAddress } from './resource-binding.ts';
import { quoted, type ServerFailure } from './server-failure.ts';
import { readServerFeatures, type ServerFeatures } from './server-features.ts';
import { streamFailure, whatIsWrongWithServer } from './server-header.ts';
import {
  type AccountCredentials,
  type LoginMechanism,
  type LoginStep,
  ServerLogin,
} from './server-login.ts';
import { AWAITED, type Step } from './server-step.ts';
import type { ServerTls } from './server-tls.ts';

export interface ServerStreamOptions {
  /** A bare address, or a full one whose resourcepart the server is asked for. */
  readonly account: Jid;
  readonly credentials: AccountCredentials;
  readonly timeouts: ServerTimeouts;
  /** What a former login of this account went with, if there was one. */
  readonly formerMechanism: LoginMechanism | undefined;
  /** A session to resume instead of binding a resource anew (XEP-0198 §5). */
  readonly resumption?: SessionToResume | undefined;
}

export interface SessionToResume {
  readonly id: string;
  readonly bound: Jid;
  /** `h`, asked for at the moment of resumption. */
  readonly handled: () => number;
}

export interface ServerStreamListener {
  /** Logged in; `bound` is the full address that the server gave. Stanzas can go. */
  ready(bound: Jid, mechanism: LoginMechanism, features: ServerFeatures): void;
  /** As `ready`, with the former session; the server has handled `h` of its stanzas. */
  resumed?(h: number, mechanism: LoginMechanism): void;
  /** A stanza, as it came: `from` is the server's word. */
  stanza(stanza: XmppElement): void;
  /** The server is silent: make it answer. Absent: it is sent a ping. */
  silent?(): void;
  /**
   * A stanza is over the limits, and nothing more is read. `end` ends the stream, when it is told
   * that the stanza need not come again. Absent: it ends at once.
   */
  exceeded?(end: () => void): void;
  /** An element of the stream that is no stanza: whether it was expected. */
  other(given: XmppElement): boolean;
  /** The stream is over, once; the transport was told to close unless it did itself. */
  ended(failure: ServerFailure): void;
}

/**
 * One connection to the XMPP server of an account, in the role of a client (RFC 6120): TLS, login,
 * binding, stanzas. Nothing but the request for TLS is said in the clear (RFC 7590).
 */
export class ServerStream {
  private readonly surroundings: AccountSurroundings;
  private readonly options: ServerStreamOptions;
  private readonly transport: ServerTransport;
  private readonly listener: ServerStreamListener;
  private reader = new StreamReader(NEGOTIATION_STREAM_LIMITS);
  private step: Step = 'header';
  private tls: ServerTls | undefined;
  private login: ServerLogin | undefined;
  private mechanism: LoginMechanism | undefined;
  private features: ServerFeatures | undefined;
  private bindId = '';
  private pingId: string | undefined;
  private bound: Jid | undefined;
  private isHeaderSent = false;

  /** The connection is up; `tls` is there when it began with TLS. */
  constructor(
    surroundings: AccountSurroundings,
    options: ServerStreamOptions,
    transport: ServerTransport,
    listener: ServerStreamListener,
    tls: ServerTls | undefined,
  ) {
    this.surroundings = surroundings;
    this.options = options;
    this.transport = transport;
    this.listener = listener;
    this.tls = tls;
  }

  begin(): void {
    this.sendHeader();
  }

  get isOpen(): boolean {
    return this.step === 'open';
  }

  /** TLS is up, and the server's certificate is that of the account's domain. */
  tlsUp(tls: ServerTls): void {
    if (this.step !== 'tls') return;
    this.tls = tls;
    this.reader = new StreamReader(NEGOTIATION_STREAM_LIMITS);
    this.sendHeader();
  }

  received(bytes: Uint8Array): void {
    if (!this.isReading()) return;
    if (this.isOpen) this.expectMore();
    this.reader.push(bytes);
    while (this.isReading()) {
      const event = this.reader.next();
      if (event === undefined) return;
      this.take(event);
    }
  }

  /** The connection is gone. */
  closed(failure: ServerFailure): void {
    this.finish(failure);
  }

  send(given: XmppElement): void {
    if (this.step === 'over') return;
    this.write(writeFirstLevel('tcp', given));
  }

  /** Ends the stream (RFC 6120 §4.4). */
  close(reason: string): void {
    this.end({ code: 'stopped', reason });
  }

  /** Ends the stream with an error. */
  fail(condition: StreamErrorCondition, text: string): void {
    if (this.step === 'over') return;
    if (this.isHeaderSent) this.send(streamError(condition, text));
    this.end({ code: 'protocol', condition, reason: `what the server sent: ${quoted(text)}` });
  }

  private isReading(): boolean {
    return this.step !== 'over' && this.step !== 'tls';
  }

  private take(event: StreamEvent): void {
    if (event.type === 'fault') return this.faulted(event.condition, event.text);
    const { domainpart } = this.options.account;
    if (event.type === 'closed') {
      return this.end({ code: 'closed', reason: `${domainpart} has ended the stream` });
    }
    if (event.type === 'opened') return this.opened(event);
    const given = event.element;
    if (isElement(given, 'error', STREAMS_NAMESPACE)) {
      return this.end(streamFailure(given, domainpart));
    }
    this.took(given);
  }

  private faulted(condition: StreamErrorCondition, text: string): void {
    const { exceeded } = this.listener;
    const isTooMuch = this.isOpen && condition === 'policy-violation';
    if (isTooMuch && exceeded !== undefined) exceeded(() => this.fail(condition, text));
    else this.fail(condition, text);
  }

  private took(given: XmppElement): void {
    switch (this.step) {
      case 'features':
        return this.chooseNext(given);
      case 'proceed':
        return this.proceed(given);
      case 'login':
        return this.follow(this.login?.handle(given));
      case 'resume':
        return this.features && this.resuming(given, this.features);
      case 'bind':
        return this.binding(given);
      case 'open':
        if (this.isAnswerToPing(given)) return;
        if (isStanza(given)) return this.listener.stanza(given);
        if (this.listener.other(given)) return;
        return this.fail('unsupported-stanza-type', `<${given.name}/> is no stanza`);
      default:
        this.fail('bad-format', `<${given.name}/> came before the features`);
    }
  }

  private opened(opened: StreamOpened): void {
    if (this.step !== 'header') return this.fail('bad-format', 'a second stream header');
    const wrong = whatIsWrongWithServer(opened, this.options.account.domainpart);
    if (wrong !== undefined) return this.fail(wrong.condition, wrong.text);
    this.enter('features');
  }

  private chooseNext(given: XmppElement): void {
    const { name, namespace } = given;
    if (name !== 'features' || namespace !== STREAMS_NAMESPACE) {
      return this.fail('bad-format', `<${name}/> came instead of the features`);
    }
    const features = readServerFeatures(given);
    this.features = features;
    if (this.tls === undefined) return this.askForTls(features);
    if (this.mechanism === undefined) return this.logIn(features, this.tls);
    const { resumption } = this.options;
    if (resumption === undefined || !features.streamManagement) return this.bind(features);
    this.enter('resume');
    const h = String(resumption.handled());
    this.send(element('resume', STREAM_MANAGEMENT_NAMESPACE, { h, previd: resumption.id }));
  }

  /** XEP-0198 §5: the session goes on, or its server knows it no more. */
  private resuming(given: XmppElement, features: ServerFeatures): void {
    const { resumption } = this.options;
    if (isElement(given, 'failed', STREAM_MANAGEMENT_NAMESPACE)) return this.bind(features);
    const h = handledCountOf(given);
    const { name, namespace } = given;
    const isResumed = name === 'resumed' && namespace === STREAM_MANAGEMENT_NAMESPACE;
    if (!isResumed || h === undefined || resumption === undefined) {
      return this.fail('bad-format', `<${name}/> is no answer to a resumption`);
    }
    this.open(resumption.bound);
    if (this.mechanism !== undefined) this.listener.resumed?.(h, this.mechanism);
  }

  private open(bound: Jid): void {
    this.bound = bound;
    this.step = 'open';
    this.expectMore();
  }

  private askForTls({ startTls }: ServerFeatures): void {
    if (!startTls) {
      const { domainpart } = this.options.account;
      const reason =
        `${domainpart} offers no TLS here, or somebody in between took the offer away: ` +
        'nothing was sent; try direct TLS';
      return this.end({ code: 'no-tls', reason });
    }
    this.enter('proceed');
    this.send(element('starttls', TLS_NAMESPACE));
  }

  private proceed(given: XmppElement): void {
    if (!isElement(given, 'proceed', TLS_NAMESPACE)) {
      const reason = `${this.options.account.domainpart} refuses to begin TLS`;
      return this.end({ code: 'no-tls', reason });
    }
    // Whatever came behind it in the clear could be anybody's.
    if (this.reader.hasUnread) {
      const reason = 'something was said in the clear behind the beginning of TLS';
      return this.end({ code: 'no-tls', reason });
    }
    this.enter('tls');
    this.isHeaderSent = false;
    this.transport.startTls();
  }

  private logIn(features: ServerFeatures, tls: ServerTls): void {
    const { account, credentials, formerMechanism } = this.options;
    this.login = new ServerLogin({
      account,
      credentials,
      tls,
      features,
      formerMechanism,
      nonce: () => toBase64(this.surroundings.random.bytes(SCRAM_NONCE_LENGTH)),
    });
    this.follow(this.login.begin());
  }

  private follow(step: LoginStep | undefined): void {
    if (step === undefined) return;
    if (step.type === 'failure') return this.end(step.failure);
    if (step.type === 'send') {
      this.enter('login');
      return this.send(step.element);
    }
    this.mechanism = step.mechanism;
    this.login = undefined;
    this.reader.restart(SERVER_STREAM_LIMITS);
    this.sendHeader();
  }

  private bind({ bind }: ServerFeatures): void {
    const { account } = this.options;
    if (!bind) {
      const reason = `${account.domainpart} lets nobody bind a resource here`;
      return this.end({ code: 'protocol', reason });
    }
    this.bindId = toHex(this.surroundings.random.bytes(REQUEST_ID_LENGTH));
    this.enter('bind');
    this.send(bindRequest(this.bindId, account));
  }

  private binding(given: XmppElement): void {
    const { account } = this.options;
    const { attributes } = given;
    if (given.name !== 'iq' || attributes.get('id') !== this.bindId) {
      return this.fail('not-authorized', `<${given.name}/> came before a resource was bound`);
    }
    const bound = boundAddress(given);
    if (bound === undefined) {
      const reason = `${account.domainpart} binds no resource for ${account.bare}`;
      return this.end({ code: 'protocol', reason });
    }
    if (bound.bare !== account.bare) {
      const reason = `logged in as ${account.bare}, but the server bound ${bound.text}`;
      return this.end({ code: 'protocol', reason });
    }
    const { mechanism, features } = this;
    this.open(bound);
    if (mechanism && features) this.listener.ready(bound, mechanism, features);
  }

  private sendHeader(): void {
    const { account } = this.options;
    const from = this.tls === undefined ? undefined : account.bare;
    this.isHeaderSent = true;
    this.enter('header');
    this.write(writeStreamHeader('tcp', { to: account.domainpart, from, language: 'en' }));
  }

  private enter(step: Step): void {
    this.step = step;
    const { stepMs } = this.options.timeouts;
    this.surroundings.setDeadline(STEP_DEADLINE, stepMs, () => {
      const { domainpart } = this.options.account;
      const reason = `${domainpart} has not ${AWAITED[this.step]} within ${stepMs / 1000} s`;
      this.end({ code: 'timeout', reason });
    });
  }

  /** Silence is answered by a ping, and more silence ends the stream. */
  private expectMore(): void {
    const { idleMs, answerMs } = this.options.timeouts;
    this.surroundings.setDeadline(STEP_DEADLINE, idleMs, () => {
      if (this.listener.silent === undefined) this.ping();
      else this.listener.silent();
      this.surroundings.setDeadline(STEP_DEADLINE, answerMs, () => {
        const { domainpart } = this.options.account;
        const reason = `${domainpart} has been silent for ${(idleMs + answerMs) / 1000} s`;
        this.end({ code: 'timeout', reason });
      });
    });
  }

  private ping(): void {
    const id = toHex(this.surroundings.random.bytes(REQUEST_ID_LENGTH));
    this.pingId = id;
    const to = this.bound?.domainpart;
    const ping = element('ping', PING_NAMESPACE);
    this.send(element('iq', CLIENT_NAMESPACE, { type: 'get', id, to }, [ping]));
  }

  private isAnswerToPing({ name, attributes }: XmppElement): boolean {
    return this.pingId !== undefined && name === 'iq' && attributes.get('id') === this.pingId;
  }

  private write(text: string): void {
    this.transport.send(encoder.encode(text));
  }

  private end(failure: ServerFailure): void {
    if (this.step === 'over') return;
    if (this.isHeaderSent) this.write(writeStreamEnd('tcp'));
    this.transport.close(failure.reason);
    this.finish(failure);
  }

  private finish(failure: ServerFailure): void {
    if (this.step === 'over') return;
    this.step = 'over';
    this.surroundings.cancelDeadline(STEP_DEADLINE);
    this.listener.ended(failure);
  }
}

const encoder = new TextEncoder();
const STEP_DEADLINE = 'server stream';
