import { advertisedAddresses } from '../advertised-addresses.ts';
import type { ClientTime } from '../configuration/client-time.ts';
import type { JoinOptions } from '../join-options.ts';
import type { Log } from '../log.ts';
import type { SocketAddress } from '../socket-address.ts';
import { ListAddresses } from './list-address.ts';
import { REFRESH_MS_MAX_DEFAULT } from './list-schedule.ts';
import { RevocationService } from './revocation-service.ts';

/** The revocation service of a peer that joins with these options; undefined with `off`. */
export async function openRevocation(
  options: JoinOptions,
  listen: SocketAddress,
  log: Log,
): Promise<RevocationService | undefined> {
  const { revocation: policy = 'prefer', revocationRefreshMs, stateDirectory } = options;
  if (policy === 'off') return undefined;
  const source = options.configuration;
  const isHttps = source?.from === 'https';
  // Whoever names the configuration server trusts it, and authorities mostly live there, too.
  const origins = isHttps && source.url !== undefined ? [new URL(source.url).origin] : [];
  const own = [...advertisedAddresses(listen, undefined)];
  if (options.advertise !== undefined) own.push(...advertisedAddresses(listen, options.advertise));
  return await RevocationService.open({
    policy,
    stateDirectory,
    trust: isHttps ? source.trustedCertificates : undefined,
    addresses: new ListAddresses(own, origins),
    refreshMsMax: revocationRefreshMs ?? REFRESH_MS_MAX_DEFAULT,
    time: machineTime,
    log,
  });
}

const machineTime: ClientTime = {
  unixMs: () => Date.now(),
  random: () => Math.random(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    // What is due at once may be waited for; a later refresh must not keep a process alive.
    if (delayMs > 0) timer.unref();
    return () => clearTimeout(timer);
  },
};
