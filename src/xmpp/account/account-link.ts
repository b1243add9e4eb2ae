import type { Jid } from '../../xmpp-address/jid.ts';
import { PING_NAMESPACE } from '../stanza/namespaces.ts';
import { element, isElement, type XmppElement } from '../stanza/xmpp-element.ts';
import {
  acknowledgement,
  acknowledgementRequest,
  handledCountOf,
  STREAM_MANAGEMENT_NAMESPACE,
} from '../stream/stream-management.ts';
import type { XmppEnvironment } from '../xmpp-environment.ts';
import type { AccountInput, AccountOutput } from './account-events.ts';
import {
  ACCOUNT_PAUSE_MS_MAX,
  ACCOUNT_PAUSE_MS_MIN,
  ACCOUNT_REFUSED_PAUSE_MS_MAX,
  ACCOUNT_REFUSED_PAUSE_MS_MIN,
  ACCOUNT_STABLE_MS,
  SERVER_SKIP_MS_MAX,
  SERVER_UNACKNOWLEDGED_MAX,
  SERVER_UNHANDLED_MAX,
  SERVER_WAITING_BYTES_MAX,
  type ServerTimeouts,
} from './account-limits.ts';
import type { AccountServer, AccountServerListener, AccountSessionId } from './account-server.ts';
import { AccountSession } from './account-session.ts';
import type { ServerFailure, ServerFailureCode } from './server-failure.ts';
import type { ServerFeatures } from './server-features.ts';
import type { AccountCredentials, LoginMechanism } from './server-login.ts';
import { type RequestOutcome, type ServerRequest, ServerRequests } from './server-requests.ts';
import { ServerStream } from './server-stream.ts';
import type { ServerTls } from './server-tls.ts';

export interface AccountLinkOptions {
  /** The bare address of the account. */
  readonly account: Jid;
  readonly credentials: AccountCredentials;
  readonly timeouts: ServerTimeouts;
}

/**
 * Keeps the user logged in at the account's own server: connects, resumes the session where the
 * server can (XEP-0198), and tries again after pauses that double, longer ones where the server
 * refuses the credentials.
 */
export class AccountLink implements AccountServer {
  private readonly env: XmppEnvironment;
  private readonly options: AccountLinkOptions;
  private readonly listener: AccountServerListener;
  private readonly requests: ServerRequests;
  private connection = 0;
  private stream: ServerStream | undefined;
  private session: AccountSession | undefined;
  private lastSession: AccountSessionId = 0;
  private mechanism: LoginMechanism | undefined;
  private failures = 0;
  private onlineSinceMs = 0;
  /** Routing was told that it is online. */
  private hasBeenOnline = false;
  private isAsking = false;
  /** To do when all but one stanza, which is over the limits, is dealt with. */
  private skipped: (() => void) | undefined;
  private isStopped = false;

  constructor(env: XmppEnvironment, options: AccountLinkOptions, listener: AccountServerListener) {
    this.env = env;
    this.options = options;
    this.listener = listener;
    this.requests = new ServerRequests(env);
  }

  start(): void {
    this.connect();
  }

  /** Ends the stream; nothing is tried again. */
  stop(): void {
    this.isStopped = true;
    this.env.cancelDeadline(RECONNECT_DEADLINE);
    if (this.stream !== undefined) this.stream.close('the peer leaves');
    else this.output({ connection: this.connection, action: 'close', reason: 'leaving' });
  }

  get isOnline(): boolean {
    return this.stream?.isOpen === true && this.session !== undefined;
  }

  get bound(): Jid | undefined {
    return this.session?.bound;
  }

  send(stanza: XmppElement, tag: number): void {
    const { session } = this;
    if (session === undefined || !this.isOnline) {
      if (tag !== 0) this.listener.lostByServer([tag]);
      return;
    }
    const isFull = session.unacknowledged.length >= SERVER_UNACKNOWLEDGED_MAX;
    if (tag === 0 && isFull) return;
    session.push({ stanza, tag });
    this.stream?.send(stanza);
    this.askForAcknowledgement();
  }

  request(request: ServerRequest, then: (outcome: RequestOutcome) => void): void {
    if (!this.isOnline) {
      const reason = `${this.options.account.domainpart} is not connected`;
      return then({ type: 'unanswered', reason });
    }
    const stanza = this.requests.open(request, then);
    if (stanza !== undefined) this.send(stanza, 0);
  }

  handled(session: AccountSessionId): void {
    if (session !== this.session?.id) return;
    this.session.handle();
    if (this.session.unhandledCount === 1) this.skipped?.();
  }

