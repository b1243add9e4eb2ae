import type { OverlayConfiguration } from '../overlay-config/overlay-configuration.ts';

/**
 * What a configuration demands that this program cannot do yet, as one sentence; undefined where it
 * can take part as `role`. A node that cannot comply stays out of the overlay, or leaves it (RFC
 * 6940 §11.1).
 */
export function unsupportedDemand(
  configuration: OverlayConfiguration,
  role: 'peer' | 'client',
): string | undefined {
  const { topologyPlugin, noIce, sharedSecret, overlayLinkProtocols } = configuration;
  if (topologyPlugin !== 'CHORD-RELOAD') {
    return `the topology plug-in ${topologyPlugin} is not supported, only CHORD-RELOAD is`;
  }
  if (!noIce) return 'the overlay wants ICE, and only <no-ice>true</no-ice> is supported';
  if (sharedSecret !== undefined) {
    return 'the overlay wants TLS with a shared secret, which is not supported';
  }
  if (!overlayLinkProtocols.includes('TLS')) {
    return `no link protocol of ${overlayLinkProtocols.join(', ')} is supported, only TLS is`;
  }
  if (role === 'client' && !configuration.clientsPermitted) {
    return 'the overlay permits no clients; join it as a peer';
  }
  return undefined;
}
