import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import type { SocketAddress } from '../../../src/host/socket-address.ts';
import { fromBase64, toBase64 } from '../../../src/xmpp/sasl/base64.ts';
import { ScramClient, ScramRefusal } from '../../../src/xmpp/sasl/scram-client.ts';
import { isStanza } from '../../../src/xmpp/stanza/stanza.ts';
import { childElement, textOf, type XmppElement } from '../../../src/xmpp/stanza/xmpp-element.ts';
import { STREAM_LIMITS } from '../../../src/xmpp/stream/stream-limits.ts';
import { StreamReader } from '../../../src/xmpp/stream/stream-reader.ts';

export interface SurvivingClientOptions {
  readonly user: string;
  readonly domain: string;
  readonly password: string;
  readonly resource: string;
  /** With XEP-0198: it resumes, and says again what was not acknowledged to it. */
  readonly isManaged: boolean;
  /** Where its peer is now; undefined: its process is gone. */
  readonly gateway: () => SocketAddress | undefined;
  readonly heard: (stanza: XmppElement) => void;
}

interface Said {
  readonly text: string;
  /** Said again in a new session when its acknowledgement did not come. */
  readonly isRepeated: boolean;
}

/** A client that logs in again whenever its connection is lost, until it is told to end. */
export class SurvivingClient {
  /** Repeated stanzas that the peer has acknowledged. */
  acknowledged = 0;
  /** Sessions that were bound, and resumed. */
  sessions = 0;
  resumptions = 0;
  private readonly options: SurvivingClientOptions;
  private connection: Connection | undefined;
  private isReady = false;
  private isOver = false;
  private resumptionId: string | undefined;
  private readonly unacknowledged: Said[] = [];
  private acknowledgedHere = 0;
  private receivedHere = 0;

  constructor(options: SurvivingClientOptions) {
    this.options = options;
  }

  get waiting(): number {
    return this.unacknowledged.length;
  }

