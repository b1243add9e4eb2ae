import type { ClientTls } from '../xmpp-input.ts';

/** RFC 9266, RFC 5929 §4 and §3. */
export type ChannelBindingName = 'tls-exporter' | 'tls-server-end-point' | 'tls-unique';

/** What the two ends of a TLS connection both know of it, by the name of the type. */
export type ChannelBindings = ReadonlyMap<string, Uint8Array>;

/**
 * RFC 5802 §6.1 wants `tls-unique` wherever there is any channel binding, and some clients know no
 * other.
 *
 * Intentional divergence from RFC 9266 §3: also over TLS 1.3, where those clients take the Finished
 * message for it all the same. It depends on the keys of the connection there, too, so it is as
 * good against somebody in between. It is not announced.
 */
export function channelBindingsOf(tls: ClientTls): ChannelBindings {
  const bindings = new Map<ChannelBindingName, Uint8Array>();
  if (tls.exporter !== undefined) bindings.set('tls-exporter', tls.exporter);
  bindings.set('tls-server-end-point', tls.serverEndPoint);
  if (tls.unique !== undefined) bindings.set('tls-unique', tls.unique);
  return bindings;
}
