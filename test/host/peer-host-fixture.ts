import { advertisedAddresses } from '../../src/host/advertised-addresses.ts';
import type { LinkCredentials } from '../../src/host/links/link-credentials.ts';
import { type Log, silentLog } from '../../src/host/log.ts';
import { PeerHost, type PeerHostOptions } from '../../src/host/peer-host.ts';
import { toIpAddressPort } from '../../src/host/socket-address.ts';
import { parseConfigurationDocument } from '../../src/overlay-config/configuration-document.ts';
import {
  buildConfiguration,
  unsignedDocument,
} from '../../src/overlay-config/configuration-document-builder.ts';
import { ConfigurationFault } from '../../src/overlay-config/configuration-fault.ts';
import { trustInitialConfiguration } from '../../src/overlay-config/configuration-trust.ts';
import type { VerifiedConfiguration } from '../../src/overlay-config/verified-configuration.ts';
import type { KnownPeer } from '../../src/reload/input.ts';
import type { PersistRecord } from '../../src/storage/persist-record.ts';
import { ResourceStore } from '../../src/storage/resource-store.ts';
import { CertificateRefusal } from '../../src/tls-auth/certificate-refusal.ts';
import { createSigner } from '../../src/tls-auth/signer.ts';
import type { NodeId } from '../../src/wire/node-id.ts';
import { OVERLAY, type TestAuthority } from './links/link-identities.ts';

/** A configuration of the test's overlay, trusted on the test's word. */
export function testConfiguration(authority: TestAuthority): VerifiedConfiguration {
  const document = unsignedDocument(
    buildConfiguration({
      instanceName: OVERLAY,
      sequence: 1,
      rootCertificates: authority.rootCertificates,
      noIce: true,
      maxMessageSizeBytes: 65_536,
    }),
  );
  const parsed = parseConfigurationDocument(document, OVERLAY);
  if (parsed instanceof ConfigurationFault) throw new Error(parsed.describe());
  return trustInitialConfiguration(parsed);
}

/** What a test peer keeps when its process is gone. */
export class MemoryDisk {
  readonly records = new Map<string, Uint8Array>();
  knownPeers: readonly KnownPeer[] = [];

  write(records: readonly PersistRecord[]): Promise<void> {
    for (const { key, value } of records) {
      if (value === undefined) this.records.delete(key);
      else this.records.set(key, value);
    }
    return Promise.resolve();
  }
}

export interface TestPeer {
  readonly host: PeerHost;
  readonly credentials: LinkCredentials;
  readonly disk: MemoryDisk;
}

export interface TestPeerOptions extends Partial<PeerHostOptions> {
  readonly authority: TestAuthority;
  readonly credentials: LinkCredentials;
  readonly disk?: MemoryDisk;
  readonly log?: Log;
}

/** A PeerHost on a port of the system's choice, with a disk in memory. */
export async function startTestPeer(options: TestPeerOptions): Promise<TestPeer> {
  const { authority, credentials, disk = new MemoryDisk() } = options;
  const configuration = testConfiguration(authority);
  const authenticator = authority.authenticator();
  const [leaf, ...pool] = credentials.chain;
  if (leaf === undefined) throw new Error('no certificate');
  const node = authenticator.authenticate(leaf, pool, Date.now());
  if (node instanceof CertificateRefusal) throw new Error(node.describe());
  const host = await PeerHost.start({
    configuration,
    authenticator,
    signer: createSigner(node, node.nodeId, credentials.privateKey),
    role: 'peer',
    first: false,
    store: new ResourceStore({ kinds: configuration.kinds }),
    listen: { host: '127.0.0.1', port: 0 },
    advertised: (bound) => advertisedAddresses(bound, undefined),
    knownPeers: disk.knownPeers,
    write: (records) => disk.write(records),
    rememberPeers: (peers) => {
      disk.knownPeers = peers;
    },
    configurationAdopted: () => undefined,
    release: () => Promise.resolve(),
    log: silentLog,
    ...options,
  });
  return { host, credentials, disk };
}

export function knownPeer(host: PeerHost, nodeId?: NodeId): KnownPeer {
  const address = toIpAddressPort(host.listenAddress);
  if (address === undefined) throw new Error('not an IP address');
  return nodeId === undefined ? { address } : { address, nodeId };
}
