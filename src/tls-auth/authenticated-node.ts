import type { NodeId } from '../wire/node-id.ts';
import type { Certificate } from './certificate.ts';

declare const authenticated: unique symbol;

/**
 * A node whose certificate chain is valid under the roots in force, obeys the certificate profile
 * and names no bad-node. Only `Authenticator.authenticate` makes one.
 */
export interface AuthenticatedNode {
  readonly [authenticated]: true;
  /** The only Node-ID, or the first of several (several: RFC 6940's profile alone). */
  readonly nodeId: NodeId;
  readonly nodeIds: readonly NodeId[];
  /** RELOAD's user name: the XmppAddr in the profile xep-0416, else the rfc822Name. */
  readonly userName: string;
  readonly xmppAddr: string | undefined;
  readonly certificate: Certificate;
  /** DER, the leaf first, then the intermediates up to but without the trust anchor. */
  readonly chain: readonly Uint8Array[];
  /** The earliest notAfter of the chain, ms since 1970. */
  readonly validUntilUnixMs: number;
}
