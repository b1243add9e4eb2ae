import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ServerFailure } from '../../../xmpp/account/server-failure.ts';
import type { ServerTls } from '../../../xmpp/account/server-tls.ts';
import type { Jid } from '../../../xmpp-address/jid.ts';
import { formatSocketAddress, type SocketAddress } from '../../socket-address.ts';
import {
  DEFAULT_PORTS,
  hostName,
  NoServerAddress,
  type ServerEncryption,
  type ServiceResolver,
  serverAddresses,
} from './server-address.ts';
import { type ClientCertificate, serverTlsOf, serverTlsOptions, tlsFailure } from './server-tls.ts';

export interface ServerSocketOptions {
  readonly account: Jid;
  /** Where the server is; absent: what its SRV records say. */
  readonly server?: string | undefined;
  /** Default: 5222, with direct TLS 5223. It counts with `server` alone. */
  readonly port?: number | undefined;
  readonly encryption: ServerEncryption;
  readonly caCertificates?: readonly string[] | undefined;
  readonly clientCertificate?: ClientCertificate | undefined;
  /** For finding, connecting, and the TLS handshake, each on its own. */
  readonly connectMs: number;
  readonly resolve?: ServiceResolver | undefined;
}

export interface ServerSocketEvents {
  /** Bytes can go; `tls` is there when the connection began with it. */
  connected(tls: ServerTls | undefined): void;
  tlsUp(tls: ServerTls): void;
  data(bytes: Uint8Array): void;
  /** So much waits for a slow reader. */
  drained(pendingBytes: number): void;
  /** It did not come up or is gone, once; nothing follows. Not told after `close`. */
  closed(failure: ServerFailure): void;
}

/** One connection to the server of an account: found, opened, and put under TLS. */
export class ServerSocket {
  private readonly options: ServerSocketOptions;
  private readonly events: ServerSocketEvents;
  private socket: Socket | undefined;
  private place = '';
  private isOver = false;
  private impatience: NodeJS.Timeout | undefined;

  constructor(options: ServerSocketOptions, events: ServerSocketEvents) {
    this.options = options;
    this.events = events;
  }

  /** Ends with `connected` or `closed`. */
  async connect(): Promise<void> {
    try {
      const addresses = await this.addresses();
      await this.connectToFirst(addresses);
    } catch (error) {
      if (!(error instanceof NoServerAddress)) throw error;
      this.fail({ code: 'unreachable', reason: error.message });
    }
  }

  send(bytes: Uint8Array): void {
    const { socket } = this;
    if (this.isOver || socket === undefined || socket.destroyed) return;
    socket.write(bytes, () => {
      if (!this.isOver) this.events.drained(socket.writableLength);
    });
  }

  startTls(): void {
    const { socket } = this;
    if (this.isOver || socket === undefined) return;
    socket.removeAllListeners('data');
    socket.pause();
    // Written in order, so the request for TLS has left by then.
    socket.write('', () => {
      if (this.isOver || socket.destroyed) return;
      this.secure(socket, (tls) => this.events.tlsUp(tls));
    });
  }

  /** Closes after what was sent is flushed, a bounded time long. */
  close(): void {
    this.isOver = true;
    clearTimeout(this.impatience);
    const { socket } = this;
    if (socket === undefined || socket.destroyed) return;
    const impatience = setTimeout(() => socket.destroy(), CLOSE_MS_MAX);
    socket.once('close', () => clearTimeout(impatience));
    socket.end(() => socket.destroySoon());
  }

  private addresses(): Promise<readonly SocketAddress[]> {
    const { account, server, port, encryption, resolve } = this.options;
    if (server === undefined) return serverAddresses(account, encryption, resolve);
    return Promise.resolve([{ host: server, port: port ?? DEFAULT_PORTS[encryption] }]);
  }

  private async connectToFirst(addresses: readonly SocketAddress[]): Promise<void> {
    const reasons: string[] = [];
    for (const address of addresses) {
      if (this.isOver) return;
      const socket = await this.open(address, reasons);
      if (socket === undefined) continue;
      if (this.isOver) {
        socket.destroy();
        return;
      }
      this.place = formatSocketAddress(address);
      this.adopt(socket);
      return;
    }
    const { domainpart } = this.options.account;
    const reason = `the server of ${domainpart} cannot be reached: ${reasons.join('; ')}`;
    this.fail({ code: 'unreachable', reason });
  }

  private open(address: SocketAddress, reasons: string[]): Promise<Socket | undefined> {
    const { connectMs } = this.options;
    return new Promise((resolve) => {
      const socket = connectTcp({ host: address.host, port: address.port });
      const giveUp = (reason: string) => {
        reasons.push(`${formatSocketAddress(address)}: ${reason}`);
        socket.destroy();
        resolve(undefined);
      };
      const timer = setTimeout(() => giveUp(`no answer in ${connectMs / 1000} s`), connectMs);
      socket.on('error', (error) => {
        clearTimeout(timer);
        giveUp(error.message);
      });
      socket.once('connect', () => {
        clearTimeout(timer);
        socket.removeAllListeners('error');
        resolve(socket);
      });
    });
  }

  private adopt(socket: Socket): void {
    this.socket = socket;
    socket.setNoDelay(true);
    if (this.options.encryption === 'direct') {
      socket.on('error', () => socket.destroy());
      this.secure(socket, (tls) => this.events.connected(tls));
      return;
    }
    this.listen(socket);
    this.events.connected(undefined);
  }

  private secure(tcp: Socket, done: (tls: ServerTls) => void): void {
    const { account, encryption, caCertificates, clientCertificate, connectMs } = this.options;
    const host = hostName(account.domainpart);
    const isDirect = encryption === 'direct';
    const socket = connectTls({
      ...serverTlsOptions({ host, isDirect, caCertificates, clientCertificate }),
      socket: tcp,
    });
    this.socket = socket;
    this.impatience = setTimeout(() => {
      const reason = `${this.place} has not finished the TLS handshake in ${connectMs / 1000} s`;
      this.fail({ code: 'timeout', reason });
      socket.destroy();
      tcp.destroy();
    }, connectMs);
    const refused = (error: Error) => this.fail(tlsFailure(error, host, this.place));
    const gone = () => refused(new Error('the server closed the connection'));
    socket.once('error', refused);
    socket.once('close', gone);
    socket.once('secureConnect', () => {
      clearTimeout(this.impatience);
      socket.off('error', refused);
      socket.off('close', gone);
      this.listen(socket);
      if (!this.isOver) done(serverTlsOf(socket));
    });
  }

  private listen(socket: Socket): void {
    let failure: string | undefined;
    socket.on('error', (error) => {
      failure ??= error.message;
    });
    socket.on('data', (data: Buffer) => {
      if (!this.isOver) this.events.data(new Uint8Array(data));
    });
    socket.on('close', () => {
      // A socket that gave itself to TLS closes after that one.
      if (socket !== this.socket) return;
      const { domainpart } = this.options.account;
      const why = failure === undefined ? '' : ` (${failure})`;
      this.fail({ code: 'closed', reason: `${domainpart} has closed the connection${why}` });
    });
  }

  private fail(failure: ServerFailure): void {
    if (this.isOver) return;
    this.isOver = true;
    clearTimeout(this.impatience);
    this.socket?.destroy();
    this.events.closed(failure);
  }
}

const CLOSE_MS_MAX = 2_000;
