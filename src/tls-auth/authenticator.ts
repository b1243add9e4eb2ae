import type { AuthenticatedNode } from './authenticated-node.ts';
import type { CertificateRefusal } from './certificate-refusal.ts';
import type { SignatureVerifier } from './signature-verifier.ts';
import type { TrustSettings } from './trust-settings.ts';

export type { TrustSettings } from './trust-settings.ts';

/** Says which node a certificate makes its holder, or why it makes nobody. */
export class Authenticator {
  private settings: TrustSettings;
  readonly verifySignature: SignatureVerifier | undefined;

  constructor(settings: TrustSettings, verifySignature?: SignatureVerifier) {
    this.settings = settings;
    this.verifySignature = verifySignature;
  }

  /** A new epoch: every cached answer is asked again. */
  replaceSettings(settings: TrustSettings): void {
    this.settings = settings;
  }

  /**
   * The node of `leaf` (DER), whose chain is looked for in `pool` (DER, any order, the root may be
   * there) at `unixMs`.
   */
  authenticate(
    leaf: Uint8Array,
    pool: readonly Uint8Array[],
    unixMs: number,
  ): AuthenticatedNode | CertificateRefusal {
    throw new Error(
      `${this.settings.overlayName}: ${leaf.length} ${pool.length} ${unixMs}: not written yet`,
    );
  }
}
