import type { ConfigurationReport } from '../configuration/configuration-watch.ts';
import type { PeerHost } from '../peer-host.ts';

type Metric = readonly [help: string, read: () => number];
type ConfiguredPeer = Partial<Pick<PeerHost, 'configurationWatch' | 'overlayConfiguration'>>;

/** How the configuration stands; undefined where the host does not say. */
export function configurationReportOf(host: ConfiguredPeer): ConfigurationReport | undefined {
  const { configurationWatch: watch, overlayConfiguration } = host;
  return overlayConfiguration === undefined ? undefined : watch?.report(overlayConfiguration);
}

/** The configuration and what was offered instead of it, by name. */
export function configurationGauges(host: ConfiguredPeer): Readonly<Record<string, Metric>> {
  const read = () => configurationReportOf(host);
  return {
    xor_configuration_expiration_seconds: [
      'When the configuration in force expires, since 1970; 0 when it does not',
      () => (read()?.expirationUnixMs ?? 0) / 1000,
    ],
    xor_configuration_checked_seconds: [
      'When a server last said what is current, since 1970',
      () => (read()?.server?.checkedUnixMs ?? 0) / 1000,
    ],
    xor_configuration_server_refused: [
      '1 while the configuration that the server offers is refused',
      () => Number(read()?.server?.refusal !== undefined),
    ],
  };
}

export function configurationCounters(host: ConfiguredPeer): Readonly<Record<string, Metric>> {
  const read = () => configurationReportOf(host);
  return {
    xor_configurations_refused_total: [
      'Documents of the configuration server that were refused',
      () => read()?.server?.refused ?? 0,
    ],
    xor_configuration_updates_refused_total: [
      'ConfigUpdates of other nodes that were refused',
      () => read()?.refusedUpdates ?? 0,
    ],
  };
}
