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
}
