import { toHex } from '../wire/hex.ts';
import type { DistributionPoint, DistributionPointName } from './certificate-extension.ts';
import { contextConstructed, contextPrimitive, type DerReader, DerTag } from './der-reader.ts';
import { derNamedBits } from './der-value.ts';
import { DistinguishedName, derRelativeName } from './distinguished-name.ts';
import { derGeneralNames, type GeneralName, generalNameText } from './general-name.ts';

/** issuingDistributionPoint of a list: which certificates it speaks of — RFC 5280 §5.2.5. */
export interface IssuingDistributionPoint extends DistributionPointName {
  readonly onlyContains: 'userCerts' | 'caCerts' | 'attributeCerts' | undefined;
  /** onlySomeReasons: bit n as in ReasonFlags; undefined means all. */
  readonly reasons: ReadonlySet<number> | undefined;
  /** Entries may be of certificates of other issuers than the list's. */
  readonly isIndirect: boolean;
  readonly der: Uint8Array;
}

/** DistributionPoint — RFC 5280 §4.2.1.13. */
export function derDistributionPoint(reader: DerReader): DistributionPoint {
  const inner = reader.enter(DerTag.sequence);
  const name = optionalPointName(inner);
  const flags = inner.optional(contextPrimitive(1));
  const hasIssuers = inner.peekTag() === contextConstructed(2);
  const issuers = hasIssuers ? derGeneralNames(inner, contextConstructed(2)) : undefined;
  inner.expectEnd();
  if (!hasPointName(name) && issuers === undefined) {
    throw inner.fault('a distribution point without name and issuer (RFC 5280 §4.2.1.13)');
  }
  return {
    ...name,
    reasons: flags === undefined ? undefined : new Set(derNamedBits(flags)),
    crlIssuers: issuers?.directoryNames,
  };
}

/** IssuingDistributionPoint — RFC 5280 §5.2.5: not empty, and at most one "only contains". */
export function derIssuingDistributionPoint(reader: DerReader): IssuingDistributionPoint {
  const element = reader.element(DerTag.sequence);
  const inner = reader.inside(element);
  if (inner.atEnd) throw inner.fault('an empty issuingDistributionPoint (RFC 5280 §5.2.5)');
  const name = optionalPointName(inner);
  const userCerts = isFlagged(inner, 1);
  const caCerts = isFlagged(inner, 2);
  const flags = inner.optional(contextPrimitive(3));
  const isIndirect = isFlagged(inner, 4);
  const attributeCerts = isFlagged(inner, 5);
  inner.expectEnd();
  const contained = [
    ...(userCerts ? (['userCerts'] as const) : []),
    ...(caCerts ? (['caCerts'] as const) : []),
    ...(attributeCerts ? (['attributeCerts'] as const) : []),
  ];
  if (contained.length > 1) throw inner.fault(`it only contains ${contained.join(' and only ')}`);
  return {
    ...name,
    onlyContains: contained[0],
    reasons: flags === undefined ? undefined : new Set(derNamedBits(flags)),
    isIndirect,
    der: element.der,
  };
}

/** Whether a distribution point has a name — RFC 5280 §6.3.3 (b) (2) (i). */
export function hasPointName({ fullName, relativeName }: DistributionPointName): boolean {
  return fullName !== undefined || relativeName !== undefined;
}

/**
 * What the names of a distribution point are compared by, a relative name under the name of the
 * CRL issuer. The encodings must be identical (RFC 5280 §5.2.5); directory names match as names.
 */
export function pointNameKeys(point: DistributionPointName, crlIssuer: DistinguishedName) {
  const { fullName, relativeName } = point;
  const relative =
    relativeName === undefined
      ? []
      : [new DistinguishedName(NO_BYTES, [...crlIssuer.relativeNames, relativeName])];
  return [...(fullName?.all ?? []).map(generalNameKey), ...relative.map(directoryNameKey)];
}

export function directoryNameKey(name: DistinguishedName): string {
  return `directoryName ${name.comparisonKey}`;
}

function generalNameKey(name: GeneralName): string {
  switch (name.form) {
    case 'directoryName':
      return directoryNameKey(name.name);
    case 'otherName':
      return `otherName ${name.typeId} ${toHex(name.value)}`;
    case 'x400Address':
    case 'ediPartyName':
      return `${name.form} ${toHex(name.value)}`;
    default:
      return generalNameText(name);
  }
}

function optionalPointName(reader: DerReader): DistributionPointName {
  const wrapper = reader.enterOptional(contextConstructed(0));
  if (wrapper === undefined) return { fullName: undefined, relativeName: undefined };
  const isFull = wrapper.peekTag() === contextConstructed(0);
  const name = isFull
    ? { fullName: derGeneralNames(wrapper, contextConstructed(0)), relativeName: undefined }
    : { fullName: undefined, relativeName: derRelativeName(wrapper, contextConstructed(1)) };
  wrapper.expectEnd();
  return name;
}

/** `[number] BOOLEAN DEFAULT FALSE`: DER never writes the default (X.690 §11.5). */
function isFlagged(reader: DerReader, number: number): boolean {
  const element = reader.optional(contextPrimitive(number));
  if (element === undefined) return false;
  if (element.contents.length !== 1 || element.contents[0] !== 0xff) {
    throw reader.fault('expected TRUE, or nothing', element.contentsOffset);
  }
  return true;
}

const NO_BYTES = new Uint8Array(0);
