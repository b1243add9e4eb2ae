import { AddressFault } from '../../xmpp-address/address-fault.ts';
import type { Jid } from '../../xmpp-address/jid.ts';
import { withResource } from '../../xmpp-address/jid.ts';
import type { ClientCertificateJudge } from '../sasl/client-certificate.ts';
import { isAccepted } from '../sasl/client-certificate.ts';
import { PasswordLockouts } from '../sasl/password-lockout.ts';
import type { XmppElement } from '../stanza/xmpp-element.ts';
import type { StreamErrorCondition } from '../stream/stream-error.ts';
import type { XmppEnvironment } from '../xmpp-environment.ts';
import type { ClientTls, ConnectionId, ScramCredential } from '../xmpp-input.ts';
import {
  ClientConnection,
  type ClientConnectionOwner,
  type EndedSession,
  negotiationKey,
} from './client-connection.ts';
import type { ClientContext } from './client-context.ts';
import {
  CERTIFICATE_CHECK_MS,
  CLIENT_LIMITS_DEFAULT,
  type ClientLimits,
  ENDED_SESSIONS_MAX,
} from './client-limits.ts';
import { ClientSession, type ClientSessionOwner, type SessionLogin } from './client-session.ts';
import { ClientStream } from './client-stream.ts';
import { ConnectionFlood, mostCrowded } from './connection-flood.ts';
import type { LocalSessions, LocalSessionsListener, SessionId } from './local-sessions.ts';

export interface ClientSessionsOptions {
  /** The bare JID whose clients log in here. */
  readonly user: Jid;
  /** Undefined: no password is set; only certificates let in. */
  readonly credential: ScramCredential | undefined;
  readonly judgeClientCertificate: ClientCertificateJudge;
  /** A client has logged in with what it showed in TLS: DER, the leaf first. */
  readonly certificateUsed?: (certificates: readonly Uint8Array[]) => void;
  readonly limits?: Partial<ClientLimits>;
}

/** A bound session whose client logged in with a certificate, also while it has no connection. */
export interface CertifiedSession {
  readonly session: SessionId;
  /** DER. */
  readonly leaf: Uint8Array;
  readonly resource: string;
}

/**
 * The user's own clients: their connections, logins and bound sessions (RFC 6120 §4 to §7, RFC
 * 7395, XEP-0178, XEP-0198). Each method but those of `LocalSessions` is one input of the usage.
 */
export class ClientSessions implements LocalSessions, ClientConnectionOwner, ClientSessionOwner {
  readonly listener: LocalSessionsListener;
  private readonly context: ClientContext;
  private readonly connections = new Map<ConnectionId, ClientConnection>();
  private readonly sessions = new Map<SessionId, ClientSession>();
  private readonly resumableSessions = new Map<string, ClientSession>();
  /** By the same ids; the oldest first. */
  private readonly endedSessions = new Map<string, EndedSession>();
  private lastSession: SessionId = 0;
  private readonly flood: ConnectionFlood;
  private watchesCertificates = false;

  constructor(
    env: XmppEnvironment,
    options: ClientSessionsOptions,
    listener: LocalSessionsListener,
  ) {
    const { user, credential, judgeClientCertificate } = options;
    this.listener = listener;
    this.context = {
      env,
      user,
      credential,
      judgeClientCertificate,
      certificateUsed: options.certificateUsed ?? (() => undefined),
      limits: { ...CLIENT_LIMITS_DEFAULT, ...options.limits },
      lockouts: new PasswordLockouts(),
    };
    this.flood = new ConnectionFlood(this.context.limits.connectionsPerWindowMax);
  }

  /** `address`: the IP address of the client's host, where it is known. */
  connected(
    connection: ConnectionId,
    transport: 'tcp' | 'websocket',
    tls: ClientTls | undefined,
    address?: string,
  ): void {
    const { env, limits, user } = this.context;
    const stream = new ClientStream(env, connection, transport, user.domainpart, () => {
      this.connections.delete(connection);
      env.cancelDeadline(negotiationKey(connection));
    });
    const isTooMuch = this.flood.isTooMuch(address, env.now.monotonicMs);
    if (!isTooMuch) this.makeRoom();
    const made = new ClientConnection(this.context, this, stream, tls, address);
    this.connections.set(connection, made);
    if (isTooMuch) return stream.fail('resource-constraint', TOO_MANY);
    env.setDeadline(negotiationKey(connection), limits.negotiationMsMax, () => {
      stream.fail('connection-timeout', 'The login took too long.');
    });
  }

  tlsUp(connection: ConnectionId, tls: ClientTls): void {
    this.connections.get(connection)?.tlsUp(tls);
  }

  received(connection: ConnectionId, bytes: Uint8Array): void {
    this.connections.get(connection)?.receive(bytes);
  }

  drained(connection: ConnectionId, pendingBytes: number): void {
    const held = this.connections.get(connection);
    if (held !== undefined) held.stream.waitingBytes = pendingBytes;
  }

  closed(connection: ConnectionId, reason: string): void {
    this.connections.get(connection)?.closed(reason);
  }

  passwordChanged(credential: ScramCredential): void {
    this.context.credential = credential;
  }

