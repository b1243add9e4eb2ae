import { createHash, type KeyObject } from 'node:crypto';
import { KEY_USAGE_BITS, type KeyUsageBit } from '../../src/tls-auth/certificate-extension.ts';
import {
  boolean,
  explicit,
  implicit,
  integer,
  namedBits,
  objectIdentifier,
  octetString,
  sequence,
  set,
  utf8String,
} from '../../src/tls-auth/der-writer.ts';
import { ExtensionOid, XMPP_ADDR_OID } from '../../src/tls-auth/object-identifier.ts';

/** An extension to put into a certificate; `value` is its own DER. */
export interface TestExtension {
  readonly oid: string;
  readonly critical: boolean;
  readonly value: Uint8Array;
}

/** Attributes of a distinguished name, each a relative name of its own: `[['CN', 'juliet']]`. */
export type TestName = readonly (readonly [type: string, text: string])[];

/** GeneralNames by form, for subjectAltName and name constraints. */
export const generalName = {
  uri: (text: string) => implicit(6, Buffer.from(text, 'latin1')),
  rfc822Name: (text: string) => implicit(1, Buffer.from(text, 'latin1')),
  dnsName: (text: string) => implicit(2, Buffer.from(text, 'latin1')),
  ipAddress: (...octets: readonly number[]) => implicit(7, Uint8Array.from(octets)),
  directoryName: (name: TestName) => explicit(4, distinguishedName(name)),
  registeredId: (oid: string) => implicit(8, objectIdentifier(oid).subarray(2)),
  otherName: (oid: string, value: Uint8Array) =>
    explicit(0, objectIdentifier(oid), explicit(0, value)),
  xmppAddr: (jid: string) => generalName.otherName(XMPP_ADDR_OID, utf8String(jid)),
};

export function extension(oid: string, value: Uint8Array, critical = false): TestExtension {
  return { oid, critical, value };
}

export function subjectAltName(names: readonly Uint8Array[], critical = false): TestExtension {
  return extension(ExtensionOid.subjectAltName, sequence(...names), critical);
}

export function basicConstraints(
  isCa: boolean,
  pathLength?: number,
  critical = true,
): TestExtension {
  const parts = isCa ? [boolean(true)] : [];
  if (pathLength !== undefined) parts.push(integer(pathLength));
  return extension(ExtensionOid.basicConstraints, sequence(...parts), critical);
}

export function keyUsage(...bits: readonly KeyUsageBit[]): TestExtension {
  const value = namedBits(bits.map((bit) => KEY_USAGE_BITS.indexOf(bit)));
  return extension(ExtensionOid.keyUsage, value, true);
}

export function extendedKeyUsage(...purposes: readonly string[]): TestExtension {
  return extension(ExtensionOid.extendedKeyUsage, sequence(...purposes.map(objectIdentifier)));
}

export function crlDistributionPoints(...uris: readonly string[]): TestExtension {
  const points = uris.map((uri) => sequence(explicit(0, explicit(0, generalName.uri(uri)))));
  return extension(ExtensionOid.crlDistributionPoints, sequence(...points));
}

export function nameConstraints(
  permitted: readonly Uint8Array[],
  excluded: readonly Uint8Array[],
): TestExtension {
  const lists: Uint8Array[] = [];
  const subtrees = (bases: readonly Uint8Array[]) => bases.map((base) => sequence(base));
  if (permitted.length > 0) lists.push(explicit(0, ...subtrees(permitted)));
  if (excluded.length > 0) lists.push(explicit(1, ...subtrees(excluded)));
  return extension(ExtensionOid.nameConstraints, sequence(...lists), true);
}

export function subjectKeyIdentifier(publicKey: KeyObject | Uint8Array): TestExtension {
  return extension(ExtensionOid.subjectKeyIdentifier, octetString(keyIdentifier(publicKey)));
}

export function authorityKeyIdentifier(publicKey: KeyObject | Uint8Array): TestExtension {
  const value = sequence(implicit(0, keyIdentifier(publicKey)));
  return extension(ExtensionOid.authorityKeyIdentifier, value);
}

export function distinguishedName(name: TestName): Uint8Array {
  const relativeNames = name.map(([type, text]) =>
    set(sequence(objectIdentifier(attributeTypes[type] ?? type), utf8String(text))),
  );
  return sequence(...relativeNames);
}

/** Of a key, or of its SubjectPublicKeyInfo in DER. */
function keyIdentifier(publicKey: KeyObject | Uint8Array): Uint8Array {
  const isDer = publicKey instanceof Uint8Array;
  const spki = isDer ? publicKey : publicKey.export({ format: 'der', type: 'spki' });
  return createHash('sha256').update(spki).digest().subarray(0, 20);
}

const attributeTypes: Readonly<Record<string, string>> = {
  CN: '2.5.4.3',
  O: '2.5.4.10',
  OU: '2.5.4.11',
  C: '2.5.4.6',
  emailAddress: '1.2.840.113549.1.9.1',
};
