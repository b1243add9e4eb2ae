import type { ClientLimits } from '../../../src/xmpp/client-session/client-limits.ts';
import { ClientSessions } from '../../../src/xmpp/client-session/client-sessions.ts';
import type {
  LocalSessionsListener,
  SessionId,
} from '../../../src/xmpp/client-session/local-sessions.ts';
import { fromBase64, toBase64 } from '../../../src/xmpp/sasl/base64.ts';
import { ScramClient, ScramRefusal } from '../../../src/xmpp/sasl/scram-client.ts';
import { scramCredential } from '../../../src/xmpp/sasl/scram-keys.ts';
import { element, type XmppElement } from '../../../src/xmpp/stanza/xmpp-element.ts';
import { XmppEnvironment } from '../../../src/xmpp/xmpp-environment.ts';
import type { XmppEvent } from '../../../src/xmpp/xmpp-event.ts';
import type { ClientTls, ConnectionId } from '../../../src/xmpp/xmpp-input.ts';
import { AddressFault } from '../../../src/xmpp-address/address-fault.ts';
import { type Jid, parseJid } from '../../../src/xmpp-address/jid.ts';
import { PrecisFault } from '../../../src/xmpp-address/precis-fault.ts';
import { seededRandom } from '../../reload/seeded-random.ts';

export const PASSWORD = 'wherefore art thou';
export const EXPORTER = new Uint8Array([7, 7, 7]);

/** The certificates of these tests are one byte; `good` ones are those of Romeo. */
export const ROMEOS_CERTIFICATE = new Uint8Array([1]);
export const STRANGE_CERTIFICATE = new Uint8Array([2]);

export function tlsWith(...certificates: readonly Uint8Array[]): ClientTls {
  return { certificates, serverEndPoint: new Uint8Array([8, 8]), exporter: EXPORTER };
}

/** Romeo's sessions on virtual time, and a listener that writes down what it hears. */
export class ClientDesk implements LocalSessionsListener {
  readonly sessions: ClientSessions;
  readonly events: XmppEvent[] = [];
  readonly stanzas: { readonly session: SessionId; readonly stanza: XmppElement }[] = [];
  readonly ended: { readonly session: SessionId; readonly undelivered: readonly XmppElement[] }[] =
    [];
  /** What `sessionBinding` answers; undefined: what is wanted, or `made-N`. */
  bindingAnswer: string | undefined;
  /** Stanzas are said to be handled at once. */
  handlesAtOnce = true;
  /** Whom Romeo's certificate lets in. */
  acceptsCertificate = true;
  private readonly env = new XmppEnvironment(seededRandom(5));
  private readonly clients = new Map<ConnectionId, ScriptedClient>();

  constructor(options: { limits?: Partial<ClientLimits>; hasPassword?: boolean } = {}) {
    const credential = scramCredential(PASSWORD, new Uint8Array(16), 4_096);
    if (credential instanceof PrecisFault) throw new Error(credential.reason);
    this.env.now = { monotonicMs: 1_000, unixMs: 1_800_000_000_000 };
    this.sessions = new ClientSessions(
      this.env,
      {
        user: jid('romeo@montague.lit'),
        credential: options.hasPassword === false ? undefined : credential,
        judgeClientCertificate: ([leaf]) =>
          leaf?.[0] === 1 && this.acceptsCertificate
            ? { user: jid('romeo@montague.lit').bare, addresses: ['romeo@montague.lit'] }
            : { reason: 'nobody knows it' },
        ...(options.limits === undefined ? {} : { limits: options.limits }),
      },
      this,
    );
  }

  connect(transport: 'tcp' | 'websocket', tls?: ClientTls, address?: string): ScriptedClient {
    const client = new ScriptedClient(this, this.clients.size + 1, transport);
    this.clients.set(client.connection, client);
    this.sessions.connected(client.connection, transport, tls, address);
    this.deliver();
    return client;
  }

  /** Time passes, and what is due happens. */
  advance(ms: number): void {
    const until = this.env.now.monotonicMs + ms;
    for (;;) {
      const next = this.env.nextDeadline();
      if (next === undefined || next > until) break;
      this.env.now = { ...this.env.now, monotonicMs: Math.max(next, this.env.now.monotonicMs) };
      this.env.runDueDeadlines();
      this.deliver();
    }
    this.env.now = { ...this.env.now, monotonicMs: until };
  }

  /** Hands what was put out to the clients. */
  deliver(): void {
    for (const output of this.env.takeOutputs()) {
      if (output.type === 'event') this.events.push(output.event);
      else if (output.type === 'clientSend') {
        this.clients.get(output.connection)?.hear(new TextDecoder().decode(output.bytes));
      } else if (output.type === 'clientClose') this.clients.get(output.connection)?.end();
      else if (output.type === 'clientStartTls') this.clients.get(output.connection)?.startTls();
    }
  }

  sessionBinding(session: SessionId, wanted: string | undefined) {
    return this.bindingAnswer ?? wanted ?? `made-${session}`;
  }

  stanzaFromSession(session: SessionId, stanza: XmppElement): void {
    this.stanzas.push({ session, stanza });
    if (this.handlesAtOnce) this.sessions.handled(session);
  }

