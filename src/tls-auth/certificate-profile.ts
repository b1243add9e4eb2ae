import type { Certificate } from './certificate.ts';
import { CertificateRefusal } from './certificate-refusal.ts';
import type { ValidPath } from './path-validation.ts';
import { rfc6940Identity, rfc6940Rules } from './profile-rfc6940.ts';
import {
  type CertificateIdentity,
  checksOf,
  faultsOf,
  type ProfileCheck,
  type ProfileFault,
  type ProfileRole,
  type ProfileRule,
  type ProfileRules,
} from './profile-rule.ts';
import { intermediateRole, xep0416Identity, xep0416Rules } from './profile-xep0416.ts';

/**
 * Every rule of the profile for this role with what was found, in the documents' order. `issuer` is
 * the non-root certificate that signed this one, where it is known: XEP-0416 §4 speaks of both.
 */
export function profileChecks(
  certificate: Certificate,
  role: ProfileRole,
  rules: ProfileRules,
  issuer?: Certificate,
): ProfileCheck[] {
  return checksOf(rulesOf(rules), { certificate, role, rules, issuer });
}

/** Every rule of the profile that the certificate breaks, in the documents' order. */
export function profileFaults(
  certificate: Certificate,
  role: ProfileRole,
  rules: ProfileRules,
  issuer?: Certificate,
): ProfileFault[] {
  return faultsOf(rulesOf(rules), { certificate, role, rules, issuer });
}

/** Whom the leaf names; undefined where it breaks the rules about names. */
export function leafIdentity(
  certificate: Certificate,
  rules: ProfileRules,
): CertificateIdentity | undefined {
  return rules.profile === 'xep-0416'
    ? xep0416Identity(certificate, rules)
    : rfc6940Identity(certificate, rules);
}

/**
 * The first MUST of the profile that a path breaks, leaf first; undefined when it obeys all. What a
 * certificate is by itself comes before what its issuer makes of it.
 */
export function pathProfileRefusal(
  path: ValidPath,
  rules: ProfileRules,
): CertificateRefusal | undefined {
  for (const [index, certificate] of path.certificates.entries()) {
    const role = index === 0 ? 'leaf' : intermediateRole(certificate);
    const refusal = profileRefusal(certificate, role, rules);
    if (refusal !== undefined) return refusal;
  }
  const refusal = profileRefusal(path.anchor, 'root', rules);
  if (refusal !== undefined) return refusal;
  for (const [index, certificate] of path.certificates.entries()) {
    const issuer = path.certificates[index + 1];
    if (issuer === undefined) continue;
    const role = index === 0 ? 'leaf' : intermediateRole(certificate);
    const fromIssuer = profileRefusal(certificate, role, rules, issuer);
    if (fromIssuer !== undefined) return fromIssuer;
  }
  return undefined;
}

/** The first MUST of the profile that one certificate breaks. */
export function profileRefusal(
  certificate: Certificate,
  role: ProfileRole,
  rules: ProfileRules,
  issuer?: Certificate,
): CertificateRefusal | undefined {
  const fault = profileFaults(certificate, role, rules, issuer).find(
    ({ level }) => level === 'MUST',
  );
  return fault === undefined ? undefined : refusalOf(certificate, fault);
}

function rulesOf({ profile }: ProfileRules): readonly ProfileRule[] {
  return profile === 'xep-0416' ? xep0416Rules : rfc6940Rules;
}

function refusalOf(certificate: Certificate, fault: ProfileFault): CertificateRefusal {
  const rule = `${fault.section} ${fault.name}`;
  return new CertificateRefusal(fault.code, certificate.describe(), rule, fault.detail);
}
