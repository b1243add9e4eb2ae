import { randomBytes } from 'node:crypto';
import type { AccountName } from '../../../src/ca/account-name.ts';
import {
  type CertificateContent,
  leafCertificateContent,
  rootCertificateContent,
  serialNumberFrom,
} from '../../../src/ca/certificate-content.ts';
import { type CertifiedKey, certifyKey } from '../../../src/host/authority/authority-keys.ts';
import { keyPairOf } from '../../../src/host/authority/signing-key.ts';
import { generatePrivateKey, type KeyType } from '../../../src/host/enrollment/enrollment-key.ts';
import type { LinkCredentials } from '../../../src/host/links/link-credentials.ts';
import { Authenticator } from '../../../src/tls-auth/authenticator.ts';
import type { NodeId } from '../../../src/wire/node-id.ts';

export const OVERLAY = 'xmpp.org';
const DAY_MS = 86_400_000;
const ROOT_NAME = 'test root';

/** A certificate authority for tests: it certifies whatever it is told to. */
export class TestAuthority {
  readonly root: CertifiedKey;

  static async create(): Promise<TestAuthority> {
    const key = keyPairOf(await generatePrivateKey('p256'));
    const now = Date.now();
    const validity = { notBeforeUnixMs: now - 30 * DAY_MS, notAfterUnixMs: now + 30 * DAY_MS };
    const content = rootCertificateContent(ROOT_NAME, serialNumber(), validity);
    return new TestAuthority(await certifyKey(key, content, key));
  }

  private constructor(root: CertifiedKey) {
    this.root = root;
  }

  get rootCertificates(): Uint8Array[] {
    return [this.root.certificate];
  }

  authenticator(): Authenticator {
    return new Authenticator({
      overlayName: OVERLAY,
      nodeIdLength: 16,
      profile: 'xep-0416',
      rootCertificates: this.rootCertificates,
      badNodes: new Set(),
      selfSignedDigest: undefined,
    });
  }

  /** A node's certificate with `changes` to what it would say. */
  async certify(
    nodeId: NodeId,
    userName = 'juliet@example.org',
    changes: (content: CertificateContent) => Partial<CertificateContent> = () => ({}),
    keyType: KeyType = 'p256',
  ): Promise<LinkCredentials> {
    const key = keyPairOf(await generatePrivateKey(keyType));
    const now = Date.now();
    const content = leafCertificateContent(
      'xep-0416',
      { overlayName: OVERLAY, userName: userName as AccountName, nodeIds: [nodeId] },
      ROOT_NAME,
      serialNumber(),
      { notBeforeUnixMs: now - DAY_MS, notAfterUnixMs: now + DAY_MS },
      'http://127.0.0.1/test.crl',
    );
    const certified = await certifyKey(key, { ...content, ...changes(content) }, this.root);
    return { privateKey: key.privateKey, chain: [certified.certificate] };
  }
}

export function nodeIdOf(byte: string): NodeId {
  return byte.repeat(16) as NodeId;
}

function serialNumber(): string {
  return serialNumberFrom(randomBytes(20));
}
