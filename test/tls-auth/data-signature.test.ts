import { beforeEach, describe, expect, test } from 'vitest';
import { makeRoot, TEST_UNIX_MS, testNodeId } from '../../sim/certificates/certificate-maker.ts';
import { Authenticator } from '../../src/tls-auth/authenticator.ts';
import { dataCoveredBytes, signData, verifyData } from '../../src/tls-auth/data-signature.ts';
import { signDocument, verifyDocument } from '../../src/tls-auth/document-signature.ts';
import { verifyMessage } from '../../src/tls-auth/message-signature.ts';
import { signedInput } from '../../src/tls-auth/signed-input.ts';
import type { Signer } from '../../src/tls-auth/signer.ts';
import { decode } from '../../src/wire/codec.ts';
import { MalformedMessage } from '../../src/wire/malformed-message.ts';
import type { ResourceId } from '../../src/wire/resource-id.ts';
import { NO_SIGNATURE, Signature, type SignerIdentity } from '../../src/wire/security-block.ts';
import type { StoredData, StoredDataValue } from '../../src/wire/stored-data.ts';
import { blockOf, bytes, CONTENTS, OVERLAY, TRANSACTION } from './signature-fixtures.ts';
import { signatureVectors } from './signature-vectors.ts';
import { makeSigner, testTrustSettings } from './test-node.ts';

const RESOURCE = '46f484b017fc57733452dcf442a8a79e' as ResourceId;
const VALUE: StoredDataValue = { model: 'single', value: { exists: true, value: bytes('abcd') } };

const root = makeRoot();
let authenticator: Authenticator;

beforeEach(() => {
  authenticator = new Authenticator(testTrustSettings([root]));
});

describe('RFC 6940 §7.1: data signatures', () => {
  const identity: SignerIdentity = {
    type: 'certHash',
    hashAlgorithm: 4,
    hash: bytes('cd'.repeat(32)),
  };
  const IDENTITY_HEX = `0100220420${'cd'.repeat(32)}`;
  const PREFIX = `10${RESOURCE}00000005${'0000018bcfe56800'}`;
  const input = (value: StoredDataValue) =>
    signedInput(dataCoveredBytes(RESOURCE, 5, 1_700_000_000_000n, value), identity);

  test('the input: resource_id with its length, Kind, storage_time, value, SignerIdentity', () => {
    expect(input(VALUE)).toEqual(bytes(PREFIX, '01', '00000002', 'abcd', IDENTITY_HEX));
    const dictionary: StoredDataValue = { ...VALUE, model: 'dictionary', key: bytes('0102') };
    expect(input(dictionary)).toEqual(
      bytes(PREFIX, '00020102', '01', '00000002', 'abcd', IDENTITY_HEX),
    );
  });

  test('§7.4.2.2: the index of an array entry is signed as 0', () => {
    for (const index of [0, 7, 0xffffffff]) {
      expect(input({ ...VALUE, model: 'array', index })).toEqual(
        bytes(PREFIX, '00000000', '01', '00000002', 'abcd', IDENTITY_HEX),
      );
    }
  });

  function stored(signer: Signer, value: StoredDataValue = VALUE): StoredData {
    const storageTime = 1_700_000_000_000n;
    const signature = signData(signer, RESOURCE, 5, storageTime, value);
    return { storageTime, lifetime: 3600, value, signature };
  }

  test('a true signature names its signer, whatever the lifetime', () => {
    const signer = makeSigner(root, { nodeId: testNodeId(6) });
    const data = { ...stored(signer), lifetime: 1 };
    const result = verifyData(authenticator, RESOURCE, 5, data, signer.certificates, TEST_UNIX_MS);
    expect(result).toMatchObject({ nodeId: testNodeId(6) });
  });

  test('an array entry may move', () => {
    const signer = makeSigner(root, { nodeId: testNodeId(6) });
    const data = stored(signer, { ...VALUE, model: 'array', index: 0xffffffff });
    const moved: StoredData = { ...data, value: { ...VALUE, model: 'array', index: 3 } };
    expect(
      verifyData(authenticator, RESOURCE, 5, moved, signer.certificates, TEST_UNIX_MS),
    ).toMatchObject({ nodeId: testNodeId(6) });
  });

  test('another resource, Kind, time, key or value is refused', () => {
    const signer = makeSigner(root, { nodeId: testNodeId(6) });
    const { certificates } = signer;
    const data = stored(signer);
    const other = `ff${RESOURCE.slice(2)}` as ResourceId;
    const gone: StoredDataValue = { model: 'single', value: { exists: false, value: bytes() } };
    const results = [
      verifyData(authenticator, other, 5, data, certificates, TEST_UNIX_MS),
      verifyData(authenticator, RESOURCE, 6, data, certificates, TEST_UNIX_MS),
      verifyData(authenticator, RESOURCE, 5, { ...data, value: gone }, certificates, TEST_UNIX_MS),
      verifyData(
        authenticator,
        RESOURCE,
        5,
        { ...data, storageTime: 1n },
        certificates,
        TEST_UNIX_MS,
      ),
    ];
    for (const result of results) expect(result).toMatchObject({ code: 'signature-invalid' });
  });

  test('§7.4.2.2: synthesized values have no signer', () => {
    const data: StoredData = {
      storageTime: 0n,
      lifetime: 0,
      value: { model: 'single', value: { exists: false, value: bytes() } },
      signature: NO_SIGNATURE,
    };
    expect(verifyData(authenticator, RESOURCE, 5, data, [], TEST_UNIX_MS)).toMatchObject({
      code: 'no-signer',
    });
  });
});