  handle(input: AccountInput): void {
    if (input.connection !== this.connection) return;
    switch (input.event) {
      case 'connected':
        return this.connected(input.tls);
      case 'tlsUp':
        return this.stream?.tlsUp(input.tls);
      case 'data':
        return this.stream?.received(input.bytes);
      case 'drained':
        if (input.pendingBytes <= SERVER_WAITING_BYTES_MAX) return;
        return this.stream?.fail('resource-constraint', 'the server reads too slowly');
      case 'closed':
        if (this.stream === undefined) return this.ended(input.failure);
        return this.stream.closed(input.failure);
    }
  }

  private output(output: AccountOutput): void {
    this.env.output({ type: 'account', output });
  }

  private connect(): void {
    this.connection += 1;
    this.output({ connection: this.connection, action: 'connect' });
  }

  private connected(tls: ServerTls | undefined): void {
    if (this.isStopped) return;
    const { session } = this;
    const { connection } = this;
    const transport = {
      send: (bytes: Uint8Array) => this.output({ connection, action: 'send', bytes }),
      startTls: () => this.output({ connection, action: 'startTls' }),
      close: (reason: string) => this.output({ connection, action: 'close', reason }),
    };
    const resumption =
      session?.resumptionId === undefined
        ? undefined
        : { id: session.resumptionId, bound: session.bound, handled: () => session.resume() };
    const options = { ...this.options, formerMechanism: this.mechanism, resumption };
    this.stream = new ServerStream(this.env, options, transport, this.streamListener(), tls);
    this.stream.begin();
  }

  private streamListener() {
    return {
      ready: (bound: Jid, mechanism: LoginMechanism, features: ServerFeatures) =>
        this.ready(bound, mechanism, features),
      resumed: (h: number, mechanism: LoginMechanism) => this.resumed(h, mechanism),
      stanza: (stanza: XmppElement) => this.stanza(stanza),
      other: (given: XmppElement) => this.management(given),
      silent: () => this.silent(),
      exceeded: (end: () => void) => this.skip(end),
      ended: (failure: ServerFailure) => this.ended(failure),
    };
  }

  private ready(bound: Jid, mechanism: LoginMechanism, features: ServerFeatures): void {
    this.dropSession();
    this.lastSession += 1;
    this.session = new AccountSession(this.lastSession, bound);
    if (features.streamManagement) {
      this.session.management = 'asked';
      this.stream?.send(element('enable', STREAM_MANAGEMENT_NAMESPACE, { resume: 'true' }));
    }
    this.online(bound, mechanism, true);
  }

  private resumed(h: number, mechanism: LoginMechanism): void {
    const { session } = this;
    if (session === undefined) return;
    this.acknowledged(h);
    // A wrong count has ended the stream.
    if (!this.isOnline) return;
    for (const { stanza } of session.unacknowledged) this.stream?.send(stanza);
    this.online(session.bound, mechanism, false);
    this.askForAcknowledgement();
  }

  private online(bound: Jid, mechanism: LoginMechanism, isNew: boolean): void {
    this.mechanism = mechanism;
    this.onlineSinceMs = this.env.now.monotonicMs;
    this.isAsking = false;
    this.hasBeenOnline = true;
    this.env.event({ type: 'accountOnline', address: bound.text, mechanism, isResumed: !isNew });
    this.listener.serverOnline(isNew);
  }

  private stanza(stanza: XmppElement): void {
    const { session } = this;
    if (session === undefined || !session.receive()) return;
    if (session.unhandledCount > SERVER_UNHANDLED_MAX) {
      this.stream?.fail('resource-constraint', 'too many stanzas wait to be dealt with');
    } else if (this.requests.take(stanza, session.bound)) {
      session.handle();
    } else {
      this.listener.stanzaFromServer(session.id, stanza);
    }
  }

  /** What XEP-0198 sends beside stanzas. */
  private management(given: XmppElement): boolean {
    const { session, stream } = this;
    if (session === undefined || stream === undefined) return false;
    if (isElement(given, 'enabled', STREAM_MANAGEMENT_NAMESPACE)) {
      const resume = given.attributes.get('resume');
      session.management = 'on';
      if (resume === 'true' || resume === '1') session.resumptionId = given.attributes.get('id');
      this.askForAcknowledgement();
    } else if (isElement(given, 'failed', STREAM_MANAGEMENT_NAMESPACE)) {
      session.management = 'off';
      this.askForAcknowledgement();
    } else if (isElement(given, 'r', STREAM_MANAGEMENT_NAMESPACE)) {
      stream.send(acknowledgement(session.handledCount));
    } else if (isElement(given, 'a', STREAM_MANAGEMENT_NAMESPACE)) {
      const h = handledCountOf(given);
      if (h === undefined) return false;
      this.isAsking = false;
      this.acknowledged(h);
      this.askForAcknowledgement();
    } else {
      return false;
    }
    return true;
  }

