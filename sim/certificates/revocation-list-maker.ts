import type { KeyObject } from 'node:crypto';
import {
  bitString,
  der,
  explicit,
  implicit,
  integer,
  namedBits,
  sequence,
  time,
} from '../../src/tls-auth/der-writer.ts';
import {
  ExtensionOid,
  ListExtensionOid,
  SignatureOid,
} from '../../src/tls-auth/object-identifier.ts';
import { REVOCATION_REASONS, type RevocationReason } from '../../src/tls-auth/revoked-entries.ts';
import {
  algorithmIdentifier,
  extensionDer,
  signTbs,
  type TestAuthority,
} from './certificate-maker.ts';
import {
  authorityKeyIdentifier,
  distinguishedName,
  extension,
  generalName,
  type TestExtension,
  type TestName,
} from './extension-maker.ts';

/** An entry to put into a list. */
export interface TestEntry {
  readonly serialNumber: bigint;
  readonly revokedUnixMs: number;
  readonly extensions: readonly TestExtension[];
}

/** All that stands in a list; whoever makes one changes what shall be wrong. */
export interface ListContent {
  /** The number on the wire: 1 is version 2; undefined leaves the field out. */
  readonly version: number | undefined;
  readonly signatureOid: string;
  readonly issuer: TestName;
  readonly thisUpdateUnixMs: number;
  readonly nextUpdateUnixMs: number | undefined;
  /** Undefined leaves revokedCertificates out. */
  readonly entries: readonly TestEntry[] | undefined;
  /** By any name; undefined ones are left out. */
  readonly extensions: Readonly<Record<string, TestExtension | undefined>>;
}

export type ListChange = (content: ListContent) => Partial<ListContent>;

/** A complete list of `issuer`, current at TEST_UNIX_MS, that names these entries. */
export function makeList(
  issuer: TestAuthority,
  entries: readonly TestEntry[] = [],
  change?: ListChange,
): Uint8Array {
  const { publicKey, privateKey } = issuer.key;
  const content: ListContent = {
    version: 1,
    signatureOid:
      publicKey.asymmetricKeyType === 'rsa'
        ? SignatureOid.rsaWithSha256
        : SignatureOid.ecdsaWithSha256,
    issuer: issuer.name,
    thisUpdateUnixMs: Date.UTC(2025, 11, 31),
    nextUpdateUnixMs: Date.UTC(2026, 0, 7),
    entries: entries.length === 0 ? undefined : entries,
    extensions: {
      authorityKeyIdentifier: authorityKeyIdentifier(publicKey),
      listNumber: listNumber(1),
    },
  };
  return issueList({ ...content, ...change?.(content) }, privateKey);
}

/** A list of this content, signed with any key. */
export function issueList(content: ListContent, key: KeyObject): Uint8Array {
  return signTbs(tbsCertList(content), content.signatureOid, key);
}

/** The same, signed by whatever signs. */
export function listDer(
  content: ListContent,
  signBytes: (tbs: Uint8Array) => Uint8Array,
): Uint8Array {
  const tbs = tbsCertList(content);
  return sequence(tbs, algorithmIdentifier(content.signatureOid), bitString(signBytes(tbs)));
}

function tbsCertList(content: ListContent): Uint8Array {
  const { version, entries, nextUpdateUnixMs } = content;
  const extensions = Object.values(content.extensions).flatMap((one) =>
    one === undefined ? [] : [extensionDer(one)],
  );
  return sequence(
    ...(version === undefined ? [] : [integer(version)]),
    algorithmIdentifier(content.signatureOid),
    distinguishedName(content.issuer),
    time(content.thisUpdateUnixMs),
    ...(nextUpdateUnixMs === undefined ? [] : [time(nextUpdateUnixMs)]),
    ...(entries === undefined ? [] : [der(0x30, Buffer.concat(entries.map(entryDer)))]),
    ...(extensions.length === 0 ? [] : [explicit(0, sequence(...extensions))]),
  );
}

