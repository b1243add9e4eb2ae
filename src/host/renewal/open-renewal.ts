import type { JoinOptions } from '../join-options.ts';
import { IdentityRenewal, type IdentityRenewalOptions } from './identity-renewal.ts';

/**
 * The renewal of a peer's certificate; undefined where the program gave the identity, and so renews
 * it itself (`PeerHost.replaceIdentity`). It begins with `start()`.
 */
export function openRenewal(
  options: JoinOptions,
  identity: Omit<IdentityRenewalOptions, 'stateDirectory' | 'trust'>,
): IdentityRenewal | undefined {
  const { stateDirectory, identity: source, configuration } = options;
  if (source?.from === 'given') return undefined;
  const trust = configuration?.from === 'https' ? configuration.trustedCertificates : undefined;
  return new IdentityRenewal({ ...identity, stateDirectory, trust });
}
