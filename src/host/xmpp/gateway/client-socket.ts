import type { ConnectionId, XmppInput } from '../../../xmpp/xmpp-input.ts';

/** The way to one client, over TCP or WebSocket, as the gateway holds it. */
export interface ClientSocket {
  send(bytes: Uint8Array): void;
  /** Begins TLS after what was sent is flushed; a WebSocket has it already. */
  startTls(): void;
  /** Closes after what was sent is flushed, a bounded time long; nothing is told of it. */
  close(): void;
}

/** What sockets of both kinds tell the gateway. */
export interface ClientSocketOwner {
  /** Resolves when what clients log in with is up to date; never rejects. */
  ready(): Promise<void>;
  /** A new number for a connection, and its place in the gateway. */
  add(socket: ClientSocket): ConnectionId;
  deliver(input: XmppInput): void;
  /** The socket is closed; `reason` is told to the usage unless it closed the connection itself. */
  gone(connection: ConnectionId, reason: string | undefined): void;
}

/** Tells at most once in a turn of the event loop how much waits for a slow reader. */
export class DrainReport {
  private readonly report: () => void;
  private isDue = false;

  constructor(report: () => void) {
    this.report = report;
  }

  note(): void {
    if (this.isDue) return;
    this.isDue = true;
    setImmediate(() => {
      this.isDue = false;
      this.report();
    });
  }
}
