import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import type { LinkLimits } from './link-limits.ts';

/** What the other end of a TLS connection showed, as the bytes that came: DER. */
export interface PresentedChain {
  readonly leaf: Uint8Array;
  /** The rest, in OpenSSL's order; the own Authenticator searches it in any order. */
  readonly pool: readonly Uint8Array[];
}

/**
 * Reads the certificates of a finished handshake. OpenSSL has seen the other end prove that it
 * holds the leaf's key. undefined: it showed none; a sentence: more than the limits allow.
 *
 * A root's issuer is itself, so the walk ends at the first certificate seen before.
 */
export function presentedChain(
  socket: TLSSocket,
  limits: LinkLimits,
): PresentedChain | string | undefined {
  const certificates: Uint8Array[] = [];
  const seen = new Set<string>();
  let bytes = 0;
  let next: Partial<DetailedPeerCertificate> | undefined = socket.getPeerCertificate(true);
  while (next?.raw !== undefined && next.fingerprint256 !== undefined) {
    if (seen.has(next.fingerprint256)) break;
    seen.add(next.fingerprint256);
    bytes += next.raw.length;
    if (bytes > limits.presentedChainBytesMax) {
      return `the presented certificates exceed ${limits.presentedChainBytesMax} bytes`;
    }
    if (certificates.length === limits.presentedCertificatesMax) {
      return `more than ${limits.presentedCertificatesMax} certificates were presented`;
    }
    certificates.push(new Uint8Array(next.raw));
    next = next.issuerCertificate;
  }
  const [leaf, ...pool] = certificates;
  return leaf === undefined ? undefined : { leaf, pool };
}
