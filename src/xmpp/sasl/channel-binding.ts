import type { ClientTls } from '../xmpp-input.ts';

/** RFC 5929 §4 and RFC 9266. `tls-unique` is not among them: it is not defined for TLS 1.3. */
export type ChannelBindingName = 'tls-exporter' | 'tls-server-end-point';

/** What the two ends of a TLS connection both know of it, by the name of the type. */
export type ChannelBindings = ReadonlyMap<string, Uint8Array>;

export function channelBindingsOf(tls: ClientTls): ChannelBindings {
  const bindings = new Map<ChannelBindingName, Uint8Array>();
  if (tls.exporter !== undefined) bindings.set('tls-exporter', tls.exporter);
  bindings.set('tls-server-end-point', tls.serverEndPoint);
  return bindings;
}
