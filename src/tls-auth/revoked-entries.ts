import { createHash } from 'node:crypto';
import { type DerElement, DerReader, DerTag, MalformedDer } from './der-reader.ts';
import { derTime } from './der-time.ts';
import { derIntegerHex } from './der-value.ts';
import type { DistinguishedName } from './distinguished-name.ts';
import { derExtensionList } from './extension-reader.ts';
import { derGeneralNames } from './general-name.ts';
import { ListExtensionOid } from './object-identifier.ts';
import { isPlainEntry, readPlainEntry } from './plain-entry.ts';
import { SERIAL_LENGTH_MAX, SerialTable } from './serial-table.ts';

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
 * kept of it is its place.
 */
export class RevokedEntries {
  /** A critical extension of an entry that this program does not know. */
  readonly unknownCritical: string | undefined;
  /** The bytes that offsets count in. */
  private readonly der: Uint8Array;
  private readonly table: SerialTable;
  /** By comparison key; the issuer of the list itself is 0. */
  private readonly issuerNumbers: ReadonlyMap<string, number>;

  constructor(der: Uint8Array, collected: CollectedEntries) {
    this.der = der;
    this.unknownCritical = collected.unknownCritical;
    this.table = collected.table;
    this.issuerNumbers = collected.issuerNumbers;
  }

  get size(): number {
    return this.table.size;
  }

  /** `serialNumber` is the content octets in hex, as a Certificate has it. */
  find(issuer: DistinguishedName, serialNumber: string): RevokedEntry | undefined {
    const number = this.issuerNumbers.get(issuer.comparisonKey);
    const offset = number === undefined ? undefined : this.table.find(number, serialNumber);
    if (offset === undefined) return undefined;
    const { der } = this;
    const length = der[offset + 1] ?? 0;
    if (length < 0x80 && isPlainEntry(der, offset + 2, length)) {
      const { revokedUnixMs, reason } = readPlainEntry(der, offset + 2, length);
      const name = REVOCATION_REASONS[reason] ?? 'unspecified';
      return { revokedUnixMs, reason: name, invalidUnixMs: undefined };
    }
    const reader = new DerReader(der, offset);
    return derEntry(reader, reader.element(DerTag.sequence));
  }
}

/** What RevokedEntries keeps. */
export interface CollectedEntries {
  readonly unknownCritical: string | undefined;
  readonly table: SerialTable;
  readonly issuerNumbers: ReadonlyMap<string, number>;
}

/**
 * Reads revokedCertificates — RFC 5280 §5.1.2.6. `element` is its SEQUENCE, undefined where it is
 * absent. Entries of an indirect list belong to the issuer that one of them named last (§5.3.3).
 * Throws MalformedDer.
 */
export function collectEntries(
  der: Uint8Array,
  element: DerElement | undefined,
  list: ListRules,
): CollectedEntries {
  const length = element?.contents.length ?? 0;
  const table = new SerialTable(der, seedOf(der), Math.floor(length / ENTRY_LENGTH_USUAL));
  const issuerNumbers = new Map([[list.issuer.comparisonKey, 0]]);
  let current = [0];
  let carefully = 0;
  let unknownCritical: string | undefined;
  let at = element?.contentsOffset ?? 0;
  const end = at + length;
  while (at < end) {
    if (table.size >= entriesMax) throw new MalformedDer(`more than ${entriesMax} entries`, at);
    const offset = at;
    const plainEnd = list.version === 2 ? endOfPlainEntry(der, at, end) : undefined;
    let isRemoval = false;
    if (plainEnd !== undefined) at = plainEnd;
    else {
      if (++carefully > carefulEntriesMax) {
        throw new MalformedDer(`more than ${carefulEntriesMax} entries that are not plain`, at);
      }
      const reader = new DerReader(der, at, end);
      const entry = reader.element(DerTag.sequence);
      at += entry.der.length;
      const read = derEntry(reader, entry);
      refuseMisplaced(reader, entry, read, list);
      unknownCritical ??= read.unknownCritical;
      isRemoval = read.reason === 'removeFromCRL';
      current = read.issuers?.map((name) => numberOf(name, issuerNumbers)) ?? current;
    }
    // Of two entries for one certificate the one that revokes it counts.
    for (const number of current) table.put(number, offset, !isRemoval);
  }
  return { unknownCritical, table, issuerNumbers };
}

/** Where the entry at `at` ends, if it has the form that nearly all have. */
function endOfPlainEntry(der: Uint8Array, at: number, end: number): number | undefined {
  const length = der[at + 1] ?? 0xff;
  const next = at + 2 + length;
  if (der[at] !== DerTag.sequence || length >= 0x80 || next > end) return undefined;
  return isPlainEntry(der, at + 2, length) ? next : undefined;
}

/** Whoever chooses the serial numbers of a list changes this with each of them. */
function seedOf(der: Uint8Array): number {
  return createHash('sha256').update(der).digest().readInt32LE(0);
}

/** What the list as a whole says about its entries. */
export interface ListRules {
  readonly issuer: DistinguishedName;
  readonly version: 1 | 2;
  readonly isDelta: boolean;
  readonly isIndirect: boolean;
}

interface ReadEntry extends RevokedEntry {
  /** certificateIssuer; undefined where it is absent. */
  readonly issuers: readonly DistinguishedName[] | undefined;
  readonly unknownCritical: string | undefined;
  readonly hasExtensions: boolean;
}

function derEntry(reader: DerReader, element: DerElement): ReadEntry {
  const inner = reader.inside(element);
  const serial = inner.element(DerTag.integer);
  derIntegerHex(serial);
  if (serial.contents.length > SERIAL_LENGTH_MAX) {
    const detail = `a serial number of more than ${SERIAL_LENGTH_MAX} octets`;
    throw reader.fault(detail, serial.contentsOffset);
  }
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
  return { revokedUnixMs, reason, invalidUnixMs, issuers, unknownCritical, hasExtensions };
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

const entriesMax = 400_000;

/** Entries that are not plain: each costs 10 µs instead of a fraction of one. */
const carefulEntriesMax = 100_000;

/** Bytes, to begin with about as many places as there are entries. */
const ENTRY_LENGTH_USUAL = 36;
