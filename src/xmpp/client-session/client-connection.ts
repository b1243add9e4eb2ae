import { AddressFault } from '../../xmpp-address/address-fault.ts';
import { type Jid, withResource } from '../../xmpp-address/jid.ts';
import { channelBindingsOf } from '../sasl/channel-binding.ts';
import { isAccepted } from '../sasl/client-certificate.ts';
import { EXTERNAL } from '../sasl/external.ts';
import { SASL_FAILURES_MAX } from '../sasl/sasl-limits.ts';
import { type SaslReply, SaslServer } from '../sasl/sasl-server.ts';
import { SASL_NAMESPACE, type SaslFailure } from '../sasl/sasl-step.ts';
import { BIND_NAMESPACE, SESSION_NAMESPACE, TLS_NAMESPACE } from '../stanza/namespaces.ts';
import { CLIENT_NAMESPACE, stanzaError } from '../stanza/stanza.ts';
import {
  childElement,
  element,
  isElement,
  textOf,
  withAttributes,
  type XmppElement,
} from '../stanza/xmpp-element.ts';
import type { StreamErrorCondition } from '../stream/stream-error.ts';
import { STREAM_LIMITS } from '../stream/stream-limits.ts';
import { STREAM_MANAGEMENT_NAMESPACE } from '../stream/stream-management.ts';
import type { ElementRead, StreamEvent, StreamOpened } from '../stream/stream-reader.ts';
import type { ClientTls } from '../xmpp-input.ts';
import type { ClientContext } from './client-context.ts';
import { type ClientHeader, isHeaderFault, readClientHeader } from './client-header.ts';
import { BIND_FAILURES_MAX } from './client-limits.ts';
import { ClientSession, type SessionLogin } from './client-session.ts';
import type { ClientStream } from './client-stream.ts';
import { managementFailed } from './managed-stream.ts';

export interface ClientConnectionOwner {
  /** Binds a resource (RFC 6120 §7): the session, or the condition of the error. */
  bind(
    connection: ClientConnection,
    wanted: string | undefined,
    login: SessionLogin,
  ): ClientSession | 'conflict' | 'resource-constraint';
  /** The session that can be resumed by this id; one that is over: its count of stanzas. */
  resumable(resumptionId: string): ClientSession | EndedSession | undefined;
}

/** What is left of a session that is over. */
export interface EndedSession {
  readonly address: Jid;
  /** How many stanzas of its client were dealt with. */
  readonly handledCount: number;
}

/** What a connection waits for; each step begins with what the one before it negotiated. */
type Step =
  | { readonly type: 'header'; readonly next: 'tls' | 'sasl' | 'binding' }
  | { readonly type: 'tls' }
  | { readonly type: 'tlsHandshake' }
  | { readonly type: 'sasl'; readonly header: ClientHeader; readonly sasl: SaslServer }
  | { readonly type: 'binding'; readonly login: SessionLogin }
  | { readonly type: 'bound'; readonly session: ClientSession };

/** One connection of a client: its negotiation (RFC 6120 §4.3), then the session on it. */
export class ClientConnection {
  readonly stream: ClientStream;
  /** Of its host, as far as it is known. */
  readonly address: string | undefined;
  private readonly context: ClientContext;
  private readonly owner: ClientConnectionOwner;
  private tls: ClientTls | undefined;
  private step: Step;
  private saslFailures = 0;
  private bindFailures = 0;
  private login: Omit<SessionLogin, 'language'> | undefined;

  constructor(
    context: ClientContext,
    owner: ClientConnectionOwner,
    stream: ClientStream,
    tls: ClientTls | undefined,
    address: string | undefined,
  ) {
    this.address = address;
    this.context = context;
    this.owner = owner;
    this.stream = stream;
    this.tls = tls;
    this.step = { type: 'header', next: tls === undefined ? 'tls' : 'sasl' };
  }

  get session(): ClientSession | undefined {
    return this.step.type === 'bound' ? this.step.session : undefined;
  }

