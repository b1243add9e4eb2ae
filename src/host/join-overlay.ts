import { trustSettingsOf } from '../overlay-config/configuration-trust-settings.ts';
import type { VerifiedConfiguration } from '../overlay-config/verified-configuration.ts';
import type { KnownPeer } from '../reload/input.ts';
import { unsupportedDemand } from '../reload/supported-configuration.ts';
import { Authenticator } from '../tls-auth/authenticator.ts';
import { verifyWithKey } from '../tls-auth/signature-verifier.ts';
import { advertisedAddresses, resolveHost } from './advertised-addresses.ts';
import { ConfigurationUnavailable } from './configuration/configuration-unavailable.ts';
import {
  type FollowedConfiguration,
  openConfiguration,
} from './configuration/followed-configuration.ts';
import { hostClock } from './host-clock.ts';
import { openStoredValues } from './http-api/stored-values.ts';
import type { ConfigurationSource, JoinOptions } from './join-options.ts';
import { KnownPeerCache } from './known-peer-cache.ts';
import { type Log, silentLog } from './log.ts';
import { PeerHost } from './peer-host.ts';
import { obtainIdentity, signerOf } from './peer-identity.ts';
import { ReleaseStack } from './release-stack.ts';
import { openRenewal } from './renewal/open-renewal.ts';
import { openRevocation } from './revocation/open-revocation.ts';
import type { RevocationService } from './revocation/revocation-service.ts';
import { openStateDirectory } from './state/state-directory.ts';
import { forwardingAddress, openXmpp } from './xmpp/open-xmpp.ts';
import type { XmppHost } from './xmpp/xmpp-host.ts';

export type { JoinOptions } from './join-options.ts';
export { PeerHost } from './peer-host.ts';

/**
 * Joins an overlay: fetches its configuration, enrolls if the state directory holds no certificate
 * yet, and resolves when this peer is in the ring and its certificate is stored where others look
 * for it. A restart with the same state directory needs neither enrollment nor configuration server
 * nor bootstrap node.
 *
 * Rejects with an Error whose message is a sentence for the operator.
 */
export async function joinOverlay(options: JoinOptions): Promise<PeerHost> {
  const host = await openPeer(options);
  try {
    await host.whenJoined(options.signal);
    return host;
  } catch (error) {
    await host.close('joining was given up');
    throw error;
  }
}

/** The same up to where joining has begun; `whenJoined()` tells when it is done. */
export async function openPeer(options: JoinOptions): Promise<PeerHost> {
  const releases = new ReleaseStack();
  try {
    return await assemble(options, releases);
  } catch (error) {
    await releases.releaseAll();
    throw error;
  }
}

async function assemble(options: JoinOptions, releases: ReleaseStack): Promise<PeerHost> {
  const { log = silentLog, signal, listen = LISTEN_DEFAULT, stateDirectory } = options;
  const role = options.client === true ? 'client' : 'peer';
  const { revocation, source, configuration } = await openTrust(options, role, releases);
  const { authenticator, credentials } = await openIdentity(options, configuration, revocation);
  const now = hostClock.now();
  const signer = signerOf(credentials, authenticator, now.unixMs);
  const peerLog = log.child({ node: signer.nodeId });
  const stored = await openStoredValues(stateDirectory, configuration, authenticator, now, peerLog);
  releases.add(() => stored.file.close());
  const knownPeers = new KnownPeerCache(stateDirectory, peerLog);
  const renewal = openRenewal(options, {
    credentials,
    signer,
    authenticator,
    decided: async (chain, stop) => revocation?.decideOwnCertificate(chain, authenticator, stop),
    configuration: () => host.overlayConfiguration,
    renewed: (next, shown) => host.replaceIdentity(next, shown),
    log: peerLog,
  });
  releases.add(async () => renewal?.stop());
  const advertise = await advertisedHost(options);
  signal?.throwIfAborted();
  const trusted = { authenticator, revocation, rootCertificates: configuration.rootCertificates };
  const around = { ...trusted, signer, credentials, advertise };
  const xmpp = await openXmpp(options, { ...around, linkListen: listen, log: peerLog });
  releases.add(async () => xmpp?.close());
  const host = await PeerHost.start({
    configuration,
    authenticator,
    signer,
    credentials,
    role,
    first: options.first === true,
    store: stored.store,
    listen,
    advertised: (bound) => advertisedAddresses(bound, advertise),
    knownPeers: [...(await knownPeers.read()), ...configuration.bootstrapNodes.map(bootstrap)],
    write: (records) => stored.file.write(records),
    rememberPeers: (peers) => knownPeers.remember(peers),
    configurationAdopted: source.adopted,
    release: () => releases.releaseAll(),
    log: peerLog,
    ...given({
      revocation,
      renewal,
      configurationServer: source.server,
      applications: xmpp?.applications,
      forwardTo: forwardingAddress(options),
      locationPriority: options.locationPriority,
      defences: options.defences,
      linkLimits: options.linkLimits,
    }),
  });
  await beginXmpp(xmpp, host);
  revocation?.follow(() => host.trustChanged());
  renewal?.start();
  followConfiguration(source, host, peerLog);
  return host;
}