  /** Ends when `end` was called. */
  async run(): Promise<void> {
    while (!this.isOver) {
      try {
        await this.stayConnected();
      } catch {
        // The peer is gone, or went away in between.
      }
      this.isReady = false;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  /** Says it now, or when there is a connection; again until it is acknowledged. */
  say(text: string): void {
    this.write({ text, isRepeated: true });
  }

  /** Says it now if there is a connection. */
  ask(text: string): void {
    if (this.isReady) this.write({ text, isRepeated: false });
  }

  /** As if the network between it and its peer were gone for a moment. */
  loseConnection(): void {
    this.connection?.socket.destroy();
  }

  end(): void {
    this.isOver = true;
    this.connection?.socket.destroy();
  }

  private async stayConnected(): Promise<void> {
    const gateway = this.options.gateway();
    if (gateway === undefined) return;
    const connection = await Connection.open(gateway, this.options.domain);
    this.connection = connection;
    if (this.isOver) connection.socket.destroy();
    await this.authenticate(connection);
    if (!(await this.resume(connection))) await this.bind(connection);
    this.isReady = true;
    for (;;) this.receive(await connection.next());
  }

  private async authenticate(connection: Connection): Promise<void> {
    const { user, password } = this.options;
    await connection.header();
    const nonce = `nonce${Math.floor(performance.now() * 1000)}`;
    const scram = new ScramClient({
      ...{ username: user, password, nonce },
      binding: { type: 'impossible' },
    });
    const first = toBase64(scram.firstMessage());
    connection.write(`<auth xmlns='${SASL}' mechanism='SCRAM-SHA-256'>${first}</auth>`);
    const challenge = fromBase64(textOf(await connection.expect('challenge')));
    const final = scram.finalMessage(challenge ?? new Uint8Array());
    if (final instanceof ScramRefusal) throw new Error(final.reason);
    connection.write(`<response xmlns='${SASL}'>${toBase64(final)}</response>`);
    await connection.expect('success');
    await connection.header();
  }

  private async resume(connection: Connection): Promise<boolean> {
    if (this.resumptionId === undefined) return false;
    const { resumptionId, receivedHere } = this;
    connection.write(`<resume xmlns='${SM}' previd='${resumptionId}' h='${receivedHere}'/>`);
    const answer = await connection.next();
    this.resumptionId = answer.name === 'resumed' ? resumptionId : undefined;
    if (answer.name !== 'resumed') return false;
    this.resumptions += 1;
    this.takeAcknowledgement(answer);
    this.repeat(connection);
    return true;
  }

  private async bind(connection: Connection): Promise<void> {
    const { isManaged, resource } = this.options;
    const bind = `<bind xmlns='${BIND}'><resource>${resource}</resource></bind>`;
    connection.write(`<iq type='set' id='bind'>${bind}</iq>`);
    const bound = await connection.expect('iq');
    if (bound.attributes.get('type') !== 'result') throw new Error('the resource was not bound');
    this.sessions += 1;
    this.acknowledgedHere = 0;
    this.receivedHere = 0;
    if (!isManaged) {
      connection.write('<presence/>');
      return;
    }
    connection.write(`<enable xmlns='${SM}' resume='true'/>`);
    this.resumptionId = (await connection.expect('enabled')).attributes.get('id');
    const kept = this.unacknowledged.filter(({ isRepeated }) => isRepeated);
    this.unacknowledged.splice(0, Infinity, { text: '<presence/>', isRepeated: false }, ...kept);
    this.repeat(connection);
  }

  /** From here on what is said goes out behind it, so nothing can be said in between. */
  private repeat(connection: Connection): void {
    const text = this.unacknowledged.map((said) => said.text).join('');
    connection.write(`${text}<r xmlns='${SM}'/>`);
    this.isReady = true;
  }

  private write(said: Said): void {
    const { isManaged } = this.options;
    if (isManaged) this.unacknowledged.push(said);
    if (!this.isReady) return;
    this.connection?.write(isManaged ? `${said.text}<r xmlns='${SM}'/>` : said.text);
  }

  private receive(given: XmppElement): void {
    if (isStanza(given)) {
      this.receivedHere += 1;
      this.options.heard(given);
    } else if (given.name === 'r')
      this.connection?.write(`<a xmlns='${SM}' h='${this.receivedHere}'/>`);
    else if (given.name === 'a') this.takeAcknowledgement(given);
  }

  private takeAcknowledgement(given: XmppElement): void {
    const h = Number(given.attributes.get('h'));
    const taken = this.unacknowledged.splice(0, h - this.acknowledgedHere);
    this.acknowledgedHere = h;
    this.acknowledged += taken.filter(({ isRepeated }) => isRepeated).length;
  }
}

/** One connection: elements as they come, over one stream after the other. */
class Connection {
  readonly socket: TLSSocket;
  private readonly domain: string;
  private reader = new StreamReader(STREAM_LIMITS);
  private readonly arrived: XmppElement[] = [];
  private taken = 0;
  private isClosed = false;
  private wake: () => void = () => undefined;

  static async open({ host, port }: SocketAddress, domain: string): Promise<Connection> {
    // Whether the certificate is the right one is looked at in tests of its own.
    const socket = connect({ host, port, servername: domain, rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    return new Connection(socket, domain);
  }

  private constructor(socket: TLSSocket, domain: string) {
    this.socket = socket;
    this.domain = domain;
    socket.on('data', (bytes: Uint8Array) => this.read(bytes));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.isClosed = true;
      this.wake();
    });
  }

  write(text: string): void {
    if (!this.socket.destroyed) this.socket.write(text);
  }

  /** Opens a stream, up to the features of the peer. */
  async header(): Promise<void> {
    this.reader = new StreamReader(STREAM_LIMITS);
    this.write(
      `<stream:stream to='${this.domain}' version='1.0' xmlns='jabber:client' ` +
        "xmlns:stream='http://etherx.jabber.org/streams'>",
    );
    await this.expect('features');
  }

  async expect(name: string): Promise<XmppElement> {
    const given = await this.next();
    if (given.name === name) return given;
    const children = given.children.map((node) => (typeof node === 'string' ? node : node.name));
    throw new Error(`expected <${name}/>, got <${given.name}/> with ${children.join(', ')}`);
  }

  /** Rejects once the connection is gone and all that came over it was taken. */
  async next(): Promise<XmppElement> {
    for (;;) {
      const given = this.arrived[this.taken];
      if (given !== undefined) {
        this.taken += 1;
        if (this.taken === this.arrived.length) {
          this.arrived.length = 0;
          this.taken = 0;
        }
        return given;
      }
      if (this.isClosed) throw new Error('the connection is gone');
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }

  private read(bytes: Uint8Array): void {
    this.reader.push(bytes);
    for (let event = this.reader.next(); event !== undefined; event = this.reader.next()) {
      if (event.type === 'element') this.arrived.push(event.element);
      else if (event.type !== 'opened') this.socket.destroy();
    }
    this.wake();
  }
}

/** The text of a child of a stanza; undefined: it has none. */
export function idOf(stanza: XmppElement, name: 'origin-id' | 'stanza-id'): string | undefined {
  return childElement(stanza, name, 'urn:xmpp:sid:0')?.attributes.get('id');
}

const SASL = 'urn:ietf:params:xml:ns:xmpp-sasl';
const BIND = 'urn:ietf:params:xml:ns:xmpp-bind';
const SM = 'urn:xmpp:sm:3';
const RETRY_MS = 100;
