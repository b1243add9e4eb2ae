import { describe, expect, test } from 'vitest';
import {
  type ContentChange,
  makeKey,
  makeLeaf,
  makeRfc6940Leaf,
  makeRoot,
  makeSelfSigned,
  TEST_UNIX_MS,
  type TestKey,
  type TestLeaf,
  testNodeId,
} from '../../sim/certificates/certificate-maker.ts';
import {
  extension,
  generalName,
  keyUsage,
  subjectAltName,
} from '../../sim/certificates/extension-maker.ts';
import { Authenticator } from '../../src/tls-auth/authenticator.ts';
import { leafIdentity, profileFaults } from '../../src/tls-auth/certificate-profile.ts';
import { CertificateRefusal } from '../../src/tls-auth/certificate-refusal.ts';
import { integer } from '../../src/tls-auth/der-writer.ts';
import { reloadUri, selfSignedNodeId } from '../../src/tls-auth/node-identity.ts';
import type { ProfileRules } from '../../src/tls-auth/profile-rule.ts';
import type { TrustSettings } from '../../src/tls-auth/trust-settings.ts';
import type { NodeId } from '../../src/wire/node-id.ts';
import { read } from './path-fixtures.ts';
import { testTrustSettings } from './test-node.ts';

const OVERLAY = 'overlay.example.org';
const rules: ProfileRules = { profile: 'rfc6940', overlayName: OVERLAY, nodeIdLength: 16 };
const root = makeRoot();
const USER = generalName.rfc822Name('alice@example.org');
const node = (number: number) => generalName.uri(reloadUri(testNodeId(number), OVERLAY));

function namesWith(...names: readonly Uint8Array[]): ContentChange {
  return ({ extensions }) => ({
    extensions: { ...extensions, subjectAltName: subjectAltName(names, true) },
  });
}

function broken(change: ContentChange): string[] {
  const leaf = read(makeRfc6940Leaf(root, { change }));
  return profileFaults(leaf, 'leaf', rules).map(({ name }) => name);
}

function authenticated(leaf: TestLeaf, others: Partial<TrustSettings> = {}) {
  const settings = testTrustSettings([root], {
    overlayName: OVERLAY,
    profile: 'rfc6940',
    ...others,
  });
  return new Authenticator(settings).authenticate(leaf.certificate, [], TEST_UNIX_MS);
}

function code(leaf: TestLeaf, others: Partial<TrustSettings> = {}): string {
  const result = authenticated(leaf, others);
  return result instanceof CertificateRefusal ? result.code : 'valid';
}

describe('RFC 6940 §11.3: what the certificate of a user holds', () => {
  test('Node-IDs and the user name make the identity', () => {
    const leaf = makeRfc6940Leaf(root, { nodeIds: [testNodeId(1), testNodeId(2)] });
    expect(broken(({ extensions }) => ({ extensions }))).toEqual([]);
    expect(leafIdentity(read(leaf), rules)).toEqual({
      nodeIds: [testNodeId(1), testNodeId(2)],
      userName: 'alice@example.org',
      xmppAddr: undefined,
    });
    expect(authenticated(leaf)).toMatchObject({
      nodeId: testNodeId(1),
      nodeIds: [testNodeId(1), testNodeId(2)],
      userName: 'alice@example.org',
    });
  });

  test('the subject is empty', () => {
    expect(broken(() => ({ subject: [['CN', 'Alice']] }))).toEqual(['leaf-empty-subject']);
  });

  test('one to sixteen reload URIs, each of one node of this overlay', () => {
    expect(broken(namesWith(USER))).toEqual(['leaf-reload-uris']);
    const many = Array.from({ length: 17 }, (_, index) => node(index + 1));
    expect(broken(namesWith(USER, ...many))).toEqual(['leaf-reload-uris']);
    expect(broken(namesWith(USER, ...many.slice(1)))).toEqual([]);
    expect(broken(namesWith(USER, node(1), node(1)))).toEqual(['leaf-reload-uri']);
    const elsewhere = generalName.uri(reloadUri(testNodeId(1), 'xmpp.org'));
    expect(broken(namesWith(USER, node(1), elsewhere))).toEqual(['leaf-reload-uri']);
    const bare = generalName.uri(`reload://${testNodeId(1)}@${OVERLAY}/`);
    expect(broken(namesWith(USER, bare))).toEqual(['leaf-reload-uri']);
  });

  test('a single user name, without illegal characters', () => {
    expect(broken(namesWith(node(1)))).toEqual(['leaf-single-user-name']);
    expect(broken(namesWith(node(1), USER, USER))).toEqual(['leaf-single-user-name']);
    for (const name of ['alice', 'a@b@c', 'alice\u0000@example.org', '@example.org', 'a b@c']) {
      expect(broken(namesWith(node(1), generalName.rfc822Name(name)))).toEqual(['leaf-user-name']);
    }
  });

  test('no other names', () => {
    for (const other of [
      generalName.dnsName('example.org'),
      generalName.uri('https://example.org/'),
      generalName.xmppAddr('alice@example.org'),
    ]) {
      expect(broken(namesWith(node(1), USER, other))).toEqual(['leaf-no-other-names']);
    }
  });

  test('a keyUsage that is there allows signatures (RFC 5280 §4.2.1.3)', () => {
    const usage = (value: ReturnType<typeof keyUsage> | undefined): ContentChange => {
      return ({ extensions }) => ({ extensions: { ...extensions, keyUsage: value } });
    };
    expect(broken(usage(keyUsage('keyAgreement')))).toEqual(['leaf-key-usage']);
    expect(broken(usage(undefined))).toEqual([]);
  });

  test('the two profiles refuse each other’s leaves', () => {
    expect(code(makeLeaf(root, { overlayName: OVERLAY }))).not.toBe('valid');
    expect(code(makeRfc6940Leaf(root), { profile: 'xep-0416' })).not.toBe('valid');
  });
});

