import type { LinkLimits } from './link-limits.ts';

/** What admission needs of a TCP connection. */
export interface AdmittedConnection {
  readonly remoteAddress?: string | undefined;
  destroy(): unknown;
}

/**
 * Decides which TCP connections of others may try a TLS handshake. Whoever floods the port with
 * handshakes that do not end only makes his own oldest ones fall out: an honest one takes
 * milliseconds, so it is through before its turn comes.
 */
export class ConnectionAdmission<Connection extends AdmittedConnection> {
  private readonly limits: LinkLimits;
  private readonly evicted: (connection: Connection) => void;
  /** In order of arrival. */
  private readonly handshakes = new Map<Connection, string>();
  private readonly handshakesByAddress = new Map<string, number>();
  private readonly connections = new Map<Connection, string>();
  private readonly connectionsByAddress = new Map<string, number>();

  /** `evicted` hears of each handshake that had to go for a newer one. */
  constructor(limits: LinkLimits, evicted: (connection: Connection) => void) {
    this.limits = limits;
    this.evicted = evicted;
  }

  /** Counts the connection in, or names the limit that keeps it out. */
  admit(connection: Connection): AdmissionLimit | undefined {
    const address = connection.remoteAddress ?? '';
    const { limits } = this;
    if (this.connections.size >= limits.connectionsMax) return 'connectionsMax';
    if (countOf(this.connectionsByAddress, address) >= limits.connectionsPerAddressMax) {
      return 'connectionsPerAddressMax';
    }
    if (countOf(this.handshakesByAddress, address) >= limits.handshakesPerAddressMax) {
      return 'handshakesPerAddressMax';
    }
    if (this.handshakes.size >= limits.handshakesMax) this.evictOldest();
    this.connections.set(connection, address);
    add(this.connectionsByAddress, address, 1);
    this.handshakes.set(connection, address);
    add(this.handshakesByAddress, address, 1);
    return undefined;
  }

  /** The TLS handshake is over, one way or the other; the connection may live on. */
  handshakeOver(connection: Connection): void {
    const address = this.handshakes.get(connection);
    if (address === undefined) return;
    this.handshakes.delete(connection);
    add(this.handshakesByAddress, address, -1);
  }

  /** The connection is closed. */
  closed(connection: Connection): void {
    this.handshakeOver(connection);
    const address = this.connections.get(connection);
    if (address === undefined) return;
    this.connections.delete(connection);
    add(this.connectionsByAddress, address, -1);
  }

  get handshakeCount(): number {
    return this.handshakes.size;
  }

  get connectionCount(): number {
    return this.connections.size;
  }

  /** Closes everything that was admitted. */
  closeAll(): void {
    for (const connection of [...this.connections.keys()]) connection.destroy();
  }

  private evictOldest(): void {
    for (const connection of this.handshakes.keys()) {
      this.closed(connection);
      this.evicted(connection);
      connection.destroy();
      return;
    }
  }
}

export type AdmissionLimit =
  | 'connectionsMax'
  | 'connectionsPerAddressMax'
  | 'handshakesPerAddressMax';

function countOf(counts: ReadonlyMap<string, number>, address: string): number {
  return counts.get(address) ?? 0;
}

function add(counts: Map<string, number>, address: string, change: number): void {
  const count = countOf(counts, address) + change;
  if (count <= 0) counts.delete(address);
  else counts.set(address, count);
}
