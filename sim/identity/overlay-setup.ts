import { parseConfigurationDocument } from '../../src/overlay-config/configuration-document.ts';
import { ConfigurationFault } from '../../src/overlay-config/configuration-fault.ts';
import { trustInitialConfiguration } from '../../src/overlay-config/configuration-trust.ts';
import type { VerifiedConfiguration } from '../../src/overlay-config/verified-configuration.ts';
import type { PeerOptions } from '../../src/reload/peer-options.ts';
import { ResourceStore } from '../../src/storage/resource-store.ts';
import type { Authenticator } from '../../src/tls-auth/authenticator.ts';
import type { SimNode } from '../world/sim-node.ts';
import type { World } from '../world/world.ts';

/** The configuration as somebody has it who fetched this document and trusts the server. */
export function trustedConfiguration(
  document: Uint8Array,
  overlayName: string,
): VerifiedConfiguration {
  const parsed = parseConfigurationDocument(document, overlayName);
  if (parsed instanceof ConfigurationFault) throw new Error(parsed.describe());
  return trustInitialConfiguration(parsed);
}

/** What differs between the Peers of an overlay. */
export interface PeerSetup {
  readonly configuration: VerifiedConfiguration;
  readonly authenticator: Authenticator;
  /** It begins the overlay. */
  readonly first: boolean;
}

/** Options of the Peer of a node that starts now, with an empty store. */
export function peerOptionsOf(world: World, node: SimNode, setup: PeerSetup): PeerOptions {
  return {
    ...setup,
    signer: node.signer,
    random: world.stream(`peer/${node.index}/${node.incarnation}`),
    role: node.role,
    addresses: [node.address],
    store: new ResourceStore({ kinds: setup.configuration.kinds }),
    publishLocation: true,
  };
}