describe('RFC 6940 §11.1: signatures of configurations and Kinds', () => {
  const document = Buffer.from('<configuration instance-name="xmpp.org">é</configuration>');

  test('cover the exact bytes', () => {
    const block = blockOf(signDocument(makeSigner(root, { nodeId: testNodeId(8) }), document));
    expect(verifyDocument(authenticator, document, block, TEST_UNIX_MS)).toMatchObject({
      nodeId: testNodeId(8),
    });
    const changed = Buffer.concat([document, Buffer.from(' ')]);
    expect(verifyDocument(authenticator, changed, block, TEST_UNIX_MS)).toMatchObject({
      code: 'signature-invalid',
    });
  });
});

describe('signatures made once and kept', () => {
  const kept = new Authenticator({
    ...testTrustSettings([]),
    rootCertificates: [bytes(signatureVectors.root)],
  });

  test('RSASSA-PKCS1-v1_5 with SHA-256 over a message (mandatory: RFC 6940 §6.3.4)', () => {
    const block = blockOf(bytes(signatureVectors.messageBlock));
    expect(block.signature).toMatchObject({ hashAlgorithm: 4, signatureAlgorithm: 1 });
    expect(verifyMessage(kept, OVERLAY, TRANSACTION, CONTENTS, block, TEST_UNIX_MS)).toMatchObject({
      nodeId: testNodeId(1),
    });
  });

  test('over an array entry', () => {
    const signature = decode(Signature, bytes(signatureVectors.dataSignature));
    if (signature instanceof MalformedMessage) throw new Error(signature.describe());
    const data: StoredData = {
      storageTime: 1_700_000_000_000n,
      lifetime: 60,
      value: { model: 'array', index: 7, value: VALUE.value },
      signature,
    };
    const certificates = [{ type: 0, certificate: bytes(signatureVectors.rsaLeaf) }];
    expect(verifyData(kept, RESOURCE, 5, data, certificates, TEST_UNIX_MS)).toMatchObject({
      nodeId: testNodeId(1),
    });
  });

  test('ECDSA with P-256 over a configuration', () => {
    const block = blockOf(bytes(signatureVectors.documentBlock));
    const document = Buffer.from('<configuration instance-name="x"></configuration>');
    expect(verifyDocument(kept, document, block, TEST_UNIX_MS)).toMatchObject({
      nodeId: testNodeId(2),
    });
  });
});
