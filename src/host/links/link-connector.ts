import { connect, type SecureContext, type TLSSocket } from 'node:tls';
import { formatSocketAddress, type SocketAddress } from '../socket-address.ts';
import type { LinkLimits } from './link-limits.ts';

export interface ConnectOutcome {
  /** The handshake ended well; who is at the other end is not known yet. */
  connected(socket: TLSSocket): void;
  /** Unreachable, refused, too slow or not TLS. */
  failed(reason: string): void;
}

/**
 * The TLS client side of an overlay link. Exactly one of the outcomes is called, and always later
 * than this returns. Returns how to give up: then neither is called.
 */
export function connectLink(
  address: SocketAddress,
  secureContext: SecureContext,
  limits: LinkLimits,
  outcome: ConnectOutcome,
): () => void {
  let over = false;
  const socket = connect({
    host: address.host,
    port: address.port,
    secureContext,
    // The own Authenticator decides, see link-authentication.ts. Names are no identity here.
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
  });
  const finish = (report: () => void) => {
    if (over) return;
    over = true;
    clearTimeout(patience);
    report();
  };
  const fail = (reason: string) =>
    finish(() => {
      socket.destroy();
      outcome.failed(`${formatSocketAddress(address)}: ${reason}`);
    });
  const patience = setTimeout(
    () => fail(`no link after ${limits.handshakeMsMax} ms`),
    limits.handshakeMsMax,
  );
  socket.on('error', (error) => fail(error.message));
  socket.on('close', () => fail('the other end closed the connection during the handshake'));
  socket.on('secureConnect', () => finish(() => outcome.connected(socket)));
  return () =>
    finish(() => {
      socket.destroy();
    });
}
