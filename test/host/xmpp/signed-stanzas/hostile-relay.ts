import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer, type Server, type TLSSocket } from 'node:tls';
import { gatewayCertificate } from '../../../../src/host/xmpp/gateway/gateway-certificate.ts';

/** What becomes of a message on its way: none, one or several. */
export type Meddling = (message: string) => readonly string[];

/**
 * The user's own server, gone bad: it ends TLS with a certificate that the user trusts, and passes
 * everything to and from a real server, but messages as it likes.
 */
export class HostileRelay {
  /** PEM. */
  readonly certificate: string;
  /** Messages to the user. */
  toUser: Meddling = (message) => [message];
  /** Errors that the user's peer has sent; nobody gets them. */
  readonly errors: string[] = [];
  private readonly server: Server;
  private readonly directory: string;
  private user: TLSSocket | undefined;
  private readonly sockets = new Set<TLSSocket>();

  /** In front of the direct TLS port of the server for `domain`. */
  static async start(domain: string, port: number): Promise<HostileRelay> {
    const directory = await mkdtemp(join(tmpdir(), 'xor-hostile-relay-'));
    const { privateKey } = await gatewayCertificate(directory, domain, Date.now());
    const certificate = await readFile(join(directory, 'gateway.pem'), 'utf8');
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' });
    const server = createServer({ cert: certificate, key, minVersion: 'TLSv1.3' });
    const relay = new HostileRelay(certificate, server, directory);
    server.on('secureConnection', (user) => relay.accept(user, domain, port));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return relay;
  }

  private constructor(certificate: string, server: Server, directory: string) {
    this.certificate = certificate;
    this.server = server;
    this.directory = directory;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** A message out of nothing, or one that was kept. */
  inject(message: string): void {
    this.user?.write(message);
  }

  /** The user's connection breaks. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.server.close(resolve));
    await rm(this.directory, { recursive: true, force: true });
  }

  private accept(user: TLSSocket, domain: string, port: number): void {
    this.user = user;
    const options = { host: '127.0.0.1', port, servername: domain, rejectUnauthorized: false };
    const real = connect(options);
    const ends = [user, real];
    for (const socket of ends) {
      this.sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        for (const end of ends) end.destroy();
        this.sockets.delete(socket);
      });
    }
    // Without acknowledgements nobody notices what is missing.
    const toUser = new MessageCutter((message) => this.toUser(message));
    real.on('data', (data) => {
      const text = String(data).replace(/<sm xmlns='urn:xmpp:sm:\d'>.*?<\/sm>/g, '');
      user.write(toUser.push(text));
    });
    const fromUser = new MessageCutter((message) => this.fromUser(message));
    user.on('data', (data) => real.write(fromUser.push(String(data))));
  }

  private fromUser(message: string): readonly string[] {
    if (!/^<message[^>]* type="error"/.test(message)) return [message];
    this.errors.push(message);
    return [];
  }
}

/** Cuts whole messages out of a stream, in whatever pieces it comes. */
class MessageCutter {
  private readonly meddle: Meddling;
  private rest = '';

  constructor(meddle: Meddling) {
    this.meddle = meddle;
  }

  /** What goes on, now that this has come. */
  push(text: string): string {
    this.rest += text;
    let passed = '';
    for (;;) {
      const start = this.rest.indexOf('<message');
      const end = this.rest.indexOf(END, start);
      if (start === -1 || end === -1) break;
      const message = this.rest.slice(start, end + END.length);
      passed += this.rest.slice(0, start) + this.meddle(message).join('');
      this.rest = this.rest.slice(end + END.length);
    }
    const begun = this.rest.indexOf('<message');
    const open = this.rest.lastIndexOf('<');
    const isCutTag = open !== -1 && '<message'.startsWith(this.rest.slice(open));
    const keptFrom = begun !== -1 ? begun : isCutTag ? open : this.rest.length;
    passed += this.rest.slice(0, keptFrom);
    this.rest = this.rest.slice(keptFrom);
    return passed;
  }
}

const END = '</message>';
