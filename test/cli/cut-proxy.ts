import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { LOOPBACK } from './authority-fixture.ts';

/** A network between two processes that can be cut: TCP to a port that may change. */
export class CutProxy {
  /** Where the connections go; undefined: nowhere. */
  targetPort: number | undefined;
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private isCut = false;

  static async open(): Promise<CutProxy> {
    const proxy = new CutProxy();
    proxy.server.listen(0, LOOPBACK);
    await once(proxy.server, 'listening');
    return proxy;
  }

  private constructor() {
    this.server = createServer((socket) => this.accept(socket));
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Ends every connection where it is; none comes up before `heal`. */
  cut(): void {
    this.isCut = true;
    for (const socket of this.sockets) socket.destroy();
  }

  heal(): void {
    this.isCut = false;
  }

  close(): void {
    this.cut();
    this.server.close();
  }

  private accept(socket: Socket): void {
    if (this.isCut || this.targetPort === undefined) {
      socket.destroy();
      return;
    }
    const onward = connect(this.targetPort, LOOPBACK);
    this.join(socket, onward);
    this.join(onward, socket);
  }

  private join(from: Socket, to: Socket): void {
    this.sockets.add(from);
    from.pipe(to);
    from.on('error', () => from.destroy());
    from.on('close', () => {
      this.sockets.delete(from);
      to.destroy();
    });
  }
}
