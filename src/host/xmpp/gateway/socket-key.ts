import type { Socket } from 'node:net';

/** Remote address and port: a TLS socket and the TCP connection under it have the same. */
export function keyOf(socket: Socket): string {
  return `${socket.remoteAddress ?? ''}|${socket.remotePort ?? 0}`;
}