  /** What is to be judged again when trust changes, while no session holds it. */
  get certificates(): readonly Uint8Array[] | undefined {
    return this.step.type === 'bound' ? undefined : this.login?.certificates;
  }

  receive(bytes: Uint8Array): void {
    this.session?.heard();
    this.stream.push(bytes);
    for (let event = this.stream.next(); event !== undefined; event = this.stream.next()) {
      this.handle(event);
    }
  }

  tlsUp(tls: ClientTls): void {
    if (this.step.type !== 'tlsHandshake') return;
    this.tls = tls;
    this.stream.restartOverTls();
    this.step = { type: 'header', next: 'sasl' };
  }

  /** The connection is gone. */
  closed(reason: string): void {
    this.stream.connectionGone();
    this.session?.lost(reason);
  }

  fail(condition: StreamErrorCondition, text: string): void {
    const { session } = this;
    if (session !== undefined) session.end(condition, text);
    else this.stream.fail(condition, text);
  }

  private handle(event: StreamEvent): void {
    switch (event.type) {
      case 'opened':
        return this.openStream(event);
      case 'element':
        return this.takeElement(event);
      case 'closed':
        return this.closeStream();
      case 'fault':
        return this.refuse(event.condition, event.text);
    }
  }

  private closeStream(): void {
    if (this.session !== undefined) this.session.closed();
    else this.stream.close('the client closed the stream');
  }

  private openStream(opened: StreamOpened): void {
    const { user } = this.context;
    const read = readClientHeader(opened, this.stream.framing, user.domainpart);
    if (isHeaderFault(read)) return this.refuse(read.condition, read.text);
    if (this.step.type !== 'header') return this.refuse('bad-format', 'expected one stream header');
    // RFC 6120 §4.7.2: who the client says it is goes back to it over TLS alone.
    this.stream.sendHeader(this.tls === undefined ? undefined : read.from?.text);
    switch (this.step.next) {
      case 'tls':
        return this.offerTls();
      case 'sasl':
        return this.offerSasl(read);
      case 'binding':
        return this.offerBinding(read);
    }
  }

  /** RFC 6120 §5.3.1: TLS is mandatory, so nothing else is offered. */
  private offerTls(): void {
    if (this.stream.framing === 'websocket') {
      // RFC 7395 §3.9: a WebSocket has TLS from the beginning.
      return this.refuse('policy-violation', 'TLS is required.');
    }
    this.step = { type: 'tls' };
    const required = element('required', TLS_NAMESPACE);
    this.stream.sendFeatures([element('starttls', TLS_NAMESPACE, {}, [required])]);
  }

  private offerSasl(header: ClientHeader): void {
    const { user, credential, env, lockouts } = this.context;
    const { tls } = this;
    if (tls === undefined) return this.refuse('policy-violation', 'TLS is required.');
    const sasl = new SaslServer({
      user,
      credential,
      lockout: lockouts.of(this.address),
      random: env.random,
      bindings: channelBindingsOf(tls),
      certificate: this.acceptedCertificate(tls),
    });
    if (sasl.mechanisms.length === 0) {
      const text = 'Log in with a certificate of the user, or set a password with xor passwd.';
      return this.refuse('policy-violation', text);
    }
    this.step = { type: 'sasl', header, sasl };
    this.stream.sendFeatures(sasl.features());
  }

  /** In a browser any page could use the user's certificate, so a WebSocket shows none. */
  private acceptedCertificate(tls: ClientTls) {
    if (this.stream.framing === 'websocket' || tls.certificates.length === 0) return undefined;
    const { judgeClientCertificate, env } = this.context;
    const verdict = judgeClientCertificate(tls.certificates, env.now.unixMs, 'login');
    if (isAccepted(verdict)) return verdict;
    this.noteRefusal('certificate', verdict.reason);
    return undefined;
  }

  /** Who is trusted may have changed since the mechanism was offered. */
  private isStillAccepted(): boolean {
    return this.tls !== undefined && this.acceptedCertificate(this.tls) !== undefined;
  }