  /**
   * What is too large or too deep must not come again with the next session: it is acknowledged,
   * too, when all before it is dealt with (XEP-0198 §4).
   */
  private skip(end: () => void): void {
    const { session } = this;
    if (session?.management !== 'on' || !session.receive()) return end();
    const skipped = () => {
      session.handle();
      this.stream?.send(acknowledgement(session.handledCount));
      end();
    };
    if (session.unhandledCount === 1) return skipped();
    this.skipped = skipped;
    this.env.setDeadline(SKIP_DEADLINE, SERVER_SKIP_MS_MAX, end);
  }

  private silent(): void {
    const { session, stream } = this;
    if (session !== undefined && stream !== undefined) this.ask(session, stream);
  }

  private acknowledged(h: number): void {
    const tags = this.session?.acknowledge(h) ?? [];
    if (tags === 'too-high') {
      this.stream?.fail('undefined-condition', 'more stanzas were acknowledged than were sent');
    } else if (tags.length > 0) {
      this.listener.acknowledgedByServer(tags);
    }
  }

  /** Once at a time, for all that was sent until then. */
  private askForAcknowledgement(): void {
    const { session, stream } = this;
    const isWaiting = session?.unacknowledged.some(({ tag }) => tag !== 0) ?? false;
    const isFull = (session?.unacknowledged.length ?? 0) >= SERVER_UNACKNOWLEDGED_MAX / 2;
    if (session === undefined || stream === undefined || this.isAsking) return;
    if (isWaiting || isFull) this.ask(session, stream);
  }

  private ask(session: AccountSession, stream: ServerStream): void {
    // What is sent before the server has answered is counted by it or not.
    if (session.management === 'asked') return;
    this.isAsking = true;
    if (session.management === 'on') stream.send(acknowledgementRequest());
    else this.pingForAcknowledgement(session, stream);
  }

  /** Stanzas are dealt with in order: who answers a ping has read what came before it. */
  private pingForAcknowledgement(session: AccountSession, stream: ServerStream): void {
    const h = session.sentCount;
    const payload = element('ping', PING_NAMESPACE);
    const { requestMs: timeoutMs } = this.options.timeouts;
    const to = this.options.account.domainpart;
    const ping = this.requests.open({ to, type: 'get', payload, timeoutMs }, ({ type }) => {
      if (session !== this.session || stream !== this.stream) return;
      this.isAsking = false;
      if (type !== 'unanswered') this.acknowledged(h);
      else stream.fail('connection-timeout', 'no answer to a ping');
      this.askForAcknowledgement();
    });
    // It is no stanza that anybody waits for, so it is not counted.
    if (ping !== undefined) stream.send(ping);
  }

  private ended(failure: ServerFailure): void {
    const wasOnline = this.hasBeenOnline;
    this.stream = undefined;
    this.hasBeenOnline = false;
    this.skipped = undefined;
    this.env.cancelDeadline(SKIP_DEADLINE);
    this.requests.failAll(failure.reason);
    if (this.session?.resumptionId === undefined) this.dropSession();
    if (wasOnline) this.listener.serverOffline();
    if (this.isStopped) return;
    const pauseMs = this.pauseAfter(failure.code);
    this.env.event({ type: 'accountOffline', ...failure, pauseMs });
    this.env.setDeadline(RECONNECT_DEADLINE, pauseMs, () => this.connect());
  }

  /** Doubled each time, with jitter of half of it in either direction. */
  private pauseAfter(code: ServerFailureCode): number {
    const wasStable = this.env.now.monotonicMs - this.onlineSinceMs >= ACCOUNT_STABLE_MS;
    if (this.onlineSinceMs > 0 && wasStable) this.failures = 0;
    this.onlineSinceMs = 0;
    const isRefused = REFUSALS.includes(code);
    const least = isRefused ? ACCOUNT_REFUSED_PAUSE_MS_MIN : ACCOUNT_PAUSE_MS_MIN;
    const most = isRefused ? ACCOUNT_REFUSED_PAUSE_MS_MAX : ACCOUNT_PAUSE_MS_MAX;
    const pauseMs = Math.min(least * 2 ** this.failures, most);
    this.failures = Math.min(this.failures + 1, DOUBLINGS_MAX);
    const [chance = 0] = this.env.random.bytes(1);
    return Math.round(pauseMs * (0.5 + chance / 255));
  }

  private dropSession(): void {
    const tags = this.session?.end() ?? [];
    this.session = undefined;
    if (tags.length > 0) this.listener.lostByServer(tags);
  }
}

/** To ask again soon would not change the answer. */
const REFUSALS: readonly ServerFailureCode[] = ['credentials', 'mechanism', 'certificate'];
const RECONNECT_DEADLINE = 'account reconnect';
const SKIP_DEADLINE = 'account skip';
const DOUBLINGS_MAX = 12;
