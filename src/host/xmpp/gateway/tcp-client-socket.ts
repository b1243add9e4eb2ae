import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { ClientTls, ConnectionId } from '../../../xmpp/xmpp-input.ts';
import { type ClientSocket, type ClientSocketOwner, DrainReport } from './client-socket.ts';
import { CLOSE_MS_MAX } from './gateway-limits.ts';

/** A client's TCP connection: clear until STARTTLS, or TLS from the beginning. */
export class TcpClientSocket implements ClientSocket {
  private readonly owner: ClientSocketOwner;
  private readonly tlsOf: (socket: TLSSocket) => ClientTls;
  private readonly beginTls: ((done: (secure: TLSSocket) => void) => void) | undefined;
  private readonly drained: DrainReport;
  private connection: ConnectionId = 0;
  private socket: Socket;
  /** TLS is on its way: neither is anything read in the clear, nor sent. */
  private isStartingTls = false;
  private isClosing = false;
  private failure: string | undefined;

  constructor(
    socket: Socket | TLSSocket,
    owner: ClientSocketOwner,
    tlsOf: (socket: TLSSocket) => ClientTls,
    beginTls: ((done: (secure: TLSSocket) => void) => void) | undefined,
  ) {
    this.socket = socket;
    this.owner = owner;
    this.tlsOf = tlsOf;
    this.beginTls = beginTls;
    this.drained = new DrainReport(() => {
      if (this.isClosing) return;
      const pendingBytes = this.socket.writableLength;
      this.owner.deliver({ type: 'clientDrained', connection: this.connection, pendingBytes });
    });
  }

  /** Tells of the connection, then of what comes over it. */
  begin(): void {
    const { socket } = this;
    this.connection = this.owner.add(this);
    const tls = socket instanceof TLSSocket ? this.tlsOf(socket) : undefined;
    const { connection } = this;
    const address = socket.remoteAddress;
    this.owner.deliver({ type: 'clientConnected', connection, transport: 'tcp', tls, address });
    this.listen(socket);
  }

  send(bytes: Uint8Array): void {
    if (this.isClosing || this.isStartingTls || this.socket.destroyed) return;
    this.socket.write(bytes, () => this.drained.note());
  }

  startTls(): void {
    const { beginTls, socket } = this;
    if (beginTls === undefined || this.isStartingTls) return;
    this.isStartingTls = true;
    socket.removeAllListeners('data');
    socket.pause();
    // Written in order, so what was sent in the clear has left by then.
    socket.write('', () => {
      if (socket.destroyed) return;
      beginTls((secure) => {
        this.isStartingTls = false;
        this.socket = secure;
        const tls = this.tlsOf(secure);
        this.owner.deliver({ type: 'clientTls', connection: this.connection, tls });
        this.listen(secure);
      });
    });
  }

  close(): void {
    if (this.isClosing) return;
    this.isClosing = true;
    const { socket } = this;
    if (this.isStartingTls) {
      socket.destroy();
      return;
    }
    const impatience = setTimeout(() => socket.destroy(), CLOSE_MS_MAX);
    socket.once('close', () => clearTimeout(impatience));
    // Both halves end: what the client may still send is not read by anybody.
    socket.end(() => socket.destroySoon());
  }

  private listen(socket: Socket): void {
    const { connection } = this;
    socket.on('error', (error) => {
      this.failure ??= error.message;
    });
    socket.on('data', (data: Buffer) => {
      if (this.isClosing) return;
      this.owner.deliver({ type: 'clientData', connection, bytes: new Uint8Array(data) });
    });
    socket.on('close', () => {
      // A socket that gave itself to TLS closes after that one.
      if (socket !== this.socket) return;
      const reason = this.failure ?? 'the connection was closed';
      this.owner.gone(connection, this.isClosing ? undefined : reason);
    });
  }
}