  private offerBinding(header: ClientHeader): void {
    const { login } = this;
    if (login === undefined) return this.refuse('not-authorized', 'Log in first.');
    this.step = { type: 'binding', login: { ...login, language: header.language } };
    this.stream.sendFeatures([
      element('bind', BIND_NAMESPACE),
      element('session', SESSION_NAMESPACE, {}, [element('optional', SESSION_NAMESPACE)]),
      element('sm', STREAM_MANAGEMENT_NAMESPACE),
    ]);
  }

  private takeElement({ element: given, bytes }: ElementRead): void {
    const { step } = this;
    switch (step.type) {
      case 'bound':
        return step.session.receive(given, bytes);
      case 'binding':
        return this.takeBinding(given, step.login);
      case 'sasl':
        if (given.namespace !== SASL_NAMESPACE) break;
        return this.takeSaslReply(step.sasl.take(given, this.context.env.now.monotonicMs), step);
      case 'tls':
        if (isElement(given, 'starttls', TLS_NAMESPACE)) return this.beginTls();
        if (isElement(given, 'auth', SASL_NAMESPACE)) return this.refuseWithoutTls();
        break;
      case 'header':
      case 'tlsHandshake':
        break;
    }
    // RFC 6120 §4.9.3.12: nothing else before the client has logged in.
    this.refuse('not-authorized', `<${given.name}/> is not expected yet.`);
  }

  private beginTls(): void {
    if (this.stream.hasUnread) {
      // RFC 6120 §5.4.3.1: what came behind <starttls/> was not sent by whoever does TLS.
      this.stream.send(element('failure', TLS_NAMESPACE));
      return this.stream.close('data came behind <starttls/>');
    }
    this.step = { type: 'tlsHandshake' };
    this.stream.send(element('proceed', TLS_NAMESPACE));
    this.context.env.output({ type: 'clientStartTls', connection: this.stream.connection });
  }

  private refuseWithoutTls(): void {
    const condition = element('encryption-required', SASL_NAMESPACE);
    this.stream.send(element('failure', SASL_NAMESPACE, {}, [condition]));
    this.countSaslFailure({ condition: 'encryption-required', reason: 'TLS comes first' });
  }

  private takeSaslReply(reply: SaslReply, step: Extract<Step, { type: 'sasl' }>): void {
    const { outcome } = reply;
    if (outcome.type === 'success') {
      const { from } = step.header;
      if (from !== undefined && from.bare !== outcome.user) {
        // RFC 6120 §6.4.6.
        return this.refuse('invalid-from', `The stream is from ${from.bare}, the login is not.`);
      }
      const { mechanism } = outcome;
      if (mechanism === EXTERNAL && !this.isStillAccepted()) {
        return this.refuse('not-authorized', 'The certificate counts no more.');
      }
      return this.loggedIn(reply.answer, mechanism, outcome.resource);
    }
    this.stream.send(reply.answer);
    if (outcome.type === 'failure') this.countSaslFailure(outcome.failure);
  }

  private loggedIn(answer: XmppElement, mechanism: string, resource: string | undefined): void {
    const { connection } = this.stream;
    this.stream.send(answer);
    const certificates = mechanism === EXTERNAL ? this.tls?.certificates : undefined;
    this.login = { mechanism, certificates, resource };
    if (certificates !== undefined) this.context.certificateUsed(certificates);
    this.context.lockouts.noteLogin(this.address);
    this.context.env.event({ type: 'clientAuthenticated', connection, mechanism });
    this.stream.restart(STREAM_LIMITS);
    this.step = { type: 'header', next: 'binding' };
  }

  private countSaslFailure({ condition, reason }: Omit<SaslFailure, 'type'>): void {
    this.noteRefusal(condition, reason);
    this.saslFailures += 1;
    if (this.saslFailures < SASL_FAILURES_MAX) return;
    this.stream.fail('policy-violation', 'Too many logins failed.');
  }

