import {
  type BasicConstraints,
  type CertificateExtension,
  type CertificateExtensions,
  type GeneralSubtree,
  KEY_USAGE_BITS,
  type KeyUsageBit,
  type NameConstraints,
  type PolicyConstraints,
  type ReadExtensions,
} from './certificate-extension.ts';
import { contextConstructed, contextPrimitive, type DerReader, DerTag } from './der-reader.ts';
import { derSequenceOf } from './der-sequence.ts';
import {
  derBoolean,
  derIntegerHex,
  derNamedBits,
  derObjectIdentifier,
  derSmallInteger,
} from './der-value.ts';
import { derDistributionPoint } from './distribution-point.ts';
import { derGeneralName, derGeneralNames, type GeneralNames } from './general-name.ts';
import { ExtensionOid } from './object-identifier.ts';
import { derCertificatePolicies, derPolicyMapping } from './policy-extension.ts';

/**
 * Extensions — RFC 5280 §4.1.2.9 and §4.2: each at most once; those in `ReadExtensions` are read
 * strictly, critical or not, the others are kept as bytes. Throws MalformedDer.
 */
export function derExtensions(reader: DerReader): CertificateExtensions {
  let read: ReadExtensions = {};
  const all = derExtensionList(reader, ({ oid }, value) => {
    const readExtension = extensionReaders.get(oid);
    if (readExtension === undefined) return;
    read = { ...read, ...readExtension(value) };
    value.expectEnd();
  });
  return { ...read, all };
}

/**
 * `Extensions`: each at most once; `visit` gets each of them with a reader of its value. Throws
 * MalformedDer.
 */
export function derExtensionList(
  reader: DerReader,
  visit: (extension: CertificateExtension, value: DerReader) => void,
): CertificateExtension[] {
  const inner = reader.enter(DerTag.sequence);
  const all: CertificateExtension[] = [];
  const seen = new Set<string>();
  do {
    if (all.length >= extensionsMax) {
      throw inner.beyond('extensionsMax', extensionsMax, 'extensions');
    }
    const pair = inner.enter(DerTag.sequence);
    const oid = derObjectIdentifier(pair.element(DerTag.objectIdentifier));
    if (seen.has(oid)) throw pair.fault(`a second extension ${oid} (RFC 5280 §4.2)`);
    seen.add(oid);
    const critical = pair.peekTag() === DerTag.boolean && criticalFlag(pair);
    const octets = pair.element(DerTag.octetString);
    pair.expectEnd();
    const extension = { oid, critical, value: octets.contents };
    all.push(extension);
    visit(extension, pair.inside(octets));
  } while (!inner.atEnd);
  return all;
}

/** `BOOLEAN DEFAULT FALSE`: DER never writes the default (X.690 §11.5). */
function criticalFlag(reader: DerReader): true {
  if (!derBoolean(reader)) throw reader.fault('critical FALSE is written out');
  return true;
}

const extensionReaders = new Map<string, (reader: DerReader) => ReadExtensions>([
  [ExtensionOid.subjectAltName, (reader) => ({ subjectAltName: subjectAltName(reader) })],
  [ExtensionOid.issuerAltName, (reader) => ({ issuerAltName: derGeneralNames(reader) })],
  [ExtensionOid.basicConstraints, (reader) => ({ basicConstraints: basicConstraints(reader) })],
  [ExtensionOid.keyUsage, (reader) => ({ keyUsage: keyUsage(reader) })],
  [ExtensionOid.extendedKeyUsage, (reader) => ({ extendedKeyUsage: keyPurposes(reader) })],
  [
    ExtensionOid.crlDistributionPoints,
    (reader) => ({ crlDistributionPoints: derSequenceOf(reader, derDistributionPoint) }),
  ],
  [ExtensionOid.nameConstraints, (reader) => ({ nameConstraints: nameConstraints(reader) })],
  [
    ExtensionOid.certificatePolicies,
    (reader) => ({ certificatePolicies: derCertificatePolicies(reader) }),
  ],
  [
    ExtensionOid.policyMappings,
    (reader) => ({ policyMappings: derSequenceOf(reader, derPolicyMapping) }),
  ],
  [ExtensionOid.policyConstraints, (reader) => ({ policyConstraints: policyConstraints(reader) })],
  [
    ExtensionOid.inhibitAnyPolicy,
    (reader) => ({ inhibitAnyPolicy: derSmallInteger(reader.element(DerTag.integer)) }),
  ],
  [ExtensionOid.authorityKeyIdentifier, authorityKeyIdentifier],
  [
    ExtensionOid.subjectKeyIdentifier,
    (reader) => ({ subjectKeyIdentifier: reader.element(DerTag.octetString).contents }),
  ],
]);

