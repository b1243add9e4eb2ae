import type { VerifiedConfiguration } from '../../overlay-config/verified-configuration.ts';
import type { ConfigurationSource } from '../join-options.ts';
import type { Log } from '../log.ts';
import type { RevocationService } from '../revocation/revocation-service.ts';
import { ConfigurationCache } from './configuration-cache.ts';
import { ConfigurationClient, type ConfigurationServerStatus } from './configuration-client.ts';

/** The configuration that a peer starts with, and where it hears of newer ones. */
export interface FollowedConfiguration {
  readonly configuration: VerifiedConfiguration;
  /** Keeps one that is in force now. */
  adopted(configuration: VerifiedConfiguration): void;
  /** Asks the server for newer ones from now on. */
  follow(
    onNew: (configuration: VerifiedConfiguration) => void,
    onMustLeave: (reason: string) => void,
  ): void;
  /** undefined: no server is asked. */
  readonly server: ConfigurationServer | undefined;
}

/** The server as the running peer sees it. */
export interface ConfigurationServer {
  status(): ConfigurationServerStatus;
  /** Asks it now; the sequence in force then. Throws ConfigurationUnavailable. */
  refreshNow(): Promise<number>;
}

/** Throws ConfigurationUnavailable. */
export async function openConfiguration(
  source: ConfigurationSource,
  place: { readonly overlayName: string; readonly stateDirectory: string },
  log: Log,
  release: (stop: () => Promise<void>) => void,
  revocation: RevocationService | undefined,
): Promise<FollowedConfiguration> {
  if (source.from === 'given') {
    const { configuration } = source;
    return { configuration, adopted: ignore, follow: ignore, server: undefined };
  }
  const { url, trustedCertificates: trust } = source;
  const client = new ConfigurationClient({
    overlayName: place.overlayName,
    url,
    ...(trust === undefined ? {} : { trustAnchorsPem: [trust] }),
    cache: new ConfigurationCache(place.stateDirectory),
    log,
    revocation,
  });
  release(() => client.stop());
  return {
    configuration: await client.obtain(),
    follow: (onNew, onMustLeave) => client.start(onNew, onMustLeave),
    adopted: (configuration) => {
      client.adopt(configuration).catch((error: unknown) => {
        log.error({ reason: String(error) }, 'the new configuration cannot be kept on disk');
      });
    },
    server: client,
  };
}

function ignore(): void {
  // A configuration that was given by the caller is followed nowhere and kept nowhere.
}
