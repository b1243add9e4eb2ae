/**
 * Romeo's peer on virtual time, with a disk that can be held, killed and started again, and clients
 * that log in with real certificates or with a password.
 */

import {
  type CertificateContent,
  makeLeaf,
  makeRoot,
  type TestAuthority,
  type TestKey,
  type TestLeaf,
} from '../../../sim/certificates/certificate-maker.ts';
import {
  generalName,
  subjectAltName,
  type TestExtension,
} from '../../../sim/certificates/extension-maker.ts';
import { trustSettingsOf } from '../../../src/overlay-config/configuration-trust-settings.ts';
import { Authenticator } from '../../../src/tls-auth/authenticator.ts';
import type { NodeId } from '../../../src/wire/node-id.ts';
import type {
  CertificateCommand,
  CertificateOutcome,
  IssueOutcome,
} from '../../../src/xmpp/client-certificates/certificate-command.ts';
import type { CertificatePolicy } from '../../../src/xmpp/client-certificates/register-judge.ts';
import { fingerprintOf } from '../../../src/xmpp/client-certificates/registered-certificate.ts';
import type { ClientLimits } from '../../../src/xmpp/client-session/client-limits.ts';
import { fromBase64, toBase64 } from '../../../src/xmpp/sasl/base64.ts';
import { ScramClient } from '../../../src/xmpp/sasl/scram-client.ts';
import { scramCredential } from '../../../src/xmpp/sasl/scram-keys.ts';
import type { XmppElement } from '../../../src/xmpp/stanza/xmpp-element.ts';
import type { XmppEvent } from '../../../src/xmpp/xmpp-event.ts';
import type { XmppInput } from '../../../src/xmpp/xmpp-input.ts';
import type { XmppOutput } from '../../../src/xmpp/xmpp-output.ts';
import { XmppUsage } from '../../../src/xmpp/xmpp-usage.ts';
import { PrecisFault } from '../../../src/xmpp-address/precis-fault.ts';
import { seededRandom } from '../../reload/seeded-random.ts';
import { testConfiguration } from '../../reload/virtual-configuration.ts';
import { EXPORTER, jid, PASSWORD, SASL, SM, tlsWith } from '../client-session/client-desk.ts';
import { xml } from '../routing/verona.ts';

export const ROMEO = 'romeo@montague.lit';
export const NOW = Date.UTC(2026, 10, 21, 8);
export const DAY_MS = 86_400_000;
export const SASLCERT = 'urn:xmpp:saslcert:1';

/** A certificate that nobody knows, signed by itself. */
export function selfSigned(
  options: {
    readonly addresses?: readonly string[];
    readonly key?: TestKey;
    readonly change?: Partial<CertificateContent>;
  } = {},
): Uint8Array {
  const { addresses = [], key, change = {} } = options;
  const own = makeRoot({ name: 'A phone', ...(key === undefined ? {} : { key }) });
  const names: TestExtension | undefined =
    addresses.length === 0 ? undefined : subjectAltName(addresses.map(generalName.xmppAddr));
  const extensions = { subjectAltName: names };
  const leaf = makeLeaf(own, { key: own.key, change: () => ({ extensions, ...change }) });
  return leaf.certificate;
}

export interface DeskOptions {
  readonly policy?: CertificatePolicy;
  readonly limits?: Partial<ClientLimits>;
}

export class CertificateDesk {
  readonly root: TestAuthority = makeRoot();
  readonly authenticator = new Authenticator(trustSettingsOf(testConfiguration(this.root)));
  readonly store = new Map<string, Uint8Array>();
  readonly events: XmppEvent[] = [];
  readonly issueRequests: Extract<XmppOutput, { type: 'issueCertificate' }>[] = [];
  readonly commands: Extract<XmppOutput, { type: 'command' }>[] = [];
  unixMs = NOW;
  isDiskHeld = false;
  private readonly policy: CertificatePolicy;
  private readonly limits: Partial<ClientLimits>;
  private held: Extract<XmppOutput, { type: 'persist' }>[] = [];
  private readonly clients = new Map<number, DeskClient>();
  private readonly outcomes = new Map<number, CertificateOutcome>();
  private usage: XmppUsage;
  private lastConnection = 0;
  private lastManagement = 0;

  constructor({ policy = 'registered', limits = {} }: DeskOptions = {}) {
    this.policy = policy;
    this.limits = limits;
    this.usage = this.opened();
    this.input({ type: 'start' });
  }