describe('RFC 6940 §11.3.1: self-signed certificates', () => {
  const key = makeKey();
  const spki = key.publicKey.export({ format: 'der', type: 'spki' });
  const permitted = { selfSignedDigest: 'sha256' } as const;
  const own = (index?: number) => selfSignedNodeId(spki, 'sha256', 16, index);
  const selfSigned = (nodeIds: readonly NodeId[], change?: ContentChange, by: TestKey = key) =>
    makeSelfSigned({
      nodeIds,
      key: by,
      overlayName: OVERLAY,
      ...(change === undefined ? {} : { change }),
    });

  test('are refused unless the configuration permits them', () => {
    expect(code(selfSigned([own()]))).toBe('no-path');
    expect(code(selfSigned([own()]), permitted)).toBe('valid');
  });

  test('with SHA-1, as self-signed-permitted may say', () => {
    const nodeId = selfSignedNodeId(spki, 'sha1', 16);
    expect(code(selfSigned([nodeId]), { selfSignedDigest: 'sha1' })).toBe('valid');
    expect(code(selfSigned([nodeId]), permitted)).toBe('self-signed');
  });

  test('a Node-ID that is not the digest of the key is stolen', () => {
    expect(code(selfSigned([testNodeId(1)]), permitted)).toBe('self-signed');
    expect(code(selfSigned([own()], undefined, makeKey()), permitted)).toBe('self-signed');
  });

  test('several Node-IDs are digests with their index from 1', () => {
    expect(code(selfSigned([own(1), own(2)]), permitted)).toBe('valid');
    expect(code(selfSigned([own(1), own(3)]), permitted)).toBe('self-signed');
    expect(code(selfSigned([own(), own(1)]), permitted)).toBe('self-signed');
    expect(code(selfSigned([own(1)]), permitted)).toBe('self-signed');
  });

  test('all other rules hold', () => {
    const expired: ContentChange = () => ({ notAfterUnixMs: TEST_UNIX_MS - 1000 });
    expect(code(selfSigned([own()], expired), permitted)).toBe('expired');
    const critical: ContentChange = ({ extensions }) => ({
      extensions: { ...extensions, unknown: extension('1.2.3', integer(1), true) },
    });
    expect(code(selfSigned([own()], critical), permitted)).toBe('unknown-critical-extension');
    expect(code(selfSigned([own()], namesWith(USER)), permitted)).toBe('node-id');
    const badNodes = new Set([own()]);
    expect(code(selfSigned([own()]), { ...permitted, badNodes })).toBe('bad-node');
  });

  test('one whose signature is another’s is no self-signed certificate', () => {
    const other = makeKey();
    const forged = makeRfc6940Leaf(
      { certificate: new Uint8Array(0), name: [], key: other },
      { key, nodeIds: [own()], overlayName: OVERLAY },
    );
    expect(code(forged, permitted)).toBe('no-path');
  });

  test('certificates of an authority are taken beside them', () => {
    expect(code(makeRfc6940Leaf(root), permitted)).toBe('valid');
  });
});
