import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { SocketAddress } from '../../../src/host/socket-address.ts';

/** A network between two hosts or processes that a test can cut: TCP on loopback, passed on. */
export class CuttableProxy {
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private target: SocketAddress | undefined;
  private isCut = false;

  static async start(): Promise<CuttableProxy> {
    const proxy = new CuttableProxy();
    await new Promise<void>((resolve) => proxy.server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  private constructor() {
    this.server = createServer((near) => this.passOn(near));
  }

  /** Where connections to it are passed on. */
  get address(): SocketAddress {
    const { port } = this.server.address() as AddressInfo;
    return { host: '127.0.0.1', port };
  }

  /** Leads there from now on; undefined: nowhere. */
  leadTo(target: SocketAddress | undefined): SocketAddress {
    this.target = target;
    return this.address;
  }

  /** All connections end, and new ones end at once. */
  cut(): void {
    this.isCut = true;
    for (const socket of this.sockets) socket.destroy();
  }

  heal(): void {
    this.isCut = false;
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private passOn(near: Socket): void {
    if (this.isCut || this.target === undefined) {
      near.destroy();
      return;
    }
    const far = connect(this.target);
    for (const socket of [near, far]) {
      this.sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        this.sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far).pipe(near);
  }
}
