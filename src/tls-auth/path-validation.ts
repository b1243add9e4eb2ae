import type { Certificate } from './certificate.ts';
import { type PolicyInputs, PolicyWalk } from './certificate-policies.ts';
import { type CertificateRefusal, refuse } from './certificate-refusal.ts';
import { formatUnixMs } from './der-time.ts';
import { keyFault } from './key-strength.ts';
import { NameSpace, type NameWork, nameComparisonsMax, nameWork } from './name-constraints.ts';
import { ExtensionOid, KeyPurposeOid } from './object-identifier.ts';
import { type PathRole, pkixFaults } from './pkix-profile.ts';
import type { ValidPolicies } from './policy-graph.ts';

/** What a path is asked for. */
export interface PathRequirements {
  /** ms since 1970: the time at which every certificate must be valid. */
  readonly unixMs: number;
  /** Intermediates that are not self-issued; default `intermediatesMax`. */
  readonly intermediatesMax?: number;
  /** Object identifier of the purpose that every extendedKeyUsage must allow. */
  readonly purpose?: string;
  /** Default: any policy or none, mapping and anyPolicy allowed. */
  readonly policies?: PolicyInputs;
  /** What else the path must obey; a path that does not is passed over for another. */
  readonly furtherRule?: (path: ValidPath) => CertificateRefusal | undefined;
}

/** A path that is valid, and until when. */
export interface ValidPath {
  /** The leaf first; without the trust anchor. */
  readonly certificates: readonly Certificate[];
  readonly anchor: Certificate;
  readonly policies: ValidPolicies;
  /** The time, ms since 1970, in which all of them are valid: to the end of the last second. */
  readonly notBeforeUnixMs: number;
  readonly notAfterUnixMs: number;
}

/**
 * RFC 5280 §6.1 over a path whose names chain and whose signatures are verified already (that is
 * `PathSearch`'s work): validity, basicConstraints, path length, keyUsage, name constraints,
 * policies, critical extensions, purposes. The anchor's own validity and constraints count too,
 * since ours come as certificates of a configuration. `work` bounds the comparisons of names.
 */
export function validatePath(
  certificates: readonly Certificate[],
  anchor: Certificate,
  requirements: PathRequirements,
  work: NameWork = nameWork(),
): ValidPath | CertificateRefusal {
  const walk = new PathWalk(requirements, certificates.length, work);
  const fromAnchor = [anchor, ...certificates.toReversed()];
  for (const [index, certificate] of fromAnchor.entries()) {
    const isLast = index === fromAnchor.length - 1;
    const role: PathRole = index === 0 ? 'anchor' : isLast ? 'leaf' : 'intermediate';
    const refusal = walk.step(certificate, role);
    if (refusal !== undefined) return refusal;
  }
  const path: ValidPath = {
    certificates,
    anchor,
    policies: walk.policies.validPolicies,
    notBeforeUnixMs: Math.max(...fromAnchor.map((certificate) => certificate.notBeforeUnixMs)),
    notAfterUnixMs: Math.min(...fromAnchor.map((certificate) => certificate.notAfterUnixMs)),
  };
  return requirements.furtherRule?.(path) ?? path;
}

/** Whether `unixMs` lies in a validity period; notAfter holds to the end of its second. */
export function isValidAt(notBeforeUnixMs: number, notAfterUnixMs: number, unixMs: number) {
  return unixMs >= notBeforeUnixMs && unixMs < notAfterUnixMs + 1000;
}

/** RFC 5280 §4.1.2.5; undefined when the certificate is valid at that time. */
export function validityRefusal(
  certificate: Certificate,
  unixMs: number,
): CertificateRefusal | undefined {
  const { notBeforeUnixMs, notAfterUnixMs } = certificate;
  if (isValidAt(notBeforeUnixMs, notAfterUnixMs, unixMs)) return undefined;
  const rule = 'RFC 5280 §4.1.2.5 validity';
  const isEarly = unixMs < notBeforeUnixMs;
  const limit = isEarly
    ? `notBefore ${formatUnixMs(notBeforeUnixMs)}`
    : `notAfter ${formatUnixMs(notAfterUnixMs)}`;
  const detail = `${limit}, asked for ${formatUnixMs(unixMs)}`;
  return refuse(isEarly ? 'not-yet-valid' : 'expired', certificate, rule, detail);
}

/** Critical extensions must be known — RFC 5280 §4.2; undefined when all are. */
export function criticalExtensionRefusal(certificate: Certificate): CertificateRefusal | undefined {
  const unknown = certificate.extensions.all.find(
    ({ oid, critical }) => critical && !processedExtensions.has(oid),
  );
  if (unknown === undefined) return undefined;
  const detail = `critical extension ${unknown.oid} is not known`;
  return refuse('unknown-critical-extension', certificate, 'RFC 5280 §4.2 critical', detail);
}

/** The key may be used and RFC 5280 §4 is obeyed; undefined when so. */
export function formRefusal(
  certificate: Certificate,
  role: PathRole,
): CertificateRefusal | undefined {
  const weakness = keyFault(certificate.subjectPublicKeyInfo);
  if (weakness !== undefined) return refuse('weak-key', certificate, 'accepted keys', weakness);
  const [fault] = pkixFaults(certificate, role);
  if (fault === undefined) return undefined;
  return refuse('pkix-profile', certificate, fault.rule, fault.detail);
}

