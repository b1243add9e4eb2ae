import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { extensionDer } from '../../sim/certificates/certificate-maker.ts';
import {
  distinguishedName,
  type TestExtension,
  type TestName,
} from '../../sim/certificates/extension-maker.ts';
import {
  bitString,
  explicit,
  integer,
  objectIdentifier,
  sequence,
  set,
} from '../../src/tls-auth/der-writer.ts';
import { SignatureOid } from '../../src/tls-auth/object-identifier.ts';

export const REQUEST_KEY = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;

interface RequestParts {
  readonly subject?: TestName;
  readonly wishes?: readonly TestExtension[];
  /** How many times the extensionRequest stands there. */
  readonly times?: number;
  readonly key?: KeyObject;
  readonly publicKey?: Uint8Array;
  readonly version?: number;
  readonly signatureOid?: string;
  readonly hash?: string;
}

/** A PKCS #10 request (RFC 2986) that says whatever a test wants. */
export function makeRequest(parts: RequestParts = {}): Uint8Array {
  const { subject = [], wishes = [], times = 1, key = REQUEST_KEY, version = 0 } = parts;
  const list = sequence(...wishes.map(extensionDer));
  const attribute = sequence(objectIdentifier('1.2.840.113549.1.9.14'), set(list));
  const attributes = wishes.length === 0 ? [] : Array.from({ length: times }, () => attribute);
  const info = sequence(
    integer(version),
    distinguishedName(subject),
    parts.publicKey ?? keyDer(key),
    explicit(0, ...attributes),
  );
  const oid = parts.signatureOid ?? SignatureOid.ecdsaWithSha256;
  const signature = sign(parts.hash ?? 'sha256', info, key);
  return sequence(info, sequence(objectIdentifier(oid)), bitString(signature));
}

export function keyDer(key: KeyObject): Uint8Array {
  const { x = '', y = '' } = key.export({ format: 'jwk' });
  const point = Buffer.concat([
    Uint8Array.of(4),
    Buffer.from(x, 'base64url'),
    Buffer.from(y, 'base64url'),
  ]);
  const algorithm = sequence(
    objectIdentifier('1.2.840.10045.2.1'),
    objectIdentifier('1.2.840.10045.3.1.7'),
  );
  return sequence(algorithm, bitString(point));
}
