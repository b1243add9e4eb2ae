import type { NodeId } from '../wire/node-id.ts';
import type { Certificate } from './certificate.ts';
import { isReloadUri } from './node-identity.ts';
import { type PathRole, pkixFaults } from './pkix-profile.ts';
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

/** What one rule is asked about. */
export interface RuleSubject {
  readonly certificate: Certificate;
  readonly role: ProfileRole;
  readonly rules: ProfileRules;
  /** The non-root certificate whose key signed this one, where that is known. */
  readonly issuer: Certificate | undefined;
}

/** `undetermined`: what the rule speaks of is not there; another rule may say so. */
export type RuleFinding =
  | { readonly outcome: 'obeyed' }
  | { readonly outcome: 'undetermined' | 'broken'; readonly detail: string };

/** One rule of a profile, for certain roles. */
export interface ProfileRule {
  /** A stable name, e.g. `leaf-crl-distribution-point`. */
  readonly name: string;
  /** Document and section. */
  readonly section: string;
  readonly level: 'MUST' | 'SHOULD';
  readonly code: 'certificate-profile' | 'node-id' | 'domain';
  /** What it wants, in words close to the document's. */
  readonly demand: string;
  readonly roles: readonly ProfileRole[];
  find(subject: RuleSubject): RuleFinding;
}

/** One rule with what was found. */
export type ProfileCheck = Pick<ProfileRule, 'name' | 'section' | 'level' | 'code' | 'demand'> & {
  readonly finding: RuleFinding;
};

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

export const OBEYED: RuleFinding = { outcome: 'obeyed' };

export function broken(detail: string): RuleFinding {
  return { outcome: 'broken', detail };
}

export function undetermined(detail: string): RuleFinding {
  return { outcome: 'undetermined', detail };
}

/** Every rule of a table that speaks of the subject's role, in the table's order. */
export function checksOf(table: readonly ProfileRule[], subject: RuleSubject): ProfileCheck[] {
  return table
    .filter(({ roles }) => roles.includes(subject.role))
    .map((rule) => {
      const { name, section, level, code, demand } = rule;
      return { name, section, level, code, demand, finding: rule.find(subject) };
    });
}

/** The broken rules alone. */
export function faultsOf(table: readonly ProfileRule[], subject: RuleSubject): ProfileFault[] {
  const faults: ProfileFault[] = [];
  for (const rule of table) {
    if (!rule.roles.includes(subject.role)) continue;
    const finding = rule.find(subject);
    if (finding.outcome !== 'broken') continue;
    const { name, section, level, code } = rule;
    faults.push({ name, section, level, code, detail: finding.detail });
  }
  return faults;
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

/** What was found of RFC 5280 §4 as far as we look at it: the first rule of each profile. */
export function pkixFinding({ certificate, role }: RuleSubject): RuleFinding {
  const faults = pkixFaults(certificate, pathRoleOf(role));
  if (faults.length === 0) return OBEYED;
  return broken(faults.map(({ rule, detail }) => `${rule}: ${detail}`).join('; '));
}

/** Those of its URIs that claim to be reload URIs. */
export function reloadUrisOf({ extensions }: Certificate): string[] {
  return (extensions.subjectAltName?.uris ?? []).filter(isReloadUri);
}

export const LEAF_ROLES: readonly ProfileRole[] = ['leaf', 'self-signed'];
export const ALL_ROLES: readonly ProfileRole[] = [
  ...LEAF_ROLES,
  'domain-associated',
  'intermediate',
  'root',
];
