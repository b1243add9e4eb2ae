import fc from 'fast-check';
import {
  GenericCertificate,
  SecurityBlock,
  Signature,
  SignerIdentity,
} from '../../src/wire/security-block.ts';
import { anyUint8, ascii, bytesUpTo, hexBytes, listOf, record, structCase } from './struct-case.ts';

const anyCertificate = record<GenericCertificate>({ type: anyUint8, certificate: bytesUpTo(80) });

const anyIdentity: fc.Arbitrary<SignerIdentity> = fc.oneof(
  record({
    type: fc.constantFrom('certHash' as const, 'certHashNodeId' as const),
    hashAlgorithm: anyUint8,
    hash: bytesUpTo(64),
  }),
  record({ type: fc.constant('none' as const) }),
  record({
    type: fc.constant('unknown' as const),
    code: fc.integer({ min: 0, max: 255 }).filter((code) => code === 0 || code > 3),
    data: bytesUpTo(64),
  }),
);

export const anySignature = record<Signature>({
  hashAlgorithm: anyUint8,
  signatureAlgorithm: anyUint8,
  identity: anyIdentity,
  value: bytesUpTo(80),
});

export const anySecurityBlock = record<SecurityBlock>({
  certificates: listOf(anyCertificate),
  signature: anySignature,
});

const HASH = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f';
export const SIGNATURE_VECTOR = `04 03 01 0022 04 20 ${HASH} 0004 30020101`;
export const SIGNATURE_VALUE: Signature = {
  hashAlgorithm: 4,
  signatureAlgorithm: 3,
  identity: { type: 'certHash', hashAlgorithm: 4, hash: hexBytes(HASH) },
  value: hexBytes('30020101'),
};

/** RFC 6940 §6.3.4. */
export const securityCases = [
  structCase('GenericCertificate', 'RFC 6940 §6.3.4', {
    codec: GenericCertificate,
    vector: '00 0003 308000',
    value: { type: 0, certificate: hexBytes('308000') },
    arbitrary: anyCertificate,
  }),
  structCase('SignerIdentity cert_hash', 'RFC 6940 §6.3.4', {
    codec: SignerIdentity,
    vector: `01 0022 04 20 ${HASH}`,
    value: { type: 'certHash', hashAlgorithm: 4, hash: hexBytes(HASH) },
    arbitrary: anyIdentity,
  }),
  structCase('SignerIdentity cert_hash_node_id', 'RFC 6940 §6.3.4', {
    codec: SignerIdentity,
    vector: '02 0006 02 04 61626364',
    value: { type: 'certHashNodeId', hashAlgorithm: 2, hash: ascii('abcd') },
    arbitrary: anyIdentity,
  }),
  structCase('SignerIdentity none', 'RFC 6940 §6.3.4', {
    codec: SignerIdentity,
    vector: '03 0000',
    value: { type: 'none' },
    arbitrary: anyIdentity,
  }),
  structCase('SignerIdentity of an unknown type', 'RFC 6940 §6.3.4', {
    codec: SignerIdentity,
    vector: '09 0002 abcd',
    value: { type: 'unknown', code: 9, data: hexBytes('abcd') },
    arbitrary: anyIdentity,
  }),
  structCase('Signature', 'RFC 6940 §6.3.4', {
    codec: Signature,
    vector: SIGNATURE_VECTOR,
    value: SIGNATURE_VALUE,
    arbitrary: anySignature,
  }),
  structCase('SecurityBlock', 'RFC 6940 §6.3.4', {
    codec: SecurityBlock,
    vector: `000b 00 0003 308000 00 0002 3000 ${SIGNATURE_VECTOR}`,
    value: {
      certificates: [
        { type: 0, certificate: hexBytes('308000') },
        { type: 0, certificate: hexBytes('3000') },
      ],
      signature: SIGNATURE_VALUE,
    },
    arbitrary: anySecurityBlock,
  }),
];
