import type { RandomSource } from '../reload/peer-options.ts';
import type { Now } from '../storage/now.ts';
import type { Authenticator } from '../tls-auth/authenticator.ts';
import type { NodeId } from '../wire/node-id.ts';
import type { Jid } from '../xmpp-address/jid.ts';
import type { ClientLimits } from './client-session/client-limits.ts';
import { ClientSessions } from './client-session/client-sessions.ts';
import type { LocalSessionsListener } from './client-session/local-sessions.ts';
import type { AttachOrder } from './direct/address-rounds.ts';
import type { DirectLimits } from './direct/direct-limits.ts';
import { DirectStreamManager } from './direct/direct-stream-manager.ts';
import type { DirectStreamsListener } from './direct/direct-streams.ts';
import type { StoredRecord } from './routing/routing-records.ts';
import { StanzaRouter } from './routing/stanza-router.ts';
import { type ClientCertificateJudge, judgeByOverlay } from './sasl/client-certificate.ts';
import { XmppEnvironment } from './xmpp-environment.ts';
import type { ScramCredential, XmppInput } from './xmpp-input.ts';
import type { XmppOutput } from './xmpp-output.ts';

export interface XmppUsageOptions {
  /** Whose peer this is: a bare address, that of the own certificate. */
  readonly user: Jid;
  readonly nodeId: NodeId;
  /** The Peer's own: it holds the trust settings of the configuration in force. */
  readonly authenticator: Authenticator;
  readonly random: RandomSource;
  /** What a former run left in the store. */
  readonly records: Iterable<StoredRecord>;
  /** Of the local password; undefined: none is set. */
  readonly credential: ScramCredential | undefined;
  /** Which certificates let a client in. Default: those of this user in the overlay. */
  readonly judgeClientCertificate?: ClientCertificateJudge;
  readonly attachOrder?: AttachOrder;
  readonly clientLimits?: Partial<ClientLimits>;
  readonly directLimits?: Partial<DirectLimits>;
}

/**
 * XMPP over the overlay (XEP-0415) for the clients of one user, as a synchronous core: inputs go
 * in, outputs come out, and nothing else drives it. The user's clients on the one side, devices of
 * the overlay on the other, the routing of stanzas between.
 */
export class XmppUsage {
  private readonly env: XmppEnvironment;
  private readonly clients: ClientSessions;
  private readonly streams: DirectStreamManager;
  private readonly router: StanzaRouter;
  private hasStopped = false;

  constructor(options: XmppUsageOptions) {
    const { user, nodeId, authenticator } = options;
    this.env = new XmppEnvironment(options.random);
    const judgeClientCertificate =
      options.judgeClientCertificate ?? judgeByOverlay(authenticator, user.bare);
    this.clients = new ClientSessions(
      this.env,
      {
        user,
        credential: options.credential,
        judgeClientCertificate,
        ...(options.clientLimits === undefined ? {} : { limits: options.clientLimits }),
      },
      this.clientReactions(),
    );
    this.streams = new DirectStreamManager(
      this.env,
      {
        ownNodeId: nodeId,
        ownUser: user.bare,
        authenticator,
        ...(options.attachOrder === undefined ? {} : { attachOrder: options.attachOrder }),
        ...(options.directLimits === undefined ? {} : { limits: options.directLimits }),
      },
      this.deviceReactions(),
    );
    this.router = new StanzaRouter({
      environment: this.env,
      user: user.bare,
      nodeId,
      sessions: this.clients,
      streams: this.streams,
      records: options.records,
    });
  }

  /** One thing has happened; returns all that the world must do now, in order. */
  handle(input: XmppInput, now: Now): XmppOutput[] {
    this.env.now = now;
    if (this.hasStopped) return [];
    this.take(input);
    this.env.runDueDeadlines();
    const outputs = this.env.takeOutputs();
    if (!this.hasStopped) return outputs;
    return [...outputs, { type: 'stopped' }];
  }

  /** When it wants a `tick`, in monotonic ms. */
  nextDeadline(): number | undefined {
    return this.hasStopped ? undefined : this.env.nextDeadline();
  }

  private take(input: XmppInput): void {
    switch (input.type) {
      case 'start':
        this.router.start();
        this.streams.start();
        return;
      case 'clientConnected':
        this.clients.connected(input.connection, input.transport, input.tls);
        return;
      case 'clientTls':
        this.clients.tlsUp(input.connection, input.tls);
        return;
      case 'clientData':
        this.clients.received(input.connection, input.bytes);
        return;
      case 'clientDrained':
        this.clients.drained(input.connection, input.pendingBytes);
        return;
      case 'clientClosed':
        this.clients.closed(input.connection, input.reason);
        return;
      case 'sendMessage':
        this.router.sendMessage(input.message, input.to, input.text);
        return;
      case 'passwordChanged':
        this.clients.passwordChanged(input.credential);
        return;
      case 'trustChanged':
        this.clients.trustChanged();
        this.streams.handle(input);
        return;
      case 'commandCompleted':
        this.env.commandCompleted(input.command, input.outcome);
        return;
      case 'persisted':
        this.env.persisted(input.ticket);
        return;
      case 'persistFailed':
        this.env.persistFailed(input.ticket, input.reason);
        return;
      case 'leave':
        this.clients.leave();
        this.streams.stop();
        this.hasStopped = true;
        return;
      case 'tick':
        return;
      default:
        this.streams.handle(input);
    }
  }

  private clientReactions(): LocalSessionsListener {
    return {
      sessionBinding: (session, wanted) => this.router.sessionBinding(session, wanted),
      stanzaFromSession: (session, stanza) => this.router.stanzaFromSession(session, stanza),
      sessionEnded: (session, undelivered) => this.router.sessionEnded(session, undelivered),
    };
  }

  private deviceReactions(): DirectStreamsListener {
    return {
      deviceConnected: (device) => this.router.deviceConnected(device),
      deviceLost: (device) => this.router.deviceLost(device),
      delivered: (device, tags) => this.router.delivered(device, tags),
      undelivered: () => this.router.undelivered(),
      stanzaFromDevice: (device, stanza) => this.router.stanzaFromDevice(device, stanza),
      addressTried: (address, found, connected, reason) =>
        this.router.addressTried(address, found, connected, reason),
    };
  }
}
