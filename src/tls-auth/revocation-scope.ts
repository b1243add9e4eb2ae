import type { Certificate } from './certificate.ts';
import type { DistributionPoint } from './certificate-extension.ts';
import { directoryNameKey, hasPointName, pointNameKeys } from './distribution-point.ts';
import { type GeneralName, groupedNames } from './general-name.ts';
import type { RevocationList } from './revocation-list.ts';

/**
 * Where the lists about a certificate may come from, in the order of RFC 5280 §6.3.3: its
 * distribution points, then the point that stands for lists that no distribution point names.
 */
export function pointsOf(certificate: Certificate): readonly DistributionPoint[] {
  const issuer: GeneralName = { form: 'directoryName', name: certificate.issuer };
  const unnamed: DistributionPoint = {
    fullName: groupedNames([issuer, ...(certificate.extensions.issuerAltName?.all ?? [])]),
    relativeName: undefined,
    reasons: undefined,
    crlIssuers: undefined,
  };
  return [...(certificate.extensions.crlDistributionPoints ?? []), unnamed];
}

/** The names of the issuers of the lists of a distribution point, as they are compared. */
export function listIssuerKeys(certificate: Certificate, point: DistributionPoint): string[] {
  return (point.crlIssuers ?? [certificate.issuer]).map(({ comparisonKey }) => comparisonKey);
}

/**
 * Why a list does not speak of this certificate under this distribution point — RFC 5280 §6.3.3
 * (b); undefined when it does.
 */
export function scopeFault(
  list: RevocationList,
  certificate: Certificate,
  point: DistributionPoint,
): string | undefined {
  const scope = list.issuingDistributionPoint;
  if (!listIssuerKeys(certificate, point).includes(list.issuer.comparisonKey)) {
    return 'it has another issuer';
  }
  if (point.crlIssuers !== undefined && scope?.isIndirect !== true) {
    return 'the certificate names its issuer as cRLIssuer, and it is not indirect';
  }
  if (scope === undefined) return undefined;
  if (hasPointName(scope) && !haveCommonName(list, certificate, point)) {
    return 'it is of another distribution point';
  }
  const isCa = certificate.extensions.basicConstraints?.isCa === true;
  // RFC 5280 §5.2.5: what a list limits to users or CAs says nothing of older versions.
  const fits: boolean =
    scope.onlyContains === undefined ||
    (certificate.version === 3 && scope.onlyContains === (isCa ? 'caCerts' : 'userCerts'));
  return fits ? undefined : `it only contains ${scope.onlyContains}`;
}

/** The reasons that a list covers under a distribution point — RFC 5280 §6.3.3 (d). */
export function coveredReasons(list: RevocationList, point: DistributionPoint): number {
  const ofList = list.issuingDistributionPoint?.reasons;
  return reasonMask(ofList) & reasonMask(point.reasons);
}

/** ReasonFlags 1 to 8 as a mask: bit n is reason n — RFC 5280 §4.2.1.13. */
export const ALL_REASONS = 0b1_1111_1110;

/** The names of the reasons of a mask, for people. */
export function reasonNames(mask: number): string {
  return REASON_FLAGS.filter((_, bit) => (mask & (1 << bit)) !== 0).join(', ');
}

/**
 * Whether a delta list may be combined with a complete one — RFC 5280 §5.2.4 (a) to (d) and §6.3.3
 * (c). That one key signed both is not looked at here.
 */
export function canCombine(complete: RevocationList, delta: RevocationList): boolean {
  const { crlNumber, issuingDistributionPoint: scope } = complete;
  if (delta.baseCrlNumber === undefined || delta.crlNumber === undefined) return false;
  if (crlNumber === undefined) return false;
  return (
    delta.issuer.equals(complete.issuer) &&
    isSame(scope?.der, delta.issuingDistributionPoint?.der) &&
    isSame(
      complete.authorityKeyIdentifier?.keyIdentifier,
      delta.authorityKeyIdentifier?.keyIdentifier,
    ) &&
    crlNumber >= delta.baseCrlNumber &&
    crlNumber < delta.crlNumber
  );
}

/** RFC 5280 §6.3.3 (b) (2) (i). */
function haveCommonName(
  list: RevocationList,
  certificate: Certificate,
  point: DistributionPoint,
): boolean {
  const scope = list.issuingDistributionPoint;
  if (scope === undefined) return false;
  const ofList = new Set(pointNameKeys(scope, list.issuer));
  const ofPoint = hasPointName(point)
    ? pointNameKeys(point, point.crlIssuers?.[0] ?? certificate.issuer)
    : (point.crlIssuers ?? []).map(directoryNameKey);
  return ofPoint.some((key) => ofList.has(key));
}

function reasonMask(bits: ReadonlySet<number> | undefined): number {
  if (bits === undefined) return ALL_REASONS;
  return [...bits].reduce((mask, bit) => (bit > 8 ? mask : mask | (1 << bit)), 0) & ALL_REASONS;
}

function isSame(one: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return Buffer.compare(one, other) === 0;
}

/** ReasonFlags — RFC 5280 §4.2.1.13. */
const REASON_FLAGS = [
  'unused',
  'keyCompromise',
  'cACompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
  'certificateHold',
  'privilegeWithdrawn',
  'aACompromise',
];
