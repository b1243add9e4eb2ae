/** An overlay's authority and nodes with real keys and certificates, for tests of the store. */
import { generateKeyPairSync, type KeyObject, randomBytes, webcrypto } from 'node:crypto';
import '../../src/host/authority/reflect-metadata.ts';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';
import type { VerifiedValue } from '../../src/storage/store-request.ts';
import { Authenticator } from '../../src/tls-auth/authenticator.ts';
import { CertificateRefusal } from '../../src/tls-auth/certificate-refusal.ts';
import { signData } from '../../src/tls-auth/data-signature.ts';
import { createSigner, type Signer } from '../../src/tls-auth/signer.ts';
import type { VerifiedSigner } from '../../src/tls-auth/verified-signer.ts';
import { fromHex } from '../../src/wire/hex.ts';
import type { NodeId } from '../../src/wire/node-id.ts';
import type { ResourceId } from '../../src/wire/resource-id.ts';
import type { KindId, StoredData, StoredDataValue } from '../../src/wire/stored-data.ts';

export const OVERLAY_NAME = 'example.org';

/** When the tests play: ms since 1970. */
export const START_UNIX_MS = Date.UTC(2026, 0, 15);
const DAY_MS = 24 * 60 * 60 * 1000;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

interface CertificateOptions {
  readonly userName: string;
  readonly nodeId: NodeId;
  /** Default: 300 days after START_UNIX_MS. */
  readonly notAfterUnixMs?: number;
}

/** A node that can sign: its VerifiedSigner is what verifying its signatures gives. */
export interface TestNode {
  readonly signer: Signer;
  readonly verified: VerifiedSigner;
}

/** A root key, and an Authenticator that trusts it. */
export class TestAuthority {
  readonly authenticator: Authenticator;
  private readonly keys: webcrypto.CryptoKeyPair;

  private constructor(keys: webcrypto.CryptoKeyPair, root: Uint8Array) {
    this.keys = keys;
    this.authenticator = new Authenticator({
      overlayName: OVERLAY_NAME,
      nodeIdLength: 16,
      profile: 'rfc6940',
      rootCertificates: [root],
      badNodes: new Set(),
      selfSignedDigest: undefined,
    });
  }

  static async create(): Promise<TestAuthority> {
    const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
    const root = await X509CertificateGenerator.createSelfSigned({
      serialNumber: '01',
      name: 'CN=Root of the tests',
      notBefore: new Date(START_UNIX_MS - DAY_MS),
      notAfter: new Date(START_UNIX_MS + 3650 * DAY_MS),
      signingAlgorithm: ALGORITHM,
      keys,
      extensions: [
        new BasicConstraintsExtension(true, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
        await SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    return new TestAuthority(keys, new Uint8Array(root.rawData));
  }

  async node(options: CertificateOptions): Promise<TestNode> {
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const certificate = await this.issue(options, pair.publicKey);
    const node = this.authenticator.authenticate(certificate, [], START_UNIX_MS);
    if (node instanceof CertificateRefusal) throw new Error(JSON.stringify(node));
    const signer = createSigner(node, options.nodeId, pair.privateKey);
    return { signer, verified: { node, nodeId: options.nodeId } as VerifiedSigner };
  }

  private async issue(options: CertificateOptions, key: KeyObject): Promise<Uint8Array> {
    const spki = key.export({ format: 'der', type: 'spki' });
    const publicKey = await webcrypto.subtle.importKey('spki', spki, ALGORITHM, true, ['verify']);
    const certificate = await X509CertificateGenerator.create({
      serialNumber: `01${randomBytes(8).toString('hex')}`,
      subject: '',
      issuer: 'CN=Root of the tests',
      notBefore: new Date(START_UNIX_MS - DAY_MS),
      notAfter: new Date(options.notAfterUnixMs ?? START_UNIX_MS + 300 * DAY_MS),
      signingAlgorithm: ALGORITHM,
      publicKey,
      signingKey: this.keys.privateKey,
      extensions: [
        await AuthorityKeyIdentifierExtension.create(this.keys.publicKey),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new SubjectAlternativeNameExtension(
          [
            { type: 'url', value: `reload://0110${options.nodeId}@${OVERLAY_NAME}/` },
            { type: 'email', value: options.userName },
          ],
          true,
        ),
      ],
    });
    return new Uint8Array(certificate.rawData);
  }
}

export function testNodeId(digits: string): NodeId {
  return digits.repeat(32 / digits.length) as NodeId;
}

export interface ValueParts {
  readonly storageTime?: bigint;
  readonly lifetime?: number;
}

/** A value that `node` signed, as `verifyData` would hand it over. */
export function signedValue(
  node: TestNode,
  resource: ResourceId,
  kind: KindId,
  value: StoredDataValue,
  parts: ValueParts = {},
): VerifiedValue {
  const storageTime = parts.storageTime ?? BigInt(START_UNIX_MS);
  const data: StoredData = {
    storageTime,
    lifetime: parts.lifetime ?? 86_400,
    value,
    signature: signData(node.signer, resource, kind, storageTime, value),
  };
  return { data, signer: node.verified };
}

/** `exists = True` with the bytes of a text; without one, what removes a value. */
function dataValue(text: string | undefined): StoredDataValue['value'] {
  const value = text === undefined ? new Uint8Array(0) : new TextEncoder().encode(text);
  return { exists: text !== undefined, value };
}

export function single(text: string | undefined): StoredDataValue {
  return { model: 'single', value: dataValue(text) };
}

export function arrayEntry(index: number, text: string | undefined): StoredDataValue {
  return { model: 'array', index, value: dataValue(text) };
}

export function dictionaryEntry(keyHex: string, text: string | undefined): StoredDataValue {
  return { model: 'dictionary', key: fromHex(keyHex), value: dataValue(text) };
}
