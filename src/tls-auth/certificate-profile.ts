import type { Certificate } from './certificate.ts';
import { CertificateRefusal } from './certificate-refusal.ts';
import type { ValidPath } from './path-validation.ts';
import { rfc6940Faults, rfc6940Identity } from './profile-rfc6940.ts';
import type {
  CertificateIdentity,
  ProfileFault,
  ProfileRole,
  ProfileRules,
} from './profile-rule.ts';
import { domainAssociationFault, xep0416Faults, xep0416Identity } from './profile-xep0416.ts';

/** Every rule of the profile that the certificate breaks, in the documents' order. */
export function profileFaults(
  certificate: Certificate,
  role: ProfileRole,
  rules: ProfileRules,
): ProfileFault[] {
  return rules.profile === 'xep-0416'
    ? xep0416Faults(certificate, role, rules)
    : rfc6940Faults(certificate, role, rules);
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

/** A domain-associated certificate is an intermediate one with a DNS-ID — XEP-0416 §2. */
export function intermediateRole({ extensions }: Certificate): ProfileRole {
  const hasDomain = (extensions.subjectAltName?.dnsNames.length ?? 0) > 0;
  return hasDomain ? 'domain-associated' : 'intermediate';
}

/** The first MUST of the profile that a path breaks, leaf first; undefined when it obeys all. */
export function pathProfileRefusal(
  path: ValidPath,
  rules: ProfileRules,
): CertificateRefusal | undefined {
  const certificates = [...path.certificates, path.anchor];
  for (const [index, certificate] of certificates.entries()) {
    const isAnchor = index === certificates.length - 1;
    const role: ProfileRole =
      index === 0 ? 'leaf' : isAnchor ? 'root' : intermediateRole(certificate);
    const refusal = profileRefusal(certificate, role, rules);
    if (refusal !== undefined) return refusal;
  }
  const [leaf] = path.certificates;
  const fault = rules.profile === 'xep-0416' ? domainAssociationFault(path) : undefined;
  return fault === undefined || leaf === undefined ? undefined : refusalOf(leaf, fault);
}

/** The first MUST of the profile that one certificate breaks. */
export function profileRefusal(
  certificate: Certificate,
  role: ProfileRole,
  rules: ProfileRules,
): CertificateRefusal | undefined {
  const fault = profileFaults(certificate, role, rules).find(({ level }) => level === 'MUST');
  return fault === undefined ? undefined : refusalOf(certificate, fault);
}

function refusalOf(certificate: Certificate, fault: ProfileFault): CertificateRefusal {
  const rule = `${fault.section} ${fault.name}`;
  return new CertificateRefusal(fault.code, certificate.describe(), rule, fault.detail);
}
