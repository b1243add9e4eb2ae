/** Certificates of XEP-0416's profile out of nothing, synchronously: for tests. */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { Authenticator } from '../../src/tls-auth/authenticator.ts';
import { CertificateRefusal } from '../../src/tls-auth/certificate-refusal.ts';
import { reloadUri } from '../../src/tls-auth/node-identity.ts';
import { createSigner, type Signer } from '../../src/tls-auth/signer.ts';
import type { NodeId } from '../../src/wire/node-id.ts';

export interface TestCertificate {
  readonly der: Uint8Array;
  readonly privateKey: KeyObject;
}

/** When certificates of tests are valid from, and for how long unless they say otherwise. */
export const TEST_TIME_UNIX_MS = Date.UTC(2026, 5, 1);
const NOT_BEFORE_UNIX_MS = Date.UTC(2026, 0, 1);
const NOT_AFTER_UNIX_MS = Date.UTC(2036, 0, 1);

export class TestAuthority {
  readonly overlayName: string;
  readonly root: TestCertificate;
  private readonly name: Buffer;
  private readonly keyIdentifier: Buffer;

  constructor(overlayName: string) {
    this.overlayName = overlayName;
    this.name = commonName(`Root of ${overlayName}`);
    const key = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.keyIdentifier = keyIdentifierOf(key.publicKey);
    const extensions = [
      extension('2.5.29.19', true, sequence(tlv(0x01, [0xff]))),
      extension('2.5.29.15', true, tlv(0x03, [1, 0x86])),
      extension('2.5.29.14', false, tlv(0x04, this.keyIdentifier)),
    ];
    const der = this.certificate(this.name, key.publicKey, extensions, key.privateKey);
    this.root = { der, privateKey: key.privateKey };
  }

  /** A leaf for `jid` and `nodeId`. */
  issue(jid: string, nodeId: string, notAfterUnixMs = NOT_AFTER_UNIX_MS): TestCertificate {
    const key = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const uri = reloadUri(nodeId as NodeId, this.overlayName);
    const xmppAddr = tlv(0xa0, objectIdentifier(XMPP_ADDR), tlv(0xa0, tlv(0x0c, Buffer.from(jid))));
    const names = sequence(tlv(0x86, Buffer.from(uri)), xmppAddr, tlv(0x81, Buffer.from(jid)));
    const crlUri = tlv(0x86, Buffer.from(`https://${this.overlayName}/crl`));
    const extensions = [
      extension('2.5.29.15', true, tlv(0x03, [7, 0x80])),
      extension('2.5.29.17', false, names),
      extension('2.5.29.31', false, sequence(sequence(tlv(0xa0, tlv(0xa0, crlUri))))),
      extension('2.5.29.14', false, tlv(0x04, keyIdentifierOf(key.publicKey))),
      extension('2.5.29.35', false, sequence(tlv(0x80, this.keyIdentifier))),
    ];
    const subject = commonName(nodeId);
    const { privateKey } = this.root;
    const der = this.certificate(subject, key.publicKey, extensions, privateKey, notAfterUnixMs);
    return { der, privateKey: key.privateKey };
  }

  /** A signer whose Node-ID is 16 times `byte`. */
  signer(byte: number, notAfterUnixMs = NOT_AFTER_UNIX_MS): Signer {
    const nodeId = Buffer.alloc(16, byte).toString('hex') as NodeId;
    const leaf = this.issue(`signer${byte}@${this.overlayName}`, nodeId, notAfterUnixMs);
    const node = this.authenticator().authenticate(leaf.der, [], TEST_TIME_UNIX_MS);
    if (node instanceof CertificateRefusal) throw new Error(node.describe());
    return createSigner(node, nodeId, leaf.privateKey);
  }

  /** Trusts this authority alone. */
  authenticator(): Authenticator {
    return new Authenticator({
      overlayName: this.overlayName,
      nodeIdLength: 16,
      profile: 'xep-0416',
      rootCertificates: [this.root.der],
      badNodes: new Set(),
      selfSignedDigest: undefined,
    });
  }

  private certificate(
    subject: Buffer,
    publicKey: KeyObject,
    extensions: Buffer[],
    signingKey: KeyObject,
    notAfterUnixMs = NOT_AFTER_UNIX_MS,
  ): Uint8Array {
    const serial = Buffer.concat([Buffer.from([1]), randomBytes(8)]);
    const body = sequence(
      tlv(0xa0, tlv(0x02, [2])),
      tlv(0x02, serial),
      sequence(objectIdentifier(ECDSA_WITH_SHA256)),
      this.name,
      sequence(utcTime(NOT_BEFORE_UNIX_MS), utcTime(notAfterUnixMs)),
      subject,
      publicKey.export({ format: 'der', type: 'spki' }),
      tlv(0xa3, sequence(...extensions)),
    );
    const signature = sign('sha256', body, signingKey);
    const algorithm = sequence(objectIdentifier(ECDSA_WITH_SHA256));
    return new Uint8Array(sequence(body, algorithm, tlv(0x03, [0], signature)));
  }
}

function extension(oid: string, isCritical: boolean, value: Buffer): Buffer {
  const critical = isCritical ? [tlv(0x01, [0xff])] : [];
  return sequence(objectIdentifier(oid), ...critical, tlv(0x04, value));
}

function commonName(text: string): Buffer {
  const attribute = sequence(objectIdentifier('2.5.4.3'), tlv(0x0c, Buffer.from(text)));
  return sequence(tlv(0x31, attribute));
}

function keyIdentifierOf(publicKey: KeyObject): Buffer {
  const der = publicKey.export({ format: 'der', type: 'spki' });
  return createHash('sha256').update(der).digest().subarray(0, 20);
}

function utcTime(unixMs: number): Buffer {
  const digits = new Date(unixMs).toISOString().replace(/\D/g, '');
  return tlv(0x17, Buffer.from(`${digits.slice(2, 14)}Z`));
}

function objectIdentifier(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const groups = [arc & 0x7f];
    for (let left = arc >> 7; left > 0; left >>= 7) groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return tlv(0x06, bytes);
}

function sequence(...parts: Uint8Array[]): Buffer {
  return tlv(0x30, ...parts);
}

function tlv(tag: number, ...parts: (Uint8Array | number[])[]): Buffer {
  const contents = Buffer.concat(parts.map((part) => Uint8Array.from(part)));
  const { length } = contents;
  const header = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : undefined;
  return Buffer.concat([
    Buffer.from([tag, ...(header ?? [0x82, length >> 8, length & 0xff])]),
    contents,
  ]);
}

const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';
const XMPP_ADDR = '1.3.6.1.5.5.7.8.5';
