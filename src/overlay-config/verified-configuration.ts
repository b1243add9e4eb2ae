import type { NodeId } from '../wire/node-id.ts';
import type { KindId } from '../wire/stored-data.ts';
import type { OverlayConfiguration } from './overlay-configuration.ts';

declare const verified: unique symbol;

/**
 * A configuration that counts: the first one by HTTPS or an operator's word, every later one by a
 * signature of a configuration-signer of the one before (RFC 6940 §11.1). Only the checks in
 * `overlay-config/configuration-trust.ts` make one.
 */
export interface VerifiedConfiguration extends OverlayConfiguration {
  readonly [verified]: true;
  /** The whole document as received, to pass on in a ConfigUpdate and to keep on disk. */
  readonly document: Uint8Array;
  /** `<configuration` to `</configuration>` in it. */
  readonly signedBytes: Uint8Array;
  /** Who signed the kind-block of a Kind, where that was verified. */
  readonly kindBlockSigners: ReadonlyMap<KindId, NodeId>;
  /** Kinds that came by ConfigUpdate and are not in the document (RFC 6940 §6.5.4). */
  readonly learnedKinds: ReadonlySet<KindId>;
  /** Prefixes that the signed bytes use without declaring them, and what they are bound to. */
  readonly outerNamespaces: ReadonlyMap<string, string>;
}