/** RFC 5280 §4.2.1.6: addresses have 4 or 16 bytes. */
function subjectAltName(reader: DerReader): GeneralNames {
  const names = derGeneralNames(reader);
  for (const octets of names.ipAddresses) {
    if (octets.length !== 4 && octets.length !== 16) {
      throw reader.fault(`an iPAddress of ${octets.length} bytes`);
    }
  }
  return names;
}

function basicConstraints(reader: DerReader): BasicConstraints {
  const inner = reader.enter(DerTag.sequence);
  const isCa = inner.peekTag() === DerTag.boolean && derBoolean(inner);
  const length = inner.optional(DerTag.integer);
  inner.expectEnd();
  return { isCa, pathLength: length === undefined ? undefined : derSmallInteger(length) };
}

/** RFC 5280 §4.2.1.3: at least one bit is set. */
function keyUsage(reader: DerReader): ReadonlySet<KeyUsageBit> {
  const bits = derNamedBits(reader.element(DerTag.bitString));
  const names = bits.flatMap((bit) => KEY_USAGE_BITS[bit] ?? []);
  if (names.length === 0) throw reader.fault('keyUsage without any bit');
  return new Set(names);
}

function keyPurposes(reader: DerReader): string[] {
  return derSequenceOf(reader, (inner) =>
    derObjectIdentifier(inner.element(DerTag.objectIdentifier)),
  );
}

/** RFC 5280 §4.2.1.10: one list at least, and no list is empty. */
function nameConstraints(reader: DerReader): NameConstraints {
  const inner = reader.enter(DerTag.sequence);
  const list = (tag: number): GeneralSubtree[] =>
    inner.peekTag() === tag ? derSequenceOf(inner, generalSubtree, tag) : [];
  const permitted = list(contextConstructed(0));
  const excluded = list(contextConstructed(1));
  inner.expectEnd();
  if (permitted.length + excluded.length === 0) throw reader.fault('nameConstraints are empty');
  return { permitted, excluded };
}

function generalSubtree(reader: DerReader): GeneralSubtree {
  const inner = reader.enter(DerTag.sequence);
  const base = derGeneralName(inner);
  const minimum = inner.optional(contextPrimitive(0));
  const maximum = inner.optional(contextPrimitive(1));
  inner.expectEnd();
  const isZero = minimum === undefined || derSmallInteger(minimum) === 0;
  return { base, isPlain: isZero && maximum === undefined };
}

function policyConstraints(reader: DerReader): PolicyConstraints {
  const inner = reader.enter(DerTag.sequence);
  const require = inner.optional(contextPrimitive(0));
  const inhibit = inner.optional(contextPrimitive(1));
  inner.expectEnd();
  if (require === undefined && inhibit === undefined) {
    throw reader.fault('policyConstraints are empty');
  }
  return {
    requireExplicitPolicy: require === undefined ? undefined : derSmallInteger(require),
    inhibitPolicyMapping: inhibit === undefined ? undefined : derSmallInteger(inhibit),
  };
}

/** RFC 5280 §4.2.1.1: issuer and serial number stand together or not at all. */
export function authorityKeyIdentifier(reader: DerReader): ReadExtensions {
  const inner = reader.enter(DerTag.sequence);
  const keyIdentifier = inner.optional(contextPrimitive(0))?.contents;
  const hasIssuer = inner.peekTag() === contextConstructed(1);
  const issuer = hasIssuer ? derGeneralNames(inner, contextConstructed(1)) : undefined;
  const serial = inner.optional(contextPrimitive(2));
  inner.expectEnd();
  if ((issuer === undefined) !== (serial === undefined)) {
    throw reader.fault('an issuer without serial number, or the other way');
  }
  const serialNumber = serial === undefined ? undefined : derIntegerHex(serial);
  return { authorityKeyIdentifier: { keyIdentifier, issuer, serialNumber } };
}

const extensionsMax = 64;
