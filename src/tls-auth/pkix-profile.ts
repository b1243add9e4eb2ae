import type { Certificate } from './certificate.ts';
import { ANY_POLICY_OID, ExtensionOid } from './object-identifier.ts';
import { isPreferredDnsName } from './preferred-dns-name.ts';

/** Where in a path a certificate stands; `self-signed` is a leaf that is its own issuer. */
export type PathRole = 'anchor' | 'intermediate' | 'leaf' | 'self-signed';

/** One rule of RFC 5280 §4 that a certificate breaks. */
export interface PkixFault {
  readonly rule: string;
  readonly detail: string;
}

/**
 * The rules of RFC 5280 §4 that a relying party is better off insisting on: a certificate that
 * breaks one contradicts itself or was made by nobody who follows the profile. §6.1 leaves such
 * checks open; what §4 itself asks users of certificates to bear with (a serial number that is zero
 * or negative) and what authorities are known to do harmlessly is not among them. docs/x509.md
 * argues each.
 */
export function pkixFaults(certificate: Certificate, role: PathRole): PkixFault[] {
  return pkixRules
    .filter((rule) => rule.isBroken(certificate, role))
    .map(({ rule, detail }) => ({ rule, detail }));
}

/** The names of all these rules. */
export function pkixRuleNames(): string[] {
  return pkixRules.map(({ rule }) => rule);
}

interface PkixRule extends PkixFault {
  isBroken(certificate: Certificate, role: PathRole): boolean;
}