  /** Every certificate that let somebody in is judged again; those that wait are ended, too. */
  trustChanged(): void {
    for (const { login, id } of [...this.sessions.values()]) {
      const reason = this.refusalOf(login.certificates);
      // RFC 6120 §13.7.2.3.
      if (reason !== undefined) this.end(id, 'reset', `The certificate counts no more: ${reason}`);
    }
    for (const { certificates, stream } of [...this.connections.values()]) {
      const reason = this.refusalOf(certificates);
      if (reason !== undefined) stream.fail('reset', `The certificate counts no more: ${reason}`);
    }
  }

  /** How the client of a session has logged in. */
  loginOf(session: SessionId): SessionLogin | undefined {
    return this.sessions.get(session)?.login;
  }

  /** The resources of the sessions that came with a certificate, by that one's leaf. */
  *certifiedSessions(): Generator<CertifiedSession> {
    for (const { id, login, address } of this.sessions.values()) {
      const [leaf] = login.certificates ?? [];
      const resource = address.resourcepart;
      if (leaf !== undefined && resource !== undefined) yield { session: id, leaf, resource };
    }
  }

  /** Ends connections that have logged in with such a leaf and bound no resource yet. */
  endUnbound(isMeant: (leaf: Uint8Array) => boolean, text: string): void {
    for (const { certificates, stream } of [...this.connections.values()]) {
      const [leaf] = certificates ?? [];
      if (leaf !== undefined && isMeant(leaf)) stream.fail('reset', text);
    }
  }

  /** Ends all streams and sessions: the peer stops. */
  leave(): void {
    for (const id of [...this.sessions.keys()]) this.end(id, 'system-shutdown', SHUTDOWN);
    for (const { stream } of [...this.connections.values()]) {
      stream.fail('system-shutdown', SHUTDOWN);
    }
  }

  send(session: SessionId, stanza: XmppElement): void {
    this.sessions.get(session)?.send(stanza);
  }

  hasRoom(session: SessionId): boolean {
    return this.sessions.get(session)?.hasRoom ?? false;
  }

  handled(session: SessionId): void {
    this.sessions.get(session)?.handled();
  }

  end(session: SessionId, condition: StreamErrorCondition, text: string): void {
    this.sessions.get(session)?.end(condition, text);
  }

  bind(
    connection: ClientConnection,
    wanted: string | undefined,
    login: SessionLogin,
  ): ClientSession | 'conflict' | 'resource-constraint' {
    const { limits, user } = this.context;
    if (this.sessions.size >= limits.sessionsMax) return 'resource-constraint';
    this.lastSession += 1;
    const id = this.lastSession;
    const answer = this.listener.sessionBinding(id, wanted);
    if (answer === 'conflict' || answer === 'resource-constraint') return answer;
    const address = withResource(user, answer);
    if (address instanceof AddressFault) throw new Error(`no resource was granted: ${answer}`);
    this.endFormerOf(address);
    const { stream } = connection;
    const session = new ClientSession(id, address, this.context, this, { stream, login });
    this.sessions.set(id, session);
    this.watchCertificates();
    return session;
  }

  resumable(resumptionId: string): ClientSession | EndedSession | undefined {
    return this.resumableSessions.get(resumptionId) ?? this.endedSessions.get(resumptionId);
  }

  sessionResumable(session: ClientSession, resumptionId: string): void {
    this.resumableSessions.set(resumptionId, session);
  }

  sessionOver(session: ClientSession, undelivered: readonly XmppElement[], reason: string): void {
    const { id, resumptionId, address, handledCount } = session;
    this.sessions.delete(id);
    if (resumptionId !== undefined) {
      this.resumableSessions.delete(resumptionId);
      this.endedSessions.set(resumptionId, { address, handledCount });
      const [oldest] = this.endedSessions.keys();
      const isFull = this.endedSessions.size > ENDED_SESSIONS_MAX;
      if (isFull && oldest !== undefined) this.endedSessions.delete(oldest);
    }
    this.context.env.event({ type: 'clientEnded', address: address.text, reason });
    this.listener.sessionEnded(id, undelivered);
  }

  /** RFC 6120 §7.7.2.2: the client that comes now has the resource. */
  private endFormerOf(address: Jid): void {
    for (const session of [...this.sessions.values()]) {
      if (session.address.text !== address.text) continue;
      session.end('conflict', 'Another client has taken the resource.');
    }
  }

  /** RFC 6120 §13.7.2.3: a certificate may end while its session goes on. */
  private watchCertificates(): void {
    if (this.watchesCertificates) return;
    this.watchesCertificates = true;
    this.context.env.setDeadline('client certificates', CERTIFICATE_CHECK_MS, () => {
      this.watchesCertificates = false;
      this.trustChanged();
      if (this.sessions.size > 0) this.watchCertificates();
    });
  }

  private refusalOf(certificates: readonly Uint8Array[] | undefined): string | undefined {
    if (certificates === undefined) return undefined;
    const { judgeClientCertificate, env } = this.context;
    const verdict = judgeClientCertificate(certificates, env.now.unixMs, 'session');
    return isAccepted(verdict) ? undefined : verdict.reason;
  }

  /** Whoever leaves many connections without a login loses the oldest of them for a new one. */
  private makeRoom(): void {
    const negotiating = [...this.connections.values()].filter(
      ({ session }) => session === undefined,
    );
    if (negotiating.length < this.context.limits.negotiatingMax) return;
    mostCrowded(negotiating)?.stream.fail('resource-constraint', TOO_MANY);
  }
}

const TOO_MANY = 'Too many clients are connecting. Try again later.';
const SHUTDOWN = 'The peer stops.';