/** Where others reach this peer, if the operator says it. */
async function advertisedHost({ advertise }: JoinOptions) {
  return advertise === undefined ? undefined : await resolveHost(advertise);
}

/** The state directory for this process alone, and in it what says who counts in the overlay. */
async function openTrust(options: JoinOptions, role: 'peer' | 'client', releases: ReleaseStack) {
  const { log = silentLog, listen = LISTEN_DEFAULT, stateDirectory, configuration } = options;
  const directory = await openStateDirectory(stateDirectory);
  releases.add(() => directory.close());
  const revocation = await openRevocation(options, listen, log);
  releases.add(async () => revocation?.stop());
  const source = await openConfiguration(
    configuration ?? { from: 'https' },
    { overlayName: options.overlay ?? OVERLAY_DEFAULT, stateDirectory },
    log,
    (stop) => releases.add(stop),
    revocation,
  );
  const demand = unsupportedDemand(source.configuration, role);
  if (demand !== undefined) throw new ConfigurationUnavailable(demand);
  return { revocation, source, configuration: source.configuration };
}

function followConfiguration(source: FollowedConfiguration, host: PeerHost, log: Log): void {
  source.follow(
    (next) => host.adoptConfiguration(next),
    (reason) => {
      log.error({ reason }, 'the new configuration demands what this peer cannot do: leaving');
      void host.leave(reason);
    },
  );
}

/** Who this peer is, and who judges all others. */
async function openIdentity(
  options: JoinOptions,
  configuration: VerifiedConfiguration,
  revocation: RevocationService | undefined,
) {
  const { stateDirectory, identity: source, log = silentLog, signal } = options;
  const settings = trustSettingsOf(configuration);
  const authenticator = new Authenticator(settings, verifyWithKey, undefined, revocation?.lists);
  const credentials = await obtainIdentity({
    stateDirectory,
    source,
    configuration,
    // A fresh certificate is judged by what stands in it; its lists are asked for below.
    authenticator: new Authenticator(settings),
    trust: trustedCertificates(options.configuration),
    log,
    signal,
  });
  await revocation?.decideOwnCertificate(credentials.chain, authenticator, signal);
  return { authenticator, credentials };
}

async function beginXmpp(xmpp: XmppHost | undefined, host: PeerHost): Promise<void> {
  try {
    await xmpp?.begin(host);
  } catch (error) {
    await host.close('XMPP could not begin');
    throw error;
  }
}

/** Without what is undefined. */
function given<Values extends object>(
  values: Values,
): { [Key in keyof Values]?: Exclude<Values[Key], undefined> } {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [Key in keyof Values]?: Exclude<Values[Key], undefined> };
}

function trustedCertificates(source: ConfigurationSource | undefined): string | undefined {
  return source?.from === 'https' ? source.trustedCertificates : undefined;
}

function bootstrap(address: VerifiedConfiguration['bootstrapNodes'][number]): KnownPeer {
  return { address };
}

const OVERLAY_DEFAULT = 'xmpp.org';
const LISTEN_DEFAULT = { host: '0.0.0.0', port: 6084 };
