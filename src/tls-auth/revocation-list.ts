import { createHash } from 'node:crypto';
import { type AlgorithmIdentifier, derAlgorithm } from './certificate.ts';
import type { AuthorityKeyIdentifier, DistributionPoint } from './certificate-extension.ts';
import { CertificateRefusal } from './certificate-refusal.ts';
import { contextConstructed, DerReader, DerTag, MalformedDer } from './der-reader.ts';
import { derSequenceOf } from './der-sequence.ts';
import { derTime } from './der-time.ts';
import { derBitStringOctets, derIntegerHex } from './der-value.ts';
import { type DistinguishedName, derName } from './distinguished-name.ts';
import {
  derDistributionPoint,
  derIssuingDistributionPoint,
  type IssuingDistributionPoint,
} from './distribution-point.ts';
import { authorityKeyIdentifier, derExtensionList } from './extension-reader.ts';
import { derGeneralNames } from './general-name.ts';
import { ExtensionOid, ListExtensionOid } from './object-identifier.ts';
import { collectEntries, RevokedEntries } from './revoked-entries.ts';

/** A certificate revocation list that was read, not one that is trusted — RFC 5280 §5.1. */
export interface RevocationList {
  readonly der: Uint8Array;
  /** The bytes that the signature covers. */
  readonly tbsCertList: Uint8Array;
  readonly version: 1 | 2;
  readonly signatureAlgorithm: AlgorithmIdentifier;
  readonly signatureValue: Uint8Array;
  readonly issuer: DistinguishedName;
  readonly thisUpdateUnixMs: number;
  /** The list is the current one to the end of this second. */
  readonly nextUpdateUnixMs: number;
  readonly entries: RevokedEntries;
  readonly crlNumber: bigint | undefined;
  /** deltaCRLIndicator: the number of the complete list that this one changes. */
  readonly baseCrlNumber: bigint | undefined;
  readonly authorityKeyIdentifier: AuthorityKeyIdentifier | undefined;
  readonly issuingDistributionPoint: IssuingDistributionPoint | undefined;
  /** Where delta lists are. */
  readonly freshestCrl: readonly DistributionPoint[];
  /**
   * A critical extension, of the list or of an entry, that this program does not know: the list
   * must then not be used (RFC 5280 §5.2, §5.3).
   */
  readonly unknownCritical: string | undefined;
  /** `list of CN=Test Root, number 5 (sha256 03ab45cd…)`, for people. */
  describe(): string;
}

/**
 * Reads one DER CertificateList (RFC 5280 §5.1) of at most `listLengthMax` bytes. The result keeps
 * views of `der`: the caller must not change it. Never throws.
 */
export function parseRevocationList(der: Uint8Array): RevocationList | CertificateRefusal {
  const name = 'a revocation list';
  if (der.length > listLengthMax) {
    const detail = `expected at most ${listLengthMax} bytes, got ${der.length}`;
    return new CertificateRefusal('too-large', name, 'limit listLengthMax', detail);
  }
  try {
    return certificateList(der);
  } catch (error) {
    if (!(error instanceof MalformedDer)) throw error;
    const detail = `at byte ${error.offset}: ${error.message}`;
    return new CertificateRefusal('malformed', name, 'RFC 5280 §5.1 DER', detail);
  }
}

/** Bytes; 100,000 entries take about 4 million. */
export const listLengthMax = 16_777_216;

function certificateList(der: Uint8Array): RevocationList {
  const outer = new DerReader(der);
  const list = outer.enter(DerTag.sequence);
  outer.expectEnd();
  const tbs = list.element(DerTag.sequence);
  const signatureAlgorithm = derAlgorithm(list);
  const signatureValue = derBitStringOctets(list.element(DerTag.bitString));
  list.expectEnd();
  const { innerAlgorithm, ...fields } = tbsFields(der, list.inside(tbs));
  if (Buffer.compare(innerAlgorithm.der, signatureAlgorithm.der) !== 0) {
    throw list.fault('the two signature algorithms differ (RFC 5280 §5.1.1.2)');
  }
  let description: string | undefined;
  const describe = () => {
    description ??= describeList(der, fields.issuer, fields.crlNumber);
    return description;
  };
  return { der, tbsCertList: tbs.der, signatureAlgorithm, signatureValue, ...fields, describe };
}

function describeList(der: Uint8Array, issuer: DistinguishedName, crlNumber: bigint | undefined) {
  const number = crlNumber === undefined ? '' : `, number ${crlNumber}`;
  const digest = createHash('sha256').update(der).digest('hex').slice(0, 16);
  return `list of ${issuer.text}${number} (sha256 ${digest}…)`;
}

