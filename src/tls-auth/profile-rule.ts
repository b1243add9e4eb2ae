import type { NodeId } from '../wire/node-id.ts';
import type { PathRole } from './pkix-profile.ts';
import type { CertificateProfile } from './trust-settings.ts';

/** What a profile's rules depend on. */
export interface ProfileRules {
  readonly profile: CertificateProfile;
  readonly overlayName: string;
  /** Bytes. */
  readonly nodeIdLength: number;
}

/** The kinds of certificate: those of XEP-0416 §2, and leaves of RFC 6940 §11.3.1. */
export type ProfileRole = 'leaf' | 'self-signed' | 'domain-associated' | 'intermediate' | 'root';

/** One broken rule of a profile. */
export interface ProfileFault {
  /** A stable name, e.g. `leaf-crl-distribution-point`. */
  readonly name: string;
  /** Document and section. */
  readonly section: string;
  readonly level: 'MUST' | 'SHOULD';
  readonly detail: string;
  readonly code: 'certificate-profile' | 'node-id' | 'domain';
}

/** Whom a leaf certificate names. */
export interface CertificateIdentity {
  readonly nodeIds: readonly NodeId[];
  readonly userName: string;
  readonly xmppAddr: string | undefined;
}

/** The role in RFC 5280's terms. */
export function pathRoleOf(role: ProfileRole): PathRole {
  switch (role) {
    case 'domain-associated':
      return 'intermediate';
    case 'root':
      return 'anchor';
    default:
      return role;
  }
}

export function isLeaf(role: ProfileRole): boolean {
  return role === 'leaf' || role === 'self-signed';
}
