import { type DerElement, DerReader, DerTag } from './der-reader.ts';
import { derTime } from './der-time.ts';
import { derIntegerHex } from './der-value.ts';
import type { DistinguishedName } from './distinguished-name.ts';
import { derExtensionList } from './extension-reader.ts';
import { derGeneralNames } from './general-name.ts';
import { ListExtensionOid } from './object-identifier.ts';
import { serialOfPlainEntry } from './plain-entry.ts';

/** CRLReason — RFC 5280 §5.3.1; the number on the wire is the index, 7 is not used. */
export const REVOCATION_REASONS = [
  'unspecified',
  'keyCompromise',
  'cACompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
  'certificateHold',
  undefined,
  'removeFromCRL',
  'privilegeWithdrawn',
  'aACompromise',
] as const;
export type RevocationReason = Exclude<(typeof REVOCATION_REASONS)[number], undefined>;

/** What a list says of one certificate — RFC 5280 §5.1.2.6, §5.3. */
export interface RevokedEntry {
  readonly revokedUnixMs: number;
  /** `unspecified` where reasonCode is absent. */
  readonly reason: RevocationReason;
  /** invalidityDate: since when the certificate is known or suspected to be invalid. */
  readonly invalidUnixMs: number | undefined;
}

/**
 * The entries of a list, found by issuer and serial number. Each was read strictly once; what is
 * kept of it is its place, so that a list of 100,000 is a map from text to number.
 */
export class RevokedEntries {
  /** A critical extension of an entry that this program does not know. */
  readonly unknownCritical: string | undefined;
  /** The bytes that offsets count in. */
  private readonly der: Uint8Array;
  private readonly offsets: ReadonlyMap<string, number>;
  /** By comparison key; the issuer of the list itself is 0 and stands in no key of `offsets`. */
  private readonly issuerNumbers: ReadonlyMap<string, number>;

  constructor(der: Uint8Array, collected: CollectedEntries) {
    this.der = der;
    this.unknownCritical = collected.unknownCritical;
    this.offsets = collected.offsets;
    this.issuerNumbers = collected.issuerNumbers;
  }

  get size(): number {
    return this.offsets.size;
  }

  /** `serialNumber` is the content octets in hex, as a Certificate has it. */
  find(issuer: DistinguishedName, serialNumber: string): RevokedEntry | undefined {
    const number = this.issuerNumbers.get(issuer.comparisonKey);
    const offset =
      number === undefined ? undefined : this.offsets.get(entryKey(number, serialNumber));
    if (offset === undefined) return undefined;
    const reader = new DerReader(this.der, offset);
    return derEntry(reader, reader.element(DerTag.sequence));
  }
}

/** What RevokedEntries keeps. */
export interface CollectedEntries {
  readonly unknownCritical: string | undefined;
  readonly offsets: ReadonlyMap<string, number>;
  readonly issuerNumbers: ReadonlyMap<string, number>;
}

/**
 * Reads revokedCertificates — RFC 5280 §5.1.2.6. `element` is its SEQUENCE, undefined where it is
 * absent. Entries of an indirect list belong to the issuer that one of them named last (§5.3.3).
 * Throws MalformedDer.
 */
export function collectEntries(
  der: Uint8Array,
  reader: DerReader,
  element: DerElement | undefined,
  list: ListRules,
): CollectedEntries {
  const offsets = new Map<string, number>();
  const issuerNumbers = new Map([[list.issuer.comparisonKey, 0]]);
  let current = [0];
  let carefully = 0;
  let unknownCritical: string | undefined;
  const inner = element === undefined ? undefined : reader.inside(element);
  while (inner !== undefined && !inner.atEnd) {
    if (offsets.size >= entriesMax) throw inner.fault(`more than ${entriesMax} entries`);
    const entry = inner.element(DerTag.sequence);
    const offset = entry.contentsOffset - (entry.der.length - entry.contents.length);
    let serialNumber =
      list.version === 2
        ? serialOfPlainEntry(der, entry.contentsOffset, entry.contents.length)
        : undefined;
    let isRemoval = false;
    if (serialNumber === undefined) {
      if (++carefully > carefulEntriesMax) {
        throw inner.fault(`more than ${carefulEntriesMax} entries that are not plain`);
      }
      const read = derEntry(inner, entry);
      refuseMisplaced(inner, entry, read, list);
      serialNumber = read.serialNumber;
      unknownCritical ??= read.unknownCritical;
      isRemoval = read.reason === 'removeFromCRL';
      current = read.issuers?.map((name) => numberOf(name, issuerNumbers)) ?? current;
    }
    for (const number of current) {
      const key = entryKey(number, serialNumber);
      // Of two entries for one certificate the one that revokes it counts.
      if (!isRemoval || !offsets.has(key)) offsets.set(key, offset);
    }
  }
  return { unknownCritical, offsets, issuerNumbers };
}