/** TBSCertList — RFC 5280 §5.1.2. */
function tbsFields(der: Uint8Array, reader: DerReader) {
  const version = derVersion(reader);
  const innerAlgorithm = derAlgorithm(reader);
  const issuer = derName(reader);
  if (issuer.isEmpty) throw reader.fault('the issuer is empty (RFC 5280 §5.1.2.3)');
  const thisUpdateUnixMs = derTime(reader);
  // Issuers MUST give it, and §5.1.2.5 leaves open what a list without it means: nobody could tell
  // when it is too old.
  if (reader.peekTag() !== DerTag.utcTime && reader.peekTag() !== DerTag.generalizedTime) {
    throw reader.fault('a list without nextUpdate (RFC 5280 §5.1.2.5)');
  }
  const nextUpdateUnixMs = derTime(reader);
  const revoked = reader.optional(DerTag.sequence);
  const wrapper = reader.enterOptional(contextConstructed(0));
  if (wrapper !== undefined && version !== 2) {
    throw reader.fault('extensions in version 1 (RFC 5280 §5.1.2.7)');
  }
  if (wrapper === undefined && version === 2) throw requiredExtensions(reader);
  const { unknownCritical, ...extensions } =
    wrapper === undefined ? NO_EXTENSIONS : derListExtensions(wrapper);
  wrapper?.expectEnd();
  reader.expectEnd();
  const isDelta = extensions.baseCrlNumber !== undefined;
  const isIndirect = extensions.issuingDistributionPoint?.isIndirect === true;
  const rules = { issuer, version, isDelta, isIndirect };
  const entries = new RevokedEntries(der, collectEntries(der, revoked, rules));
  return {
    version,
    innerAlgorithm,
    issuer,
    thisUpdateUnixMs,
    nextUpdateUnixMs,
    entries,
    ...extensions,
    unknownCritical: unknownCritical ?? entries.unknownCritical,
  };
}

/** `Version OPTIONAL -- if present, MUST be v2` — RFC 5280 §5.1.2.1. */
function derVersion(reader: DerReader): 1 | 2 {
  const element = reader.optional(DerTag.integer);
  if (element === undefined) return 1;
  if (derIntegerHex(element) !== '01') {
    throw reader.fault('expected version 2 (RFC 5280 §5.1.2.1)', element.contentsOffset);
  }
  return 2;
}

interface ListExtensions {
  crlNumber: bigint | undefined;
  baseCrlNumber: bigint | undefined;
  authorityKeyIdentifier: AuthorityKeyIdentifier | undefined;
  issuingDistributionPoint: IssuingDistributionPoint | undefined;
  freshestCrl: readonly DistributionPoint[];
  unknownCritical: string | undefined;
}

/** RFC 5280 §5.2; what is known is read strictly, critical or not. */
function derListExtensions(reader: DerReader): ListExtensions {
  const read: ListExtensions = { ...NO_EXTENSIONS };
  const all = derExtensionList(reader, ({ oid, critical }, value) => {
    if (critical && neverCritical.has(oid)) throw value.fault(`extension ${oid} is critical`);
    const readExtension = extensionReaders.get(oid);
    if (readExtension === undefined) {
      if (critical) read.unknownCritical ??= oid;
      return;
    }
    readExtension(value, read);
    value.expectEnd();
  });
  const { crlNumber, authorityKeyIdentifier: key } = read;
  if (crlNumber === undefined || key?.keyIdentifier === undefined) throw requiredExtensions(reader);
  if (read.baseCrlNumber === undefined) return read;
  if (all.some(({ oid }) => oid === ExtensionOid.freshestCrl)) {
    throw reader.fault('freshestCRL in a delta list (RFC 5280 §5.2.6)');
  }
  return read;
}

/** "Conforming CRL issuers are REQUIRED to include" both — RFC 5280 §5.2. */
function requiredExtensions(reader: DerReader): MalformedDer {
  const both = 'authorityKeyIdentifier (with keyIdentifier) and cRLNumber';
  return reader.fault(`expected the extensions ${both} (RFC 5280 §5.2)`);
}

/** RFC 5280 §5.2.1, §5.2.3, §5.2.6, §5.2.7. */
const neverCritical: ReadonlySet<string> = new Set([
  ExtensionOid.authorityKeyIdentifier,
  ListExtensionOid.crlNumber,
  ExtensionOid.freshestCrl,
  ExtensionOid.authorityInfoAccess,
]);

const extensionReaders = new Map<string, (reader: DerReader, read: ListExtensions) => void>([
  [
    ListExtensionOid.crlNumber,
    (reader, read) => {
      read.crlNumber = derListNumber(reader);
    },
  ],
  [
    ListExtensionOid.deltaCrlIndicator,
    (reader, read) => {
      read.baseCrlNumber = derListNumber(reader);
    },
  ],
  [
    ListExtensionOid.issuingDistributionPoint,
    (reader, read) => {
      read.issuingDistributionPoint = derIssuingDistributionPoint(reader);
    },
  ],
  [
    ExtensionOid.freshestCrl,
    (reader, read) => {
      read.freshestCrl = derSequenceOf(reader, derDistributionPoint);
    },
  ],
  [
    ExtensionOid.authorityKeyIdentifier,
    (reader, read) => {
      read.authorityKeyIdentifier = authorityKeyIdentifier(reader).authorityKeyIdentifier;
    },
  ],
  // §5.2.2: other names of the issuer; there is nothing to do with them.
  [ExtensionOid.issuerAltName, (reader) => void derGeneralNames(reader)],
]);

/** CRLNumber — RFC 5280 §5.2.3: from 0, at most 20 octets. */
function derListNumber(reader: DerReader): bigint {
  const element = reader.element(DerTag.integer);
  const hex = derIntegerHex(element);
  if (element.contents.length > numberLengthMax || (element.contents[0] ?? 0) >= 0x80) {
    const detail = `expected a list number from 0 of at most ${numberLengthMax} octets`;
    throw reader.fault(`${detail} (RFC 5280 §5.2.3)`, element.contentsOffset);
  }
  return BigInt(`0x${hex}`);
}

const NO_EXTENSIONS: Readonly<ListExtensions> = {
  crlNumber: undefined,
  baseCrlNumber: undefined,
  authorityKeyIdentifier: undefined,
  issuingDistributionPoint: undefined,
  freshestCrl: [],
  unknownCritical: undefined,
};

/** Octets. */
const numberLengthMax = 20;
