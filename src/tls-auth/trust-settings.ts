import type { NodeId } from '../wire/node-id.ts';

/** Which rules a certificate must obey beside RFC 5280's. */
export type CertificateProfile = 'xep-0416' | 'rfc6940';

/** What the configuration in force says about trust — RFC 6940 §11.1, XEP-0416 §5. */
export interface TrustSettings {
  /** instance-name; the overlay part of every reload URI. */
  readonly overlayName: string;
  /** Bytes. */
  readonly nodeIdLength: number;
  readonly profile: CertificateProfile;
  /** DER. */
  readonly rootCertificates: readonly Uint8Array[];
  readonly badNodes: ReadonlySet<NodeId>;
  /** The digest of self-signed-permitted; undefined where such certificates are refused. */
  readonly selfSignedDigest: 'sha1' | 'sha256' | undefined;
}
