import { randomBytes } from 'node:crypto';
import {
  SERVER_TIMEOUTS_DEFAULT,
  type ServerTimeouts,
} from '../../../xmpp/account/account-limits.ts';
import {
  ServerClient,
  type ServerClientInput,
  type ServerClientOutput,
} from '../../../xmpp/account/server-client.ts';
import { quoted, type ServerFailure } from '../../../xmpp/account/server-failure.ts';
import type { AccountCredentials } from '../../../xmpp/account/server-login.ts';
import type { RequestOutcome, StanzaErrorContent } from '../../../xmpp/account/server-requests.ts';
import type { XmppElement } from '../../../xmpp/stanza/xmpp-element.ts';
import { AddressFault } from '../../../xmpp-address/address-fault.ts';
import { type Jid, parseJid } from '../../../xmpp-address/jid.ts';
import { hostClock } from '../../host-clock.ts';
import { PeerDriver } from '../../peer-driver.ts';
import { accountCredentials, type LoginCredentials } from './account-credentials.ts';
import type { ServerEncryption, ServiceResolver } from './server-address.ts';
import { ServerSocket } from './server-socket.ts';

export interface ServerConnectionOptions {
  /** The account: a bare JID, or a full one whose resourcepart is asked for. */
  readonly jid: string;
  /** A host name or IP address; absent: what the SRV records of the account's domain say. */
  readonly server?: string | undefined;
  /** Default: 5222, with direct TLS 5223. It counts with `server` alone. */
  readonly port?: number | undefined;
  /** Default: `starttls`. Without TLS there is no connection. */
  readonly tls?: ServerEncryption;
  readonly credentials: LoginCredentials;
  /** PEM of the authorities that the server's certificate leads to; default: the system's. */
  readonly caCertificates?: readonly string[] | undefined;
  readonly timeouts?: Partial<ServerTimeouts>;
  /** Aborting it ends the connection. */
  readonly signal?: AbortSignal;
  /** Asks for SRV records; default: the system's resolver. */
  readonly resolveService?: ServiceResolver;
}

/** There is no connection to the server, or none any more; the message is a sentence. */
export class ServerConnectionError extends Error {
  readonly failure: ServerFailure;

  constructor(failure: ServerFailure) {
    super(failure.reason);
    this.name = 'ServerConnectionError';
    this.failure = failure;
  }
}

/** A request was answered by an error stanza (RFC 6120 §8.3). */
export class StanzaErrorAnswer extends Error {
  readonly condition: string;
  readonly errorType: string;
  readonly text: string | undefined;
  readonly applicationCondition: XmppElement | undefined;

  constructor(from: string, error: StanzaErrorContent) {
    const said = error.text === undefined ? '' : `: ${quoted(error.text)}`;
    super(`${from} answers ${quoted(error.condition)}${said}`);
    this.name = 'StanzaErrorAnswer';
    this.condition = error.condition;
    this.errorType = error.errorType;
    this.text = error.text;
    this.applicationCondition = error.applicationCondition;
  }
}

/**
 * Logs in to the XMPP server of an account as its client. Resolves when a resource is bound;
 * rejects with ServerConnectionError, and with AddressFault's sentence for a JID that is none.
 */
export async function openServerConnection(
  options: ServerConnectionOptions,
): Promise<ServerConnection> {
  const account = parseJid(options.jid);
  if (account instanceof AddressFault) {
    throw new Error(`"${options.jid}" is no XMPP address: ${account.describe()}`);
  }
  if (account.localpart === undefined) throw new Error(`"${options.jid}" names no account`);
  const connection = new ServerConnection(options, account);
  await connection.opened;
  return connection;
}

/** A connection to the server of an account, logged in. */
export class ServerConnection {
  /** Resolves when it is logged in; rejects with ServerConnectionError. */
  readonly opened: Promise<void>;
  /** Resolves with the reason when it has ended, whoever ended it. */
  readonly ended: Promise<ServerFailure>;
  private readonly options: ServerConnectionOptions;
  private readonly account: Jid;
  private readonly timeouts: ServerTimeouts;
  private readonly socket: ServerSocket;
  private readonly driver: PeerDriver<ServerClientInput, ServerClientOutput>;
  private readonly listeners = new Set<(stanza: XmppElement) => void>();
  private readonly answers = new Map<number, (outcome: RequestOutcome) => void>();
  private settle: { ready(): void; failed(error: Error): void; ended(why: ServerFailure): void };
  private lastRequest = 0;
  private bound: Jid | undefined;
  private usedMechanism = '';
  private over: ServerFailure | undefined;