/** An entry; without a reason it has no reasonCode. */
export function entryOf(
  serialNumber: bigint,
  reason?: RevocationReason,
  ...extensions: readonly TestExtension[]
): TestEntry {
  const reasons = reason === undefined ? [] : [reasonCode(REVOCATION_REASONS.indexOf(reason))];
  return {
    serialNumber,
    revokedUnixMs: Date.UTC(2025, 10, 3),
    extensions: [...reasons, ...extensions],
  };
}

export function reasonCode(number: number): TestExtension {
  return extension(ListExtensionOid.reasonCode, der(0x0a, Uint8Array.of(number)));
}

/** GeneralizedTime, whatever the year. */
export function invalidityDate(unixMs: number): TestExtension {
  const digits = new Date(unixMs).toISOString().replace(/[-:T]|\.\d+/g, '');
  return extension(ListExtensionOid.invalidityDate, der(0x18, Buffer.from(digits)));
}

export function certificateIssuer(name: TestName): TestExtension {
  const value = sequence(generalName.directoryName(name));
  return extension(ListExtensionOid.certificateIssuer, value, true);
}

export function listNumber(number: bigint | number): TestExtension {
  return extension(ListExtensionOid.crlNumber, integer(number));
}

export function deltaIndicator(baseNumber: bigint | number): TestExtension {
  return extension(ListExtensionOid.deltaCrlIndicator, integer(baseNumber), true);
}

/** The name of a distribution point: GeneralNames, or one relative name `[type, text]`. */
export interface TestPointName {
  readonly fullName?: readonly Uint8Array[];
  readonly relativeName?: readonly [type: string, text: string];
}

export interface TestPoint extends TestPointName {
  readonly reasons?: readonly number[];
  readonly crlIssuer?: TestName;
}

export function distributionPoints(points: readonly TestPoint[], oid?: string): TestExtension {
  const ders = points.map((point) =>
    sequence(
      ...pointName(point),
      ...(point.reasons === undefined ? [] : [reasonFlags(1, point.reasons)]),
      ...(point.crlIssuer === undefined
        ? []
        : [explicit(2, generalName.directoryName(point.crlIssuer))]),
    ),
  );
  return extension(oid ?? ExtensionOid.crlDistributionPoints, sequence(...ders));
}

export interface TestScope extends TestPointName {
  /** The tag numbers 1, 2 and 5 of the fields "only contains". */
  readonly onlyContains?: readonly (1 | 2 | 5)[];
  readonly reasons?: readonly number[];
  readonly isIndirect?: boolean;
}

export function issuingDistributionPoint(scope: TestScope): TestExtension {
  const flag = (number: number) => [implicit(number, Uint8Array.of(0xff))];
  const only = (number: 1 | 2 | 5) =>
    scope.onlyContains?.includes(number) === true ? flag(number) : [];
  const value = sequence(
    ...pointName(scope),
    ...only(1),
    ...only(2),
    ...(scope.reasons === undefined ? [] : [reasonFlags(3, scope.reasons)]),
    ...(scope.isIndirect === true ? flag(4) : []),
    ...only(5),
  );
  return extension(ListExtensionOid.issuingDistributionPoint, value, true);
}

function pointName({ fullName, relativeName }: TestPointName): Uint8Array[] {
  if (fullName !== undefined) return [explicit(0, explicit(0, ...fullName))];
  if (relativeName === undefined) return [];
  // The SET inside the SEQUENCE of a name with one part, under an IMPLICIT tag.
  const set = distinguishedName([relativeName]).subarray(2);
  return [explicit(0, explicit(1, set.subarray(2)))];
}

function reasonFlags(tagNumber: number, reasons: readonly number[]): Uint8Array {
  return implicit(tagNumber, namedBits(reasons).subarray(2));
}

function entryDer({ serialNumber, revokedUnixMs, extensions }: TestEntry): Uint8Array {
  const parts = extensions.map(extensionDer);
  const last = parts.length === 0 ? [] : [sequence(...parts)];
  return sequence(integer(serialNumber), time(revokedUnixMs), ...last);
}
