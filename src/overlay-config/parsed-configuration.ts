import type { MalformedMessage } from '../wire/malformed-message.ts';
import type { SecurityBlock } from '../wire/security-block.ts';
import type { KindDefinition } from './kind-definition.ts';
import type { OverlayConfiguration } from './overlay-configuration.ts';

/** A `<signature>` or `<kind-signature>`: a SecurityBlock in base64 (RFC 4648). */
export interface ElementSignature {
  readonly line: number;
  /** A signature that cannot be read fails only those who need it. */
  readonly block: SecurityBlock | MalformedMessage;
}

/** One `<configuration>` as its signatures see it; nothing in here is trusted yet. */
export interface SignedConfiguration {
  /** The whole document as received. */
  readonly document: Uint8Array;
  /** From the `<` of `<configuration` to the `>` of `</configuration>` (RFC 6940 §11.1). */
  readonly signedBytes: Uint8Array;
  /** The signature elements between this configuration and the next one, in document order. */
  readonly signatures: readonly ElementSignature[];
  readonly instanceName: string;
  /** 0 to 65534. */
  readonly sequence: number;
  readonly expirationUnixMs: number | undefined;
  /**
   * Prefixes that the signed bytes use and do not declare, with what they were bound to. The
   * signature does not cover these bindings.
   */
  readonly outerNamespaces: ReadonlyMap<string, string>;
}

/** One `<kind-block>`; its signature is not checked yet. */
export interface ParsedKindBlock {
  readonly definition: KindDefinition;
  /** `<kind-block …>` to `</kind-block>`. */
  readonly blockBytes: Uint8Array;
  /** `<kind …>` to `</kind>`: what the kind-signature covers. */
  readonly signedBytes: Uint8Array;
  readonly signature: ElementSignature;
}

/** A document that obeys RFC 6940 §11.1 and that this program can serve. Not trusted yet. */
export interface ParsedConfiguration extends SignedConfiguration {
  readonly configuration: OverlayConfiguration;
  readonly kindBlocks: readonly ParsedKindBlock[];
}