  sessionEnded(session: SessionId, undelivered: readonly XmppElement[]): void {
    this.ended.push({ session, undelivered });
  }
}

/** A client that says what the test tells it, and writes down what it hears. */
export class ScriptedClient {
  readonly connection: ConnectionId;
  isClosed = false;
  tlsStarts = 0;
  /** All that was heard. */
  heard = '';
  private readonly desk: ClientDesk;
  private readonly transport: 'tcp' | 'websocket';

  constructor(desk: ClientDesk, connection: ConnectionId, transport: 'tcp' | 'websocket') {
    this.desk = desk;
    this.connection = connection;
    this.transport = transport;
  }

  /** What is heard until nothing more comes. */
  says(...texts: readonly string[]): string {
    const before = this.heard.length;
    for (const text of texts) {
      this.desk.sessions.received(this.connection, new TextEncoder().encode(text));
      this.desk.deliver();
    }
    return this.heard.slice(before);
  }

  opens(attributes = "to='montague.lit' version='1.0'"): string {
    return this.says(
      this.transport === 'tcp'
        ? `<?xml version='1.0'?><stream:stream ${attributes} xmlns='jabber:client' ` +
            "xmlns:stream='http://etherx.jabber.org/streams'>"
        : `<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' ${attributes}/>`,
    );
  }

  finishesTls(...certificates: readonly Uint8Array[]): void {
    this.desk.sessions.tlsUp(this.connection, tlsWith(...certificates));
  }

  /** Up to the features that offer binding, with Romeo's certificate. */
  logsIn(): this {
    this.opens();
    this.says(`<auth xmlns='${SASL}' mechanism='EXTERNAL'>=</auth>`);
    this.opens();
    return this;
  }

  /** Up to a bound resource; what was heard before is forgotten. */
  binds(resource: string): this {
    this.logsIn();
    this.says(bindRequest(resource));
    this.heard = '';
    return this;
  }

  /** A handshake of SCRAM up to its outcome. */
  scrams(mechanism: 'SCRAM-SHA-256' | 'SCRAM-SHA-256-PLUS', password: string): string {
    const scram = new ScramClient({
      username: 'romeo',
      password,
      nonce: 'nonce',
      binding:
        mechanism === 'SCRAM-SHA-256'
          ? { type: 'impossible' }
          : { type: 'bound', name: 'tls-exporter', data: EXPORTER },
    });
    const first = toBase64(scram.firstMessage());
    const challenge = this.says(`<auth xmlns='${SASL}' mechanism='${mechanism}'>${first}</auth>`);
    const data = fromBase64(/<challenge[^>]*>([^<]*)</.exec(challenge)?.[1] ?? '');
    if (data === undefined || data.length === 0) return challenge;
    const final = scram.finalMessage(data);
    if (final instanceof ScramRefusal) throw new Error(final.reason);
    const outcome = this.says(`<response xmlns='${SASL}'>${toBase64(final)}</response>`);
    const verifier = fromBase64(/<success[^>]*>([^<]*)</.exec(outcome)?.[1] ?? '');
    if (verifier !== undefined && verifier.length > 0 && scram.verify(verifier) !== undefined) {
      throw new Error('the server proved nothing');
    }
    return outcome;
  }

  loses(reason = 'reset by peer'): void {
    this.isClosed = true;
    this.desk.sessions.closed(this.connection, reason);
    this.desk.deliver();
  }

  hear(text: string): void {
    if (this.isClosed) throw new Error(`sent after the end: ${text}`);
    this.heard += text;
  }

  end(): void {
    this.isClosed = true;
  }

  startTls(): void {
    this.tlsStarts += 1;
  }
}

export function bindRequest(resource: string): string {
  const inside = resource === '' ? '' : `<resource>${resource}</resource>`;
  return (
    "<iq xmlns='jabber:client' type='set' id='b1'>" +
    `<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>${inside}</bind></iq>`
  );
}

export function jid(text: string): Jid {
  const parsed = parseJid(text);
  if (parsed instanceof AddressFault) throw new Error(`no address: ${text}`);
  return parsed;
}

export const SASL = 'urn:ietf:params:xml:ns:xmpp-sasl';
export const SM = 'urn:xmpp:sm:3';

export const overTls = (desk: ClientDesk) => desk.connect('tcp', tlsWith(ROMEOS_CERTIFICATE));

export const message = (text: string): XmppElement =>
  element('message', 'jabber:client', {}, [element('body', 'jabber:client', {}, [text])]);

/** As a client hears it. */
export const written = (text: string) => `<message><body>${text}</body></message>`;

/** The condition of the stream error that was heard. */
export function streamErrorOf(heard: string): string | undefined {
  return /<stream:error[^>]*><([a-z-]+) /.exec(heard)?.[1];
}

/** A session with stream management that can be resumed by the id. */
export function managed(desk: ClientDesk): { client: ScriptedClient; previd: string } {
  const client = overTls(desk).binds('orchard');
  const enabled = client.says(`<enable xmlns='${SM}' resume='true'/>`);
  client.heard = '';
  return { client, previd: / id="([0-9a-f]{32})"/.exec(enabled)?.[1] ?? '' };
}
