/** An overlay's authority and nodes with real keys and certificates, for tests of the store. */
import {
  makeKey,
  makeRfc6940Leaf,
  makeRoot,
  type TestAuthority as Root,
} from '../../sim/certificates/certificate-maker.ts';
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
  private readonly root: Root;

  private constructor(root: Root) {
    this.root = root;
    this.authenticator = new Authenticator({
      overlayName: OVERLAY_NAME,
      nodeIdLength: 16,
      profile: 'rfc6940',
      rootCertificates: [root.certificate],
      badNodes: new Set(),
      selfSignedDigest: undefined,
    });
  }

  static async create(): Promise<TestAuthority> {
    return new TestAuthority(makeRoot({ name: 'Root of the tests' }));
  }

  async node(options: CertificateOptions): Promise<TestNode> {
    const { userName, nodeId } = options;
    const key = makeKey();
    const notBeforeUnixMs = START_UNIX_MS - DAY_MS;
    const notAfterUnixMs = options.notAfterUnixMs ?? START_UNIX_MS + 300 * DAY_MS;
    const { certificate } = makeRfc6940Leaf(this.root, {
      userName,
      nodeIds: [nodeId],
      overlayName: OVERLAY_NAME,
      key,
      change: () => ({ notBeforeUnixMs, notAfterUnixMs }),
    });
    const node = this.authenticator.authenticate(certificate, [], START_UNIX_MS);
    if (node instanceof CertificateRefusal) throw new Error(JSON.stringify(node));
    const signer = createSigner(node, nodeId, key.privateKey);
    return { signer, verified: { node, nodeId } as VerifiedSigner };
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
