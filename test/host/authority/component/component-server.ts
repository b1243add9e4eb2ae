/** The server's side of XEP-0114, for components in tests. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { fromComponentStream } from '../../../../src/xmpp/component/component-stanza.ts';
import type { XmppElement } from '../../../../src/xmpp/stanza/xmpp-element.ts';
import { STREAM_LIMITS } from '../../../../src/xmpp/stream/stream-limits.ts';
import { StreamReader } from '../../../../src/xmpp/stream/stream-reader.ts';

const STREAM_ID = '3BF96D32';

export class ComponentServer {
  /** All stanzas that components have sent. */
  readonly received: XmppElement[] = [];
  private readonly server: Server;
  private readonly secret: string;
  private readonly sockets = new Set<Socket>();
  private readonly waiters = new Set<() => void>();
  private attached: Socket | undefined;
  attachments = 0;
  /** Streams that components have ended. */
  ends = 0;

  private constructor(server: Server, secret: string) {
    this.server = server;
    this.secret = secret;
    server.on('connection', (socket) => this.serve(socket));
  }

  static async open(secret: string, port = 0): Promise<ComponentServer> {
    const server = createServer();
    const opened = new ComponentServer(server, secret);
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return opened;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Gives a stanza, as text in the namespace of components, to the component. */
  send(text: string): void {
    if (this.attached === undefined) throw new Error('no component is attached');
    this.attached.write(text);
  }

  /** The first stanza, of those that came and will come, for which this holds. */
  async stanza(isMeant: (stanza: XmppElement) => boolean): Promise<XmppElement> {
    for (;;) {
      const found = this.received.find(isMeant);
      if (found !== undefined) return found;
      await this.change();
    }
  }

  /** Sends an iq and gives its answer. */
  async ask(iq: string, id: string): Promise<XmppElement> {
    this.send(iq);
    return this.stanza(({ name, attributes }) => name === 'iq' && attributes.get('id') === id);
  }

  /** Waits until components were attached so many times. */
  async attachedTimes(count: number): Promise<void> {
    while (this.attachments < count || this.attached === undefined) await this.change();
  }

  /** The component is gone, and the server has not heard of it yet. */
  forgetAttached(): void {
    this.attached = undefined;
  }

  /** Cuts what is connected, as a server that dies. */
  cut(): void {
    this.attached = undefined;
    for (const socket of this.sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    this.server.close();
    await once(this.server, 'close');
  }

  private change(): Promise<void> {
    return new Promise((resolve) => this.waiters.add(resolve));
  }

  private changed(): void {
    for (const resolve of this.waiters) resolve();
    this.waiters.clear();
  }

  private serve(socket: Socket): void {
    this.sockets.add(socket);
    const reader = new StreamReader(STREAM_LIMITS);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.sockets.delete(socket);
      if (this.attached === socket) this.attached = undefined;
    });
    socket.on('data', (bytes) => {
      reader.push(new Uint8Array(bytes as Buffer));
      for (let event = reader.next(); event !== undefined; event = reader.next()) {
        if (event.type === 'opened') {
          const to = event.header.attributes.get('to') ?? '';
          socket.write(
            "<?xml version='1.0'?><stream:stream xmlns:stream='http://etherx.jabber.org/streams' " +
              `xmlns='jabber:component:accept' from='${to}' id='${STREAM_ID}'>`,
          );
        } else if (event.type === 'element') this.take(socket, event.element);
        else {
          this.ends += 1;
          socket.end('</stream:stream>');
        }
      }
    });
  }

  private take(socket: Socket, element: XmppElement): void {
    if (element.name === 'handshake') {
      const digest = createHash('sha1').update(`${STREAM_ID}${this.secret}`).digest('hex');
      if (element.children[0] !== digest) {
        socket.end(
          '<stream:error><not-authorized xmlns="urn:ietf:params:xml:ns:xmpp-streams"/>' +
            '</stream:error></stream:stream>',
        );
        return;
      }
      this.attached = socket;
      this.attachments += 1;
      socket.write('<handshake/>');
    } else this.received.push(fromComponentStream(element));
    this.changed();
  }
}