const pkixRules: readonly PkixRule[] = [
  {
    rule: 'RFC 5280 §4.1.2.2 serialNumber',
    detail: 'the serial number has more than 20 octets',
    isBroken: ({ serialNumber }) => serialNumber.replace(/^00/, '').length > 40,
  },
  {
    rule: 'RFC 5280 §4.1.2.4 issuer',
    detail: 'the issuer is empty',
    // RFC 6940 wants leaves without subject, and a self-signed one's issuer is its subject.
    isBroken: ({ issuer }, role) => role !== 'self-signed' && issuer.isEmpty,
  },
  {
    rule: 'RFC 5280 §4.1.2.6 subject of a CA',
    detail: 'the subject of a CA is empty',
    isBroken: (certificate, role) => isCa(certificate, role) && certificate.subject.isEmpty,
  },
  {
    rule: 'RFC 5280 §4.1.2.6 empty subject',
    detail: 'the subject is empty and there is no critical subjectAltName',
    isBroken: (certificate) =>
      certificate.subject.isEmpty && !isCritical(certificate, ExtensionOid.subjectAltName),
  },
  {
    rule: 'RFC 5280 §4.2.1.1 authorityKeyIdentifier',
    detail: 'authorityKeyIdentifier is critical',
    isBroken: (certificate) => isCritical(certificate, ExtensionOid.authorityKeyIdentifier),
  },
  {
    rule: 'RFC 5280 §4.2.1.1 authorityKeyIdentifier missing',
    detail: 'authorityKeyIdentifier with keyIdentifier is missing',
    // "The authorityKeyIdentifier extension MAY be omitted" where the key is given out self-signed.
    isBroken: ({ extensions: { authorityKeyIdentifier } }, role) =>
      authorityKeyIdentifier === undefined
        ? role !== 'anchor' && role !== 'self-signed'
        : authorityKeyIdentifier.keyIdentifier === undefined,
  },
  {
    rule: 'RFC 5280 §4.2.1.2 subjectKeyIdentifier',
    detail: 'subjectKeyIdentifier is critical',
    isBroken: (certificate) => isCritical(certificate, ExtensionOid.subjectKeyIdentifier),
  },
  {
    rule: 'RFC 5280 §4.2.1.2 subjectKeyIdentifier of a CA',
    detail: 'a CA certificate without subjectKeyIdentifier',
    isBroken: (certificate, role) =>
      isCa(certificate, role) && certificate.extensions.subjectKeyIdentifier === undefined,
  },
  {
    rule: 'RFC 5280 §4.2.1.3 keyCertSign',
    detail: 'keyCertSign without basicConstraints cA TRUE',
    isBroken: ({ extensions }) =>
      extensions.keyUsage?.has('keyCertSign') === true &&
      extensions.basicConstraints?.isCa !== true,
  },
  {
    rule: 'RFC 5280 §4.2.1.4 policyQualifiers',
    detail: 'a qualifier of unknown type under anyPolicy or in critical certificatePolicies',
    isBroken: (certificate) =>
      certificate.extensions.certificatePolicies?.some(
        ({ policy, qualifiers }) =>
          qualifiers.some(({ kind }) => kind === 'unknown') &&
          (policy === ANY_POLICY_OID || isCritical(certificate, ExtensionOid.certificatePolicies)),
      ) === true,
  },
  {
    rule: 'RFC 5280 §4.2.1.5 policyMappings',
    detail: 'anyPolicy is mapped',
    isBroken: ({ extensions }) =>
      extensions.policyMappings?.some(
        ({ issuerDomainPolicy, subjectDomainPolicy }) =>
          issuerDomainPolicy === ANY_POLICY_OID || subjectDomainPolicy === ANY_POLICY_OID,
      ) === true,
  },
  {
    rule: 'RFC 5280 §4.2.1.6 dNSName',
    detail: 'a dNSName is not in the preferred name syntax',
    isBroken: ({ extensions }) =>
      extensions.subjectAltName?.dnsNames.every(isPreferredDnsName) === false,
  },
  {
    rule: 'RFC 5280 §4.2.1.9 basicConstraints',
    detail: 'basicConstraints of a trust anchor is not critical',
    isBroken: (certificate, role) =>
      role === 'anchor' &&
      certificate.extensions.basicConstraints !== undefined &&
      !isCritical(certificate, ExtensionOid.basicConstraints),
  },
  {
    rule: 'RFC 5280 §4.2.1.9 pathLenConstraint',
    detail: 'pathLenConstraint without cA TRUE and keyCertSign',
    isBroken: ({ extensions }) =>
      extensions.basicConstraints?.pathLength !== undefined &&
      (!extensions.basicConstraints.isCa || extensions.keyUsage?.has('keyCertSign') === false),
  },
  {
    rule: 'RFC 5280 §4.2.1.10 nameConstraints',
    detail: 'nameConstraints in a certificate of no CA',
    isBroken: ({ extensions }) =>
      extensions.nameConstraints !== undefined && extensions.basicConstraints?.isCa !== true,
  },
  {
    rule: 'RFC 5280 §4.2.1.10 nameConstraints critical',
    detail: 'nameConstraints is not critical',
    isBroken: (certificate) =>
      certificate.extensions.nameConstraints !== undefined &&
      !isCritical(certificate, ExtensionOid.nameConstraints),
  },
  {
    rule: 'RFC 5280 §4.2.1.14 inhibitAnyPolicy',
    detail: 'inhibitAnyPolicy is not critical',
    isBroken: (certificate) =>
      certificate.extensions.inhibitAnyPolicy !== undefined &&
      !isCritical(certificate, ExtensionOid.inhibitAnyPolicy),
  },
  {
    rule: 'RFC 5280 §4.2.1.11 policyConstraints',
    detail: 'policyConstraints is not critical, and the certificate asserts no policy itself',
    // RFC 3280 allowed it, and authorities that take part in policies were built after it.
    isBroken: (certificate) =>
      certificate.extensions.policyConstraints !== undefined &&
      certificate.extensions.certificatePolicies === undefined &&
      !isCritical(certificate, ExtensionOid.policyConstraints),
  },
];

function isCa({ extensions }: Certificate, role: PathRole): boolean {
  const issues = role === 'anchor' || role === 'intermediate';
  return issues || extensions.basicConstraints?.isCa === true;
}

function isCritical({ extensions }: Certificate, oid: string): boolean {
  return extensions.all.some((extension) => extension.oid === oid && extension.critical);
}
