import type { KindDefinition } from '../../src/overlay-config/kind-definition.ts';
import type { Authenticator } from '../../src/tls-auth/authenticator.ts';
import type { KindId } from '../../src/wire/stored-data.ts';

/**
 * What checkers know of the overlay, apart from its Peers. Whoever publishes a new configuration
 * replaces the fields.
 */
export interface StorageRules {
  /** One of the checkers' own, with the scheme of the run: no Peer can have bent it. */
  authenticator: Authenticator;
  kinds: ReadonlyMap<KindId, KindDefinition>;
}

/** The length of a Node-ID in CHORD-RELOAD (RFC 6940 §10.1), bytes. */
export const NODE_ID_BYTES = 16;
