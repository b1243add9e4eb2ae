import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { fromBase64, toBase64 } from '../../../src/xmpp/sasl/base64.ts';
import { ScramClient, ScramRefusal } from '../../../src/xmpp/sasl/scram-client.ts';
import { DOMAIN, type EchoGateway } from './echo-gateway.ts';

/** A client that writes XML and waits for XML, over a real socket. */
export class XmlClient {
  heard = '';
  isClosed = false;
  private socket: Socket;
  private woken: (() => void)[] = [];

  /** Without TLS. */
  static async inTheClear(echo: EchoGateway): Promise<XmlClient> {
    const socket = connectTcp(echo.tcp.port, echo.tcp.host);
    await once(socket, 'connect');
    return new XmlClient(socket);
  }

  static async overTls(echo: EchoGateway, options: ConnectionOptions = {}): Promise<XmlClient> {
    const socket = connectTls({ ...TLS, host: echo.tcp.host, port: echo.tcp.port, ...options });
    await once(socket, 'secureConnect');
    return new XmlClient(socket);
  }

  private constructor(socket: Socket) {
    this.socket = socket;
    this.listen(socket);
  }

  write(text: string): void {
    this.socket.write(text);
  }

  opens(): void {
    this.write(
      `<?xml version='1.0'?><stream:stream to='${DOMAIN}' version='1.0' xmlns='jabber:client' ` +
        "xmlns:stream='http://etherx.jabber.org/streams'>",
    );
  }

  /** Says `text` and waits until something that matches has come since. */
  async asks(text: string, expected: RegExp): Promise<RegExpExecArray> {
    this.heard = '';
    this.write(text);
    return this.hears(expected);
  }

  async hears(expected: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = expected.exec(this.heard);
      if (match !== null) return match;
      if (this.isClosed) throw new Error(`closed after: ${this.heard}`);
      await new Promise<void>((resolve) => this.woken.push(resolve));
    }
  }

  async closed(): Promise<void> {
    while (!this.isClosed) await new Promise<void>((resolve) => this.woken.push(resolve));
  }

  /** STARTTLS up to the end of the handshake. */
  async startsTls(options: ConnectionOptions = {}): Promise<TLSSocket> {
    this.opens();
    await this.hears(/<starttls/);
    await this.asks("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", /<proceed/);
    this.socket.removeAllListeners();
    const secure = connectTls({ ...TLS, socket: this.socket, ...options });
    await once(secure, 'secureConnect');
    this.socket = secure;
    this.heard = '';
    this.listen(secure);
    return secure;
  }

  /** By password, up to the offer of binding; the words of the failure otherwise. */
  async logsIn(password: string): Promise<string> {
    this.opens();
    await this.hears(/<\/stream:features>/);
    const options = { username: 'romeo', password, nonce: 'n0nce' };
    const scram = new ScramClient({ ...options, binding: { type: 'impossible' } });
    const first = toBase64(scram.firstMessage());
    const [, challenge] = await this.asks(
      `<auth xmlns='${SASL}' mechanism='SCRAM-SHA-256'>${first}</auth>`,
      /<challenge[^>]*>([^<]*)<|<failure.*<\/failure>/,
    );
    const final = scram.finalMessage(fromBase64(challenge ?? '') ?? new Uint8Array());
    if (final instanceof ScramRefusal) return final.reason;
    const [outcome] = await this.asks(
      `<response xmlns='${SASL}'>${toBase64(final)}</response>`,
      /<success[^>]*>|<failure.*<\/failure>/,
    );
    if (!outcome.startsWith('<success')) return outcome;
    this.heard = '';
    this.opens();
    await this.hears(/<bind/);
    return 'success';
  }

  async binds(): Promise<void> {
    const bind = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>";
    await this.asks(`<iq type='set' id='1'>${bind}</iq>`, /<jid>/);
  }

  /** Reads nothing any more. */
  pauses(): void {
    this.socket.pause();
  }

  cuts(): void {
    this.socket.destroy();
  }

  private listen(socket: Socket): void {
    socket.on('error', () => socket.destroy());
    socket.on('data', (data) => {
      this.heard += String(data);
      this.wake();
    });
    socket.on('close', () => {
      this.isClosed = true;
      this.wake();
    });
  }

  private wake(): void {
    const { woken } = this;
    this.woken = [];
    for (const resume of woken) resume();
  }
}

/** Whether the certificate is the right one is looked at in tests of its own. */
const TLS = { servername: DOMAIN, rejectUnauthorized: false } as const;
const SASL = 'urn:ietf:params:xml:ns:xmpp-sasl';