export const intermediatesMax = 8;

/** The state variables of RFC 5280 §6.1.2. */
class PathWalk {
  private readonly requirements: PathRequirements;
  private readonly nameSpace: NameSpace;
  private readonly work: NameWork;
  readonly policies: PolicyWalk;
  private lengthLeft: number;

  /** `length` counts the certificates without the anchor. */
  constructor(requirements: PathRequirements, length: number, work: NameWork) {
    this.requirements = requirements;
    this.work = work;
    this.nameSpace = new NameSpace(work);
    this.policies = new PolicyWalk(length, requirements.policies);
    this.lengthLeft = requirements.intermediatesMax ?? intermediatesMax;
  }

  /** RFC 5280 §6.1.3, §6.1.4 and §6.1.5 for one certificate. */
  step(certificate: Certificate, role: PathRole): CertificateRefusal | undefined {
    return (
      validityRefusal(certificate, this.requirements.unixMs) ??
      this.nameRefusal(certificate, role) ??
      formRefusal(certificate, role) ??
      this.policies.step(certificate, role) ??
      (role === 'leaf' ? undefined : this.issuerRefusal(certificate, role)) ??
      criticalExtensionRefusal(certificate) ??
      this.purposeRefusal(certificate)
    );
  }

  /** RFC 5280 §6.1.3 (b), (c): self-issued certificates are free, except the last. */
  private nameRefusal(certificate: Certificate, role: PathRole): CertificateRefusal | undefined {
    if (role === 'anchor' || (role === 'intermediate' && certificate.isSelfIssued))
      return undefined;
    const fault = this.nameSpace.fault(certificate);
    if (fault === undefined) return undefined;
    if (this.work.comparisonsLeft < 0) {
      const detail = `more than ${nameComparisonsMax} comparisons of names with constraints`;
      return refuse('work-limit', certificate, 'limit nameComparisonsMax', detail);
    }
    return refuse('name-constraints', certificate, 'RFC 5280 §4.2.1.10 nameConstraints', fault);
  }

  /** RFC 5280 §6.1.4 (g), (k) to (n). */
  private issuerRefusal(certificate: Certificate, role: PathRole): CertificateRefusal | undefined {
    const { basicConstraints, keyUsage, nameConstraints } = certificate.extensions;
    if (certificate.version !== 3 || basicConstraints?.isCa !== true) {
      const detail = 'it issued a certificate, but basicConstraints cA TRUE is not there';
      return refuse('not-a-ca', certificate, 'RFC 5280 §6.1.4 (k) basicConstraints', detail);
    }
    if (keyUsage?.has('keyCertSign') === false) {
      const detail = 'it issued a certificate, but keyUsage lacks keyCertSign';
      return refuse('key-usage', certificate, 'RFC 5280 §6.1.4 (n) keyUsage', detail);
    }
    if (role === 'intermediate' && !certificate.isSelfIssued) {
      if (this.lengthLeft === 0) {
        const detail = 'more intermediates than an issuer above or the limit allows';
        return refuse('path-length', certificate, 'RFC 5280 §6.1.4 (l) pathLenConstraint', detail);
      }
      this.lengthLeft--;
    }
    this.lengthLeft = Math.min(this.lengthLeft, basicConstraints.pathLength ?? this.lengthLeft);
    const fault = nameConstraints && this.nameSpace.restrict(nameConstraints);
    if (fault === undefined) return undefined;
    return refuse('name-constraints', certificate, 'RFC 5280 §4.2.1.10 nameConstraints', fault);
  }

  /** RFC 5280 §4.2.1.12; an issuer's list binds those below it, as everybody reads it. */
  private purposeRefusal(certificate: Certificate): CertificateRefusal | undefined {
    const { purpose } = this.requirements;
    const purposes = certificate.extensions.extendedKeyUsage;
    if (purpose === undefined || purposes === undefined) return undefined;
    if (purposes.includes(purpose) || purposes.includes(KeyPurposeOid.any)) return undefined;
    const detail = `extendedKeyUsage allows ${purposes.join(', ')}, asked for ${purpose}`;
    return refuse('purpose', certificate, 'RFC 5280 §4.2.1.12 extendedKeyUsage', detail);
  }
}

/**
 * Extensions that are processed, or that change nothing as we use certificates: issuerAltName
 * (RFC 5280 §4.2.1.7: nothing to process). All of them are read strictly before.
 */
const processedExtensions: ReadonlySet<string> = new Set([
  ExtensionOid.keyUsage,
  ExtensionOid.subjectAltName,
  ExtensionOid.issuerAltName,
  ExtensionOid.basicConstraints,
  ExtensionOid.nameConstraints,
  ExtensionOid.crlDistributionPoints,
  ExtensionOid.certificatePolicies,
  ExtensionOid.policyMappings,
  ExtensionOid.policyConstraints,
  ExtensionOid.inhibitAnyPolicy,
  ExtensionOid.extendedKeyUsage,
]);