  constructor(options: ServerConnectionOptions, account: Jid) {
    const credentials = accountCredentials(options.credentials, account);
    this.options = options;
    this.account = account;
    this.timeouts = { ...SERVER_TIMEOUTS_DEFAULT, ...options.timeouts };
    this.settle = { ready: nothing, failed: nothing, ended: nothing };
    this.opened = new Promise((resolve, reject) => {
      this.settle = { ...this.settle, ready: resolve, failed: reject };
    });
    this.ended = new Promise((resolve) => {
      this.settle = { ...this.settle, ended: resolve };
    });
    this.driver = new PeerDriver(this.core(credentials), hostClock, (output) =>
      this.perform(output),
    );
    this.socket = this.newSocket();
    options.signal?.addEventListener('abort', this.abort);
    if (options.signal?.aborted === true) this.abort();
    else void this.socket.connect();
  }

  /** The full address that the server bound. */
  get address(): string {
    return this.bound?.text ?? this.account.text;
  }

  /** The SASL mechanism that let it in. */
  get mechanism(): string {
    return this.usedMechanism;
  }

  /**
   * Sends a request and resolves with the whole `<iq type='result'/>`. Rejects with
   * StanzaErrorAnswer, or with ServerConnectionError when no answer comes. `to` undefined: the own
   * account.
   */
  async iq(
    to: string | undefined,
    type: 'get' | 'set',
    payload: XmppElement,
    { timeoutMs = this.timeouts.requestMs }: { readonly timeoutMs?: number } = {},
  ): Promise<XmppElement> {
    if (this.over !== undefined) throw new ServerConnectionError(this.over);
    const request = ++this.lastRequest;
    const outcome = await new Promise<RequestOutcome>((resolve) => {
      this.answers.set(request, resolve);
      const content = { to, type, payload, timeoutMs };
      this.driver.deliver({ type: 'request', request, content });
    });
    if (outcome.type === 'result') return outcome.stanza;
    if (outcome.type === 'error') throw new StanzaErrorAnswer(to ?? this.address, outcome.error);
    throw new ServerConnectionError(this.over ?? { code: 'timeout', reason: outcome.reason });
  }

  /** Sends a stanza of `jabber:client`. Nothing is sent after the end. */
  send(stanza: XmppElement): void {
    this.driver.deliver({ type: 'send', stanza });
  }

  /**
   * Hears of every stanza that answers no request of `iq`, until the function that is returned is
   * called. Requests are answered with `service-unavailable` unless `answersRequests` names their
   * namespace.
   */
  onStanza(listener: (stanza: XmppElement) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Requests of this namespace go to the listeners of `onStanza`, who answer them. */
  answersRequests(namespace: string): void {
    this.driver.deliver({ type: 'answers', namespace });
  }

  /** Ends the stream and the connection; resolves at once when it has ended before. */
  async close(): Promise<void> {
    this.finish({ code: 'stopped', reason: 'this end closed the connection' });
    await this.ended;
  }

  private readonly abort = (): void => {
    this.finish({ code: 'stopped', reason: 'it was interrupted' });
  };

  private core(credentials: AccountCredentials): ServerClient {
    const { account, timeouts } = this;
    const random = { bytes: (length: number) => new Uint8Array(randomBytes(length)) };
    return new ServerClient({ account, credentials, timeouts, random });
  }

  private newSocket(): ServerSocket {
    const { options, account, driver, timeouts } = this;
    const { certificate } = options.credentials;
    return new ServerSocket(
      {
        account,
        server: options.server,
        port: options.port,
        encryption: options.tls ?? 'starttls',
        caCertificates: options.caCertificates,
        clientCertificate: certificate,
        connectMs: timeouts.connectMs,
        resolve: options.resolveService,
      },
      {
        connected: (tls) => driver.deliver({ type: 'connected', tls }),
        tlsUp: (tls) => driver.deliver({ type: 'tlsUp', tls }),
        data: (bytes) => driver.deliver({ type: 'data', bytes }),
        drained: (pendingBytes) => driver.deliver({ type: 'drained', pendingBytes }),
        closed: (failure) => {
          driver.deliver({ type: 'closed', failure });
          this.finish(failure);
        },
      },
    );
  }

  private perform(output: ServerClientOutput): void {
    switch (output.type) {
      case 'send':
        return this.socket.send(output.bytes);
      case 'startTls':
        return this.socket.startTls();
      case 'close':
        return this.socket.close();
      case 'ready':
        this.bound = output.bound;
        this.usedMechanism = output.mechanism;
        return this.settle.ready();
      case 'stanza':
        for (const listener of this.listeners) listener(output.stanza);
        return;
      case 'answer':
        this.answers.get(output.request)?.(output.outcome);
        this.answers.delete(output.request);
        return;
      case 'ended':
        return this.finish(output.failure);
    }
  }

  private finish(failure: ServerFailure): void {
    if (this.over !== undefined) return;
    this.over = failure;
    this.driver.deliver({ type: 'close' });
    this.driver.stop();
    this.socket.close();
    this.options.signal?.removeEventListener('abort', this.abort);
    for (const answer of this.answers.values()) {
      answer({ type: 'unanswered', reason: failure.reason });
    }
    this.answers.clear();
    this.settle.failed(new ServerConnectionError(failure));
    this.settle.ended(failure);
  }
}

function nothing(): void {
  // Until the promise has made the function that takes its place.
}
