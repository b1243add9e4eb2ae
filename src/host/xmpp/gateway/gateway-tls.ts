import { constants } from 'node:crypto';
import type { SecureContextOptions, TLSSocket } from 'node:tls';
import type { ClientTls } from '../../../xmpp/xmpp-input.ts';
import { toPem } from '../../links/link-credentials.ts';
import { presentedChain } from '../../links/presented-chain.ts';
import type { GatewayCertificate } from './gateway-certificate.ts';
import { GATEWAY_LINK_LIMITS } from './gateway-limits.ts';

/** TLS towards clients: no session is resumed, so each connection shows its certificate anew. */
export function gatewayTlsOptions(held: GatewayCertificate): SecureContextOptions {
  return {
    key: held.privateKey.export({ type: 'pkcs8', format: 'pem' }),
    cert: toPem(held.certificate),
    minVersion: 'TLSv1.2',
    // A client's leaf may be on secp256k1, which TLS 1.2 alone can prove.
    ecdhCurve: 'X25519:P-256:P-384:secp256k1',
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
  };
}

/**
 * What a finished handshake tells the usage. OpenSSL has seen the client prove that it holds the
 * key of the leaf; whether the certificate counts is judged above. More certificates than the
 * limits allow count as none.
 */
export function clientTlsOf(socket: TLSSocket, held: GatewayCertificate): ClientTls {
  const chain = presentedChain(socket, GATEWAY_LINK_LIMITS);
  const hasChain = chain !== undefined && typeof chain !== 'string';
  return {
    certificates: hasChain ? [chain.leaf, ...chain.pool] : [],
    serverEndPoint: held.serverEndPoint,
    exporter: exporterOf(socket),
    unique: finishedOf(socket),
  };
}

/** RFC 5929 §3.1: the first Finished message, which is the client's without a resumption. */
function finishedOf(socket: TLSSocket): Uint8Array | undefined {
  const finished = socket.getPeerFinished();
  return finished === undefined || socket.isSessionReused() ? undefined : new Uint8Array(finished);
}

/** RFC 9266 §4: for TLS 1.3; before it, it would need the extended master secret. */
function exporterOf(socket: TLSSocket): Uint8Array | undefined {
  if (socket.getProtocol() !== 'TLSv1.3') return undefined;
  const context = Buffer.alloc(0);
  return new Uint8Array(
    socket.exportKeyingMaterial(EXPORTER_LENGTH, 'EXPORTER-Channel-Binding', context),
  );
}

const EXPORTER_LENGTH = 32;