  /** A certificate of the overlay that names Romeo, unless it is to name another. */
  overlayLeaf(address = ROMEO): TestLeaf {
    return makeLeaf(this.root, { jid: address });
  }

  /** A client with a TLS connection in which it showed these. */
  connect(...certificates: readonly Uint8Array[]): DeskClient {
    this.lastConnection += 1;
    const client = new DeskClient(this, this.lastConnection);
    this.clients.set(client.connection, client);
    const tls = tlsWith(...certificates);
    this.input({ type: 'clientConnected', connection: client.connection, transport: 'tcp', tls });
    return client;
  }

  /** Logged in with a password. */
  withPassword(resource: string): DeskClient {
    const client = this.connect();
    client.scrams();
    return client.binds(resource);
  }

  /** Logged in with a certificate. */
  withCertificate(certificate: Uint8Array, resource?: string): DeskClient {
    const client = this.connect(certificate);
    client.external();
    return client.binds(resource);
  }

  /** Whether EXTERNAL lets this certificate in. */
  lets(...certificates: readonly Uint8Array[]): boolean {
    const client = this.connect(...certificates);
    const heard = client.external();
    client.loses();
    return heard.includes('<success');
  }

  /** What whoever holds the peer asks for. */
  manage(what: CertificateCommand): CertificateOutcome | undefined {
    this.lastManagement += 1;
    this.input({ type: 'manageCertificates', management: this.lastManagement, what });
    return this.outcomes.get(this.lastManagement);
  }

  listed(): readonly string[] {
    const outcome = this.manage({ type: 'list' });
    return outcome?.ok === true ? outcome.certificates.map(({ name }) => name) : [];
  }

  /** The issuer answers the oldest request. */
  issues(outcome: IssueOutcome): void {
    const request = this.issueRequests.shift()?.request ?? 0;
    this.input({ type: 'certificateIssued', request, outcome });
  }

  /** `kill -9`, and a new process on the same disk. */
  crash(): void {
    this.held = [];
    this.clients.clear();
    this.usage = this.opened();
    this.input({ type: 'start' });
  }

  releaseDisk(): void {
    this.isDiskHeld = false;
    for (const batch of this.held.splice(0)) this.write(batch);
  }

  passes(ms: number): void {
    const end = this.unixMs + ms;
    for (;;) {
      const next = this.usage.nextDeadline();
      if (next === undefined || next > end) break;
      this.unixMs = Math.max(next, this.unixMs);
      this.input({ type: 'tick' });
    }
    this.unixMs = end;
    this.input({ type: 'tick' });
  }

  input(input: XmppInput): void {
    const now = { monotonicMs: this.unixMs, unixMs: this.unixMs };
    for (const output of this.usage.handle(input, now)) this.perform(output);
  }

  private perform(output: XmppOutput): void {
    if (output.type === 'clientSend') {
      this.clients.get(output.connection)?.hear(Buffer.from(output.bytes).toString());
    } else if (output.type === 'clientClose') this.clients.get(output.connection)?.end();
    else if (output.type === 'certificatesManaged') {
      this.outcomes.set(output.management, output.outcome);
    } else if (output.type === 'issueCertificate') this.issueRequests.push(output);
    else if (output.type === 'command') this.commands.push(output);
    else if (output.type === 'event') this.events.push(output.event);
    else if (output.type === 'persist' && this.isDiskHeld) this.held.push(output);
    else if (output.type === 'persist') this.write(output);
  }

  private write({ ticket, records }: Extract<XmppOutput, { type: 'persist' }>): void {
    for (const { key, value } of records) {
      if (value === undefined) this.store.delete(key);
      else this.store.set(key, value);
    }
    this.input({ type: 'persisted', ticket });
  }

  private opened(): XmppUsage {
    const credential = scramCredential(PASSWORD, new Uint8Array(16), 4_096);
    if (credential instanceof PrecisFault) throw new Error(credential.reason);
    return new XmppUsage({
      user: jid(ROMEO),
      nodeId: '1'.repeat(32) as NodeId,
      authenticator: this.authenticator,
      random: seededRandom(7),
      records: [...this.store].map(([key, value]) => ({ key, value })),
      credential,
      certificatePolicy: this.policy,
      clientLimits: this.limits,
    });
  }
}

export class DeskClient {
  readonly connection: number;
  isClosed = false;
  heard = '';
  private readonly desk: CertificateDesk;

