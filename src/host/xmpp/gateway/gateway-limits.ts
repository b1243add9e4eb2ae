import { defaultLinkLimits, type LinkLimits } from '../../links/link-limits.ts';

/**
 * What the gateway spends on connections of clients before the sessions above it count them. All
 * clients may come from one address: that of this machine. So no address has a limit of its own:
 * the oldest of too many handshakes goes, whosever it is.
 */
export const GATEWAY_LINK_LIMITS: LinkLimits = {
  ...defaultLinkLimits,
  handshakesMax: 128,
  handshakesPerAddressMax: Number.POSITIVE_INFINITY,
  connectionsMax: 1_200,
  connectionsPerAddressMax: 1_200,
};

/** From the TCP connection to its first byte. */
export const FIRST_BYTE_MS_MAX = 30_000;
/** For a TLS handshake; a person may have to choose a certificate in it. */
export const TLS_HANDSHAKE_MS_MAX = 60_000;
/** For what was sent to leave before a connection is cut: less than a second after a revocation. */
export const CLOSE_MS_MAX = 900;
/** Of one WebSocket message; StreamLimits of the usage have the same. */
export const WEB_SOCKET_MESSAGE_BYTES_MAX = 262_144;
/** Of the headers of a WebSocket's HTTP request. */
export const HTTP_HEADER_BYTES_MAX = 16_384;
/** What public certificates of servers may have. */
export const GATEWAY_CERTIFICATE_DAYS = 397;
/** So long before its end the certificate is made anew. */
export const GATEWAY_CERTIFICATE_RENEWAL_DAYS = 30;
export const GATEWAY_CERTIFICATE_CHECK_MS = 86_400_000;
