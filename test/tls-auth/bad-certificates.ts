import type { ContentChange } from '../../sim/certificates/certificate-maker.ts';
import { subjectAltName, type TestExtension } from '../../sim/certificates/extension-maker.ts';
import { profileChecks } from '../../src/tls-auth/certificate-profile.ts';
import type { ProfileRole, ProfileRules } from '../../src/tls-auth/profile-rule.ts';
import { read } from './path-fixtures.ts';

/** A certificate that breaks one rule of a profile. */
export interface BadCertificate {
  readonly rule: string;
  readonly role: ProfileRole;
  readonly change: ContentChange;
  /** What the same fault breaks besides: a rule of RFC 5280 that says the same. */
  readonly also?: readonly string[];
}

/** Without these extensions. */
export function without(...names: readonly string[]): ContentChange {
  return having(Object.fromEntries(names.map((name) => [name, undefined])));
}

/** With these extensions instead of those that a good certificate has. */
export function having(
  changes: Readonly<Record<string, TestExtension | undefined>>,
): ContentChange {
  return ({ extensions }) => ({ extensions: { ...extensions, ...changes } });
}

/** With these subject alternative names alone. */
export function named(...names: readonly Uint8Array[]): ContentChange {
  return having({ subjectAltName: subjectAltName(names) });
}

/** The names of the rules that a certificate breaks in a role, sorted. */
export function brokenRules(
  made: { readonly certificate: Uint8Array },
  role: ProfileRole,
  rules: ProfileRules,
): string[] {
  return profileChecks(read(made), role, rules)
    .filter(({ finding }) => finding.outcome === 'broken')
    .map(({ name }) => name)
    .toSorted();
}
