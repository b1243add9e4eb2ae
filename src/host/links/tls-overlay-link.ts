import type { TLSSocket } from 'node:tls';
import type { LinkId } from '../../reload/input.ts';
import type { AuthenticatedNode } from '../../tls-auth/authenticated-node.ts';
import type { IpAddressPort } from '../../wire/ip-address-port.ts';
import type { LinkLimits } from './link-limits.ts';

/** Whoever owns a link hears of what it received and, once, of its end. */
export interface LinkOwner {
  linkData(link: LinkId, bytes: Uint8Array): void;
  /** Not after `close()`: whoever closes knows. */
  linkDown(link: LinkId, reason: string): void;
}

/**
 * TLS-TCP-FH-NO-ICE — RFC 6940 §6.6.5: one authenticated TLS connection. It carries bytes in order
 * and knows nothing of frames. A reader that is too slow first is not read from any more, so it
 * cannot make us answer, and is closed when its backlog exceeds the limit.
 */
export class TlsOverlayLink {
  readonly id: LinkId;
  readonly node: AuthenticatedNode;
  readonly remoteAddress: IpAddressPort;
  private readonly socket: TLSSocket;
  private readonly limits: LinkLimits;
  private readonly owner: LinkOwner;
  private ended = false;
  private corked = false;

  /** `socket` is past its handshake; `start()` lets its bytes flow. */
  constructor(
    identity: { id: LinkId; node: AuthenticatedNode; remoteAddress: IpAddressPort },
    socket: TLSSocket,
    limits: LinkLimits,
    owner: LinkOwner,
  ) {
    this.id = identity.id;
    this.node = identity.node;
    this.remoteAddress = identity.remoteAddress;
    this.socket = socket;
    this.limits = limits;
    this.owner = owner;
  }

  /** Lets received bytes flow to the owner; what came before was kept by the socket. */
  start(): void {
    const { socket, limits } = this;
    socket.setNoDelay(true);
    socket.setTimeout(limits.idleMsMax, () => this.end(`no traffic for ${limits.idleMsMax} ms`));
    socket.on('error', (error) => this.end(`connection failed: ${error.message}`));
    socket.on('end', () => this.end('the other end closed the connection'));
    socket.on('close', () => this.end('the connection is closed'));
    socket.on('drain', () => socket.resume());
    socket.on('data', (bytes) => {
      // Above the host a Uint8Array is none of Node's Buffers, whose slice() does not copy.
      const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      if (!this.ended) this.owner.linkData(this.id, plain);
    });
  }

  /** Queues bytes; they leave together at `flush()`. */
  send(bytes: Uint8Array): void {
    if (this.ended) return;
    if (!this.corked) {
      this.corked = true;
      this.socket.cork();
    }
    this.socket.write(bytes);
    const backlogBytes = this.socket.writableLength;
    if (backlogBytes > this.limits.outgoingBytesMax) {
      this.end(`slow reader: ${backlogBytes} bytes wait`);
    } else if (backlogBytes > this.limits.outgoingBytesBeforePauseMax) {
      this.socket.pause();
    }
  }

  /** Hands everything queued to TLS in one write. */
  flush(): void {
    if (!this.corked) return;
    this.corked = false;
    this.socket.uncork();
  }

  /** Closes after what was sent is flushed. The owner hears nothing more of this link. */
  close(): void {
    if (this.ended) return;
    this.ended = true;
    this.flush();
    const impatience = setTimeout(() => this.socket.destroy(), this.limits.closeMsMax);
    this.socket.once('close', () => clearTimeout(impatience));
    this.socket.resume();
    this.socket.end();
  }

  private end(reason: string): void {
    if (this.ended) return;
    this.ended = true;
    this.socket.destroy();
    this.owner.linkDown(this.id, reason);
  }
}
