import { DeadlineTable } from '../../reload/deadline-table.ts';
import type { RandomSource } from '../../reload/peer-options.ts';
import type { Now } from '../../storage/now.ts';
import type { Jid } from '../../xmpp-address/jid.ts';
import { PING_NAMESPACE } from '../stanza/namespaces.ts';
import { CLIENT_NAMESPACE, mayBeAnsweredByError, stanzaError } from '../stanza/stanza.ts';
import { childElement, element, type XmppElement } from '../stanza/xmpp-element.ts';
import { SERVER_WAITING_BYTES_MAX } from './account-limits.ts';
import type { AccountSurroundings } from './account-surroundings.ts';
import type { ServerFailure } from './server-failure.ts';
import type { LoginMechanism } from './server-login.ts';
import { type RequestOutcome, type ServerRequest, ServerRequests } from './server-requests.ts';
import { ServerStream, type ServerStreamOptions } from './server-stream.ts';
import type { ServerTls } from './server-tls.ts';

/** Names a request; the host counts up. */
export type ServerRequestId = number;

/** All that can happen to a connection that a command has to a server. */
export type ServerClientInput =
  /** First of all: the connection is up, with TLS when it began with it. */
  | { readonly type: 'connected'; readonly tls: ServerTls | undefined }
  | { readonly type: 'tlsUp'; readonly tls: ServerTls }
  | { readonly type: 'data'; readonly bytes: Uint8Array }
  /** Bytes that still wait for a slow reader. */
  | { readonly type: 'drained'; readonly pendingBytes: number }
  | { readonly type: 'closed'; readonly failure: ServerFailure }
  | { readonly type: 'send'; readonly stanza: XmppElement }
  | {
      readonly type: 'request';
      readonly request: ServerRequestId;
      readonly content: ServerRequest;
    }
  /** Requests of this namespace are told as `stanza`; the caller answers them. */
  | { readonly type: 'answers'; readonly namespace: string }
  | { readonly type: 'close' }
  | { readonly type: 'tick' };

/** All that the world must do for it, in this order. */
export type ServerClientOutput =
  | { readonly type: 'send'; readonly bytes: Uint8Array }
  | { readonly type: 'startTls' }
  | { readonly type: 'close'; readonly reason: string }
  | { readonly type: 'ready'; readonly bound: Jid; readonly mechanism: LoginMechanism }
  | { readonly type: 'stanza'; readonly stanza: XmppElement }
  | {
      readonly type: 'answer';
      readonly request: ServerRequestId;
      readonly outcome: RequestOutcome;
    }
  | { readonly type: 'ended'; readonly failure: ServerFailure };

export interface ServerClientOptions
  extends Omit<ServerStreamOptions, 'formerMechanism' | 'resumption'> {
  readonly random: RandomSource;
}

/**
 * A short connection to an XMPP server as its client, for a command: a synchronous core around one
 * `ServerStream`. Requests of others are answered with `service-unavailable`, pings with a result.
 */
export class ServerClient {
  private readonly options: ServerClientOptions;
  private readonly deadlines = new DeadlineTable<Deadline>();
  private readonly surroundings: AccountSurroundings;
  private readonly requests: ServerRequests;
  private readonly answered = new Set<string>();
  private outputs: ServerClientOutput[] = [];
  private now: Now = { monotonicMs: 0, unixMs: 0 };
  private stream: ServerStream | undefined;
  private bound: Jid | undefined;

  constructor(options: ServerClientOptions) {
    this.options = options;
    this.surroundings = {
      random: options.random,
      setDeadline: (key, afterMs, run) =>
        this.deadlines.set(key, { type: key, run }, this.now.monotonicMs + afterMs),
      cancelDeadline: (key) => this.deadlines.cancel(key),
    };
    this.requests = new ServerRequests(this.surroundings);
  }

  handle(input: ServerClientInput, now: Now): ServerClientOutput[] {
    this.now = now;
    this.take(input);
    for (;;) {
      const due = this.deadlines.takeDue(now.monotonicMs);
      if (due === undefined) break;
      due.run();
    }
    const taken = this.outputs;
    this.outputs = [];
    return taken;
  }

  nextDeadline(): number | undefined {
    return this.deadlines.next();
  }

  private take(input: ServerClientInput): void {
    switch (input.type) {
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
        return this.stream?.closed(input.failure);
      case 'send':
        return this.stream?.send(input.stanza);
      case 'request':
        return this.request(input.request, input.content);
      case 'answers':
        this.answered.add(input.namespace);
        return;
      case 'close':
        return this.stream?.close('the connection is not needed any more');
      case 'tick':
    }
  }

  private connected(tls: ServerTls | undefined): void {
    const transport = {
      send: (bytes: Uint8Array) => this.outputs.push({ type: 'send', bytes }),
      startTls: () => this.outputs.push({ type: 'startTls' }),
      close: (reason: string) => this.outputs.push({ type: 'close', reason }),
    };
    const listener = {
      ready: (bound: Jid, mechanism: LoginMechanism) => {
        this.bound = bound;
        this.outputs.push({ type: 'ready', bound, mechanism });
      },
      stanza: (stanza: XmppElement) => this.stanza(stanza, bound()),
      other: () => false,
      ended: (failure: ServerFailure) => {
        this.requests.failAll(failure.reason);
        this.outputs.push({ type: 'ended', failure });
      },
    };
    const bound = () => this.bound ?? this.options.account;
    const options = { ...this.options, formerMechanism: undefined };
    this.stream = new ServerStream(this.surroundings, options, transport, listener, tls);
    this.stream.begin();
  }

  private request(request: ServerRequestId, content: ServerRequest): void {
    const stanza = this.requests.open(content, (outcome) =>
      this.outputs.push({ type: 'answer', request, outcome }),
    );
    if (stanza !== undefined) this.stream?.send(stanza);
  }

  private stanza(stanza: XmppElement, own: Jid): void {
    if (this.requests.take(stanza, own)) return;
    const type = stanza.attributes.get('type');
    const isRequest = stanza.name === 'iq' && (type === 'get' || type === 'set');
    const payload = stanza.children.find((node) => typeof node !== 'string');
    if (!isRequest || this.answered.has(payload?.namespace ?? '')) {
      this.outputs.push({ type: 'stanza', stanza });
    } else if (type === 'get' && childElement(stanza, 'ping', PING_NAMESPACE) !== undefined) {
      const { attributes } = stanza;
      const answer = { type: 'result', id: attributes.get('id'), to: attributes.get('from') };
      this.stream?.send(element('iq', CLIENT_NAMESPACE, answer));
    } else if (mayBeAnsweredByError(stanza)) {
      const text = 'This client answers no such request.';
      const error = stanzaError(stanza, 'service-unavailable', text);
      this.stream?.send(error);
    }
  }
}

interface Deadline {
  readonly type: string;
  readonly run: () => void;
}