  private takeBinding(given: XmppElement, login: SessionLogin): void {
    if (given.namespace === STREAM_MANAGEMENT_NAMESPACE) return this.takeResume(given, login);
    const bind = childElement(given, 'bind', BIND_NAMESPACE);
    const isRequest =
      isElement(given, 'iq', CLIENT_NAMESPACE) && given.attributes.get('type') === 'set';
    if (!isRequest || bind === undefined) {
      // RFC 6120 §7.1.
      return this.refuse('not-authorized', 'A resource has to be bound first.');
    }
    const resource = childElement(bind, 'resource', BIND_NAMESPACE);
    this.bind(given, resource === undefined ? '' : textOf(resource), login);
  }

  private bind(request: XmppElement, wanted: string, login: SessionLogin): void {
    const { user, env } = this.context;
    const jid = wanted === '' ? user : withResource(user, wanted);
    if (jid instanceof AddressFault) {
      return this.refuseBinding(request, 'bad-request', `The resource: ${jid.reason}.`);
    }
    if (login.resource !== undefined && (jid.resourcepart ?? login.resource) !== login.resource) {
      const text = `The certificate is for the resource ${login.resource} alone.`;
      return this.refuseBinding(request, 'not-allowed', text);
    }
    const bound = this.owner.bind(this, login.resource ?? jid.resourcepart, login);
    if (bound === 'conflict') {
      return this.refuseBinding(request, bound, 'Another client has this resource.');
    }
    if (bound === 'resource-constraint') {
      return this.refuseBinding(request, bound, 'There are too many sessions.');
    }
    this.step = { type: 'bound', session: bound };
    const { connection } = this.stream;
    env.cancelDeadline(negotiationKey(connection));
    env.event({ type: 'clientBound', connection, address: bound.address.text });
    const id = request.attributes.get('id');
    this.stream.send(
      element('iq', CLIENT_NAMESPACE, { type: 'result', id }, [
        element('bind', BIND_NAMESPACE, {}, [
          element('jid', BIND_NAMESPACE, {}, [bound.address.text]),
        ]),
      ]),
    );
  }

  private refuseBinding(
    request: XmppElement,
    condition: 'bad-request' | 'conflict' | 'not-allowed' | 'resource-constraint',
    text: string,
  ): void {
    this.stream.send(withAttributes(stanzaError(request, condition, text), NO_ADDRESSES));
    this.bindFailures += 1;
    if (this.bindFailures < BIND_FAILURES_MAX) return;
    this.refuse('policy-violation', 'Binding a resource failed too often.');
  }

  /** XEP-0198 §5. */
  private takeResume(given: XmppElement, login: SessionLogin): void {
    if (given.name !== 'resume') {
      this.stream.send(managementFailed('unexpected-request'));
      return;
    }
    const session = this.owner.resumable(given.attributes.get('previd') ?? '');
    const isOthers =
      login.resource !== undefined && session?.address.resourcepart !== login.resource;
    if (session === undefined || isOthers) {
      this.stream.send(managementFailed('item-not-found'));
      return;
    }
    if (!(session instanceof ClientSession)) {
      this.stream.send(managementFailed('item-not-found', session.handledCount));
      return;
    }
    if (!session.resume(given, this.stream, login)) {
      this.stream.send(managementFailed('item-not-found'));
      return;
    }
    if (this.stream.isOver) return;
    this.step = { type: 'bound', session };
    this.context.env.cancelDeadline(negotiationKey(this.stream.connection));
  }

  private refuse(condition: StreamErrorCondition, text: string): void {
    this.noteRefusal(condition, text);
    this.fail(condition, text);
  }

  private noteRefusal(condition: string, reason: string): void {
    const { connection } = this.stream;
    this.context.env.event({ type: 'clientRefused', connection, condition, reason });
  }
}

/** Of the deadline for a connection to have a bound resource. */
export function negotiationKey(connection: number): string {
  return `client connection ${connection}`;
}

/** RFC 6120 §7.6: errors of binding have no addresses: the client has none yet. */
const NO_ADDRESSES = { from: undefined, to: undefined } as const;
