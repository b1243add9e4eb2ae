import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import {
  bitString,
  boolean,
  explicit,
  integer,
  nullValue,
  objectIdentifier,
  octetString,
  sequence,
  time,
} from '../../src/tls-auth/der-writer.ts';
import { reloadUri } from '../../src/tls-auth/node-identity.ts';
import { KeyOid, SignatureOid } from '../../src/tls-auth/object-identifier.ts';
import type { NodeId } from '../../src/wire/node-id.ts';
import {
  authorityKeyIdentifier,
  basicConstraints,
  crlDistributionPoints,
  distinguishedName,
  generalName,
  keyUsage,
  subjectAltName,
  subjectKeyIdentifier,
  type TestExtension,
  type TestName,
} from './extension-maker.ts';

export interface TestKey {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

export type TestKeyKind = 'p256' | 'p384' | 'p521' | 'secp256k1' | 'rsa1024' | 'rsa2048';

/** All that stands in a certificate; whoever makes one changes what shall be wrong. */
export interface CertificateContent {
  /** The number on the wire: 2 is version 3; undefined leaves the field out. */
  readonly version: number | undefined;
  readonly serialNumber: bigint;
  readonly signatureOid: string;
  readonly issuer: TestName;
  readonly notBeforeUnixMs: number;
  readonly notAfterUnixMs: number;
  readonly subject: TestName;
  readonly subjectKey: KeyObject;
  /** By any name; undefined ones are left out. */
  readonly extensions: Readonly<Record<string, TestExtension | undefined>>;
}

export type ContentChange = (content: CertificateContent) => Partial<CertificateContent>;

/** Whoever can issue: a root or an intermediate. */
export interface TestAuthority {
  readonly certificate: Uint8Array;
  readonly name: TestName;
  readonly key: TestKey;
}

/** A leaf with its key. */
export interface TestLeaf {
  readonly certificate: Uint8Array;
  readonly key: TestKey;
}

/** A moment at which everything made here is valid, unless it says otherwise. */
export const TEST_UNIX_MS = Date.UTC(2026, 0, 1);

export function makeKey(kind: TestKeyKind = 'p256'): TestKey {
  switch (kind) {
    case 'rsa1024':
      return generateKeyPairSync('rsa', { modulusLength: 1024 });
    case 'rsa2048':
      return generateKeyPairSync('rsa', { modulusLength: 2048 });
    default:
      return generateKeyPairSync('ec', { namedCurve: curveNames[kind] });
  }
}

/** A self-signed root that obeys XEP-0416 §3.2 and RFC 5280. */
export function makeRoot(
  options: { readonly name?: string; readonly key?: TestKey; readonly change?: ContentChange } = {},
): TestAuthority {
  const key = options.key ?? makeKey();
  const name: TestName = [['CN', options.name ?? 'Test Root']];
  const content = contentOf(name, name, key.publicKey, key, {
    basicConstraints: basicConstraints(true),
    keyUsage: keyUsage('digitalSignature', 'keyCertSign', 'cRLSign'),
    subjectKeyIdentifier: subjectKeyIdentifier(key.publicKey),
  });
  const changed = { ...content, ...options.change?.(content) };
  return { certificate: issueCertificate(changed, key.privateKey), name: changed.subject, key };
}

/** An intermediate; with `domain` a domain-associated one (XEP-0416 §2). */
export function makeIntermediate(
  issuer: TestAuthority,
  options: {
    readonly name?: string;
    readonly key?: TestKey;
    readonly domain?: string;
    readonly pathLength?: number;
    readonly change?: ContentChange;
  } = {},
): TestAuthority {
  const key = options.key ?? makeKey();
  const { domain } = options;
  const name: TestName = [['CN', options.name ?? domain ?? 'Test Intermediate']];
  const pathLength = options.pathLength ?? (domain === undefined ? undefined : 0);
  const content = contentOf(issuer.name, name, key.publicKey, issuer.key, {
    basicConstraints: basicConstraints(true, pathLength),
    keyUsage: keyUsage('digitalSignature', 'keyCertSign', 'cRLSign'),
    subjectKeyIdentifier: subjectKeyIdentifier(key.publicKey),
    authorityKeyIdentifier: authorityKeyIdentifier(issuer.key.publicKey),
    crlDistributionPoints: crlDistributionPoints(TEST_CRL_URI),
    subjectAltName:
      domain === undefined ? undefined : subjectAltName([generalName.dnsName(domain)]),
  });
  const changed = { ...content, ...options.change?.(content) };
  const certificate = issueCertificate(changed, issuer.key.privateKey);
  return { certificate, name: changed.subject, key };
}

/** A user's certificate as XEP-0416 §3.2 wants it. */
export function makeLeaf(
  issuer: TestAuthority,
  options: {
    readonly jid?: string;
    readonly nodeId?: NodeId;
    readonly overlayName?: string;
    readonly key?: TestKey;
    readonly change?: ContentChange;
  } = {},
): TestLeaf {
  const key = options.key ?? makeKey();
  const jid = options.jid ?? 'juliet@capulet.lit';
  const nodeId = options.nodeId ?? testNodeId(1);
  const isAscii = Buffer.byteLength(jid) === jid.length;
  const names = [
    generalName.xmppAddr(jid),
    generalName.uri(reloadUri(nodeId, options.overlayName ?? 'xmpp.org')),
    ...(isAscii ? [generalName.rfc822Name(jid)] : []),
  ];
  const content = contentOf(issuer.name, [['CN', nodeId]], key.publicKey, issuer.key, {
    basicConstraints: basicConstraints(false),
    keyUsage: keyUsage('digitalSignature'),
    subjectKeyIdentifier: subjectKeyIdentifier(key.publicKey),
    authorityKeyIdentifier: authorityKeyIdentifier(issuer.key.publicKey),
    crlDistributionPoints: crlDistributionPoints(TEST_CRL_URI),
    subjectAltName: subjectAltName(names),
  });
  const changed = { ...content, ...options.change?.(content) };
  return { certificate: issueCertificate(changed, issuer.key.privateKey), key };
}

/** A user's certificate as RFC 6940 §11.3 wants it: no subject, reload URIs and the user name. */
export function makeRfc6940Leaf(
  issuer: TestAuthority,
  options: {
    readonly userName?: string;
    readonly nodeIds?: readonly NodeId[];
    readonly overlayName?: string;
    readonly key?: TestKey;
    readonly change?: ContentChange;
  } = {},
): TestLeaf {
  const nodeIds = options.nodeIds ?? [testNodeId(1)];
  const overlayName = options.overlayName ?? 'overlay.example.org';
  const names = [
    ...nodeIds.map((nodeId) => generalName.uri(reloadUri(nodeId, overlayName))),
    generalName.rfc822Name(options.userName ?? 'alice@example.org'),
  ];
  return makeLeaf(issuer, {
    ...(options.key === undefined ? {} : { key: options.key }),
    change: (content) => {
      const changed: CertificateContent = {
        ...content,
        subject: [],
        extensions: { ...content.extensions, subjectAltName: subjectAltName(names, true) },
      };
      return { ...changed, ...options.change?.(changed) };
    },
  });
}

/** A self-signed certificate — RFC 6940 §11.3.1; `nodeIds` are not checked against the key. */
export function makeSelfSigned(options: {
  readonly nodeIds: readonly NodeId[];
  readonly key: TestKey;
  readonly overlayName?: string;
  readonly change?: ContentChange;
}): TestLeaf {
  const issuer = { certificate: new Uint8Array(0), name: [], key: options.key };
  return makeRfc6940Leaf(issuer, options);
}

/** A certificate of this content, signed with any key by the algorithm that the content names. */
export function issueCertificate(content: CertificateContent, issuerKey: KeyObject): Uint8Array {
  const hash = hashNames[content.signatureOid] ?? 'sha256';
  const subjectPublicKeyInfo = content.subjectKey.export({ format: 'der', type: 'spki' });
  return certificateDer({ ...content, subjectPublicKeyInfo }, (tbs) => sign(hash, tbs, issuerKey));
}

/** The same from the DER of a public key, with a signature made in any way. */
export function certificateDer(
  content: Omit<CertificateContent, 'subjectKey'> & { readonly subjectPublicKeyInfo: Uint8Array },
  signBytes: (tbs: Uint8Array) => Uint8Array,
): Uint8Array {
  const algorithm = algorithmIdentifier(content.signatureOid);
  const version = content.version === undefined ? [] : [explicit(0, integer(content.version))];
  const extensions = Object.values(content.extensions).flatMap((one) =>
    one === undefined ? [] : [extensionDer(one)],
  );
  const tbs = sequence(
    ...version,
    integer(content.serialNumber),
    algorithm,
    distinguishedName(content.issuer),
    sequence(time(content.notBeforeUnixMs), time(content.notAfterUnixMs)),
    distinguishedName(content.subject),
    content.subjectPublicKeyInfo,
    ...(extensions.length === 0 ? [] : [explicit(3, sequence(...extensions))]),
  );
  return sequence(tbs, algorithm, bitString(signBytes(tbs)));
}

/** Wraps any bytes as the signed part of a certificate or revocation list. */
export function signTbs(tbs: Uint8Array, signatureOid: string, issuerKey: KeyObject): Uint8Array {
  const hash = hashNames[signatureOid] ?? 'sha256';
  return sequence(tbs, algorithmIdentifier(signatureOid), bitString(sign(hash, tbs, issuerKey)));
}

/** A Node-ID that is easy to tell in a failing test: 32 hex digits that begin with `number`. */
export function testNodeId(number: number): NodeId {
  return `${number.toString(16).padStart(4, '0')}${'a5'.repeat(14)}` as NodeId;
}

function contentOf(
  issuer: TestName,
  subject: TestName,
  subjectKey: KeyObject,
  issuerKey: TestKey,
  extensions: CertificateContent['extensions'],
): CertificateContent {
  return {
    version: 2,
    serialNumber: nextSerialNumber++,
    signatureOid:
      issuerKey.publicKey.asymmetricKeyType === 'rsa'
        ? SignatureOid.rsaWithSha256
        : SignatureOid.ecdsaWithSha256,
    issuer,
    notBeforeUnixMs: Date.UTC(2025, 0, 1),
    notAfterUnixMs: Date.UTC(2035, 0, 1),
    subject,
    subjectKey,
    extensions,
  };
}

/** Extension — RFC 5280 §4.1. */
export function extensionDer({ oid, critical, value }: TestExtension): Uint8Array {
  const flag = critical ? [boolean(true)] : [];
  return sequence(objectIdentifier(oid), ...flag, octetString(value));
}

/** AlgorithmIdentifier of a signature. */
export function algorithmIdentifier(signatureOid: string): Uint8Array {
  const isRsa = signatureOid.startsWith(KeyOid.rsa.slice(0, -1));
  return sequence(objectIdentifier(signatureOid), ...(isRsa ? [nullValue()] : []));
}

let nextSerialNumber = 1000n;

const TEST_CRL_URI = 'http://crl.example.org/test.crl';

const curveNames = {
  p256: 'prime256v1',
  p384: 'secp384r1',
  p521: 'secp521r1',
  secp256k1: 'secp256k1',
} as const;

const hashNames: Readonly<Record<string, string>> = {
  [SignatureOid.rsaWithSha384]: 'sha384',
  [SignatureOid.rsaWithSha512]: 'sha512',
  [SignatureOid.ecdsaWithSha384]: 'sha384',
  [SignatureOid.ecdsaWithSha512]: 'sha512',
  '1.2.840.113549.1.1.5': 'sha1',
  '1.2.840.10045.4.1': 'sha1',
};