/** What the list as a whole says about its entries. */
export interface ListRules {
  readonly issuer: DistinguishedName;
  readonly version: 1 | 2;
  readonly isDelta: boolean;
  readonly isIndirect: boolean;
}

interface ReadEntry extends RevokedEntry {
  readonly serialNumber: string;
  /** certificateIssuer; undefined where it is absent. */
  readonly issuers: readonly DistinguishedName[] | undefined;
  readonly unknownCritical: string | undefined;
  readonly hasExtensions: boolean;
}

function derEntry(reader: DerReader, element: DerElement): ReadEntry {
  const inner = reader.inside(element);
  const serialNumber = derIntegerHex(inner.element(DerTag.integer));
  const revokedUnixMs = derTime(inner);
  let reason: RevocationReason = 'unspecified';
  let invalidUnixMs: number | undefined;
  let issuers: readonly DistinguishedName[] | undefined;
  let unknownCritical: string | undefined;
  const hasExtensions = !inner.atEnd;
  if (hasExtensions) {
    derExtensionList(inner, ({ oid, critical }, value) => {
      if (oid === ListExtensionOid.reasonCode) reason = derReason(value);
      else if (oid === ListExtensionOid.invalidityDate) invalidUnixMs = derInvalidityDate(value);
      else if (oid === ListExtensionOid.certificateIssuer) issuers = derIssuers(value);
      else {
        if (critical) unknownCritical ??= oid;
        return;
      }
      value.expectEnd();
    });
  }
  inner.expectEnd();
  return {
    serialNumber,
    revokedUnixMs,
    reason,
    invalidUnixMs,
    issuers,
    unknownCritical,
    hasExtensions,
  };
}

function refuseMisplaced(
  reader: DerReader,
  { contentsOffset }: DerElement,
  entry: ReadEntry,
  list: ListRules,
): void {
  if (entry.hasExtensions && list.version === 1) {
    throw reader.fault('extensions of an entry in version 1 (RFC 5280 §5.1)', contentsOffset);
  }
  if (entry.issuers !== undefined && !list.isIndirect) {
    const detail = 'certificateIssuer in a list that is not indirect (RFC 5280 §5.3.3)';
    throw reader.fault(detail, contentsOffset);
  }
  if (entry.reason === 'removeFromCRL' && !list.isDelta) {
    throw reader.fault('removeFromCRL in a complete list (RFC 5280 §5.3.1)', contentsOffset);
  }
}

function derReason(reader: DerReader): RevocationReason {
  const element = reader.element(DerTag.enumerated);
  const [number = -1] = element.contents;
  const reason = REVOCATION_REASONS[number];
  if (reason === undefined || element.contents.length !== 1) {
    throw reader.fault('expected a CRLReason (RFC 5280 §5.3.1)', element.contentsOffset);
  }
  return reason;
}

/** RFC 5280 §5.3.2: always GeneralizedTime. */
function derInvalidityDate(reader: DerReader): number {
  if (reader.peekTag() !== DerTag.generalizedTime) {
    throw reader.fault('expected invalidityDate as GeneralizedTime (RFC 5280 §5.3.2)');
  }
  return derTime(reader);
}

function derIssuers(reader: DerReader): readonly DistinguishedName[] {
  const { directoryNames } = derGeneralNames(reader);
  if (directoryNames.length > 0) return directoryNames;
  throw reader.fault('certificateIssuer without a distinguished name (RFC 5280 §5.3.3)');
}

function numberOf({ comparisonKey }: DistinguishedName, numbers: Map<string, number>): number {
  const known = numbers.get(comparisonKey);
  if (known !== undefined) return known;
  const number = numbers.size;
  numbers.set(comparisonKey, number);
  return number;
}

function entryKey(issuerNumber: number, serialNumber: string): string {
  return issuerNumber === 0 ? serialNumber : `${issuerNumber} ${serialNumber}`;
}

const entriesMax = 400_000;

/** Entries that `serialOfPlainEntry` does not take: each costs 10 µs instead of 2. */
const carefulEntriesMax = 100_000;