  constructor(desk: CertificateDesk, connection: number) {
    this.desk = desk;
    this.connection = connection;
  }

  /** What is heard until nothing more comes. */
  says(text: string): string {
    const before = this.heard.length;
    const bytes = new Uint8Array(Buffer.from(text));
    this.desk.input({ type: 'clientData', connection: this.connection, bytes });
    return this.heard.slice(before);
  }

  opens(): string {
    return this.says(
      "<stream:stream to='montague.lit' version='1.0' xmlns='jabber:client' " +
        "xmlns:stream='http://etherx.jabber.org/streams'>",
    );
  }

  external(identity = ''): string {
    const data = identity === '' ? '=' : toBase64(Buffer.from(identity));
    this.opens();
    return this.says(`<auth xmlns='${SASL}' mechanism='EXTERNAL'>${data}</auth>`);
  }

  scrams(): void {
    this.opens();
    const binding = { type: 'bound', name: 'tls-exporter', data: EXPORTER } as const;
    const scram = new ScramClient({ username: 'romeo', password: PASSWORD, nonce: 'n', binding });
    const first = toBase64(scram.firstMessage());
    const auth = `<auth xmlns='${SASL}' mechanism='SCRAM-SHA-256-PLUS'>${first}</auth>`;
    const challenge = />([^<]*)<\/challenge>/.exec(this.says(auth))?.[1] ?? '';
    const final = scram.finalMessage(fromBase64(challenge) ?? new Uint8Array());
    if (!(final instanceof Uint8Array)) throw new Error('no final message');
    this.says(`<response xmlns='${SASL}'>${toBase64(final)}</response>`);
  }

  /** Up to a bound resource; what was heard before is forgotten. */
  binds(resource?: string): this {
    const bound = this.asksToBind(resource);
    if (!bound.includes('<jid>')) throw new Error(`not bound: ${bound}`);
    this.heard = '';
    return this;
  }

  asksToBind(resource?: string): string {
    const inside = resource === undefined ? '' : `<resource>${resource}</resource>`;
    this.opens();
    const bind = `<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>${inside}</bind>`;
    return this.says(`<iq type='set' id='bind'>${bind}</iq>`);
  }

  /** The id by which the session can be resumed. */
  manages(): string {
    const enabled = this.says(`<enable xmlns='${SM}' resume='true'/>`);
    return / id="([0-9a-f]{32})"/.exec(enabled)?.[1] ?? '';
  }

  /** Asks for something, and hears the answer; undefined: none has come. */
  asks(type: 'get' | 'set', payload: string, to?: string): XmppElement | undefined {
    const before = this.heard.length;
    const id = `q${before}`;
    const addressed = to === undefined ? '' : ` to='${to}'`;
    this.says(`<iq type='${type}' id='${id}'${addressed}>${payload}</iq>`);
    return this.answer(id);
  }

  answer(id: string): XmppElement | undefined {
    const begin = this.heard.search(new RegExp(`<iq [^>]*id="${id}"`));
    if (begin === -1) return undefined;
    const text = this.heard.slice(begin);
    const [empty] = /^<iq [^>]*\/>/.exec(text) ?? [];
    return xml(empty ?? text.slice(0, text.indexOf('</iq>') + '</iq>'.length));
  }

  loses(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    const { connection } = this;
    this.desk.input({ type: 'clientClosed', connection, reason: 'reset by peer' });
  }

  hear(text: string): void {
    this.heard += text;
  }

  end(): void {
    this.isClosed = true;
  }
}

export function append(name: string, certificate: Uint8Array | string, inside = ''): string {
  const base64 = typeof certificate === 'string' ? certificate : toBase64(certificate);
  return (
    `<append xmlns='${SASLCERT}'><name>${name}</name>${inside}` +
    `<x509cert>${base64}</x509cert></append>`
  );
}

export function byName(what: 'disable' | 'revoke', name: string): string {
  return `<${what} xmlns='${SASLCERT}'><name>${name}</name></${what}>`;
}

export function byFingerprint(certificate: Uint8Array): string {
  const fingerprint = fingerprintOf(certificate);
  return (
    "<revoke-certificate xmlns='urn:xmpp:ccm2:revoke-cert:0'>" +
    `<fingerprint hash='sha-256'>${fingerprint}</fingerprint></revoke-certificate>`
  );
}
