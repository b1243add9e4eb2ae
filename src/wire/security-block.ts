import {
  type Codec,
  inField,
  opaque,
  struct,
  type TypeOf,
  uint8,
  uint16,
  vector,
} from './codec.ts';
import type { Reader } from './reader.ts';

/** GenericCertificate types — RFC 6091 CertificateType. */
export const CertificateType = { x509: 0, openPgp: 1 } as const;

/** HashAlgorithm — RFC 5246 §7.4.1.4.1, as used in RFC 6940 §6.3.4. */
export const HashAlgorithm = {
  none: 0,
  md5: 1,
  sha1: 2,
  sha224: 3,
  sha256: 4,
  sha384: 5,
  sha512: 6,
} as const;
export type HashAlgorithm = (typeof HashAlgorithm)[keyof typeof HashAlgorithm];

/** SignatureAlgorithm — RFC 5246 §7.4.1.4.1. */
export const SignatureAlgorithm = { anonymous: 0, rsa: 1, dsa: 2, ecdsa: 3 } as const;
export type SignatureAlgorithm = (typeof SignatureAlgorithm)[keyof typeof SignatureAlgorithm];

export const SignerIdentityType = { certHash: 1, certHashNodeId: 2, none: 3 } as const;

/** GenericCertificate — RFC 6940 §6.3.4. */
export const GenericCertificate = struct('GenericCertificate', {
  type: uint8, //                 CertificateType type;
  certificate: opaque(uint16), // opaque certificate<0..2^16-1>;
});
export type GenericCertificate = TypeOf<typeof GenericCertificate>;

/**
 * SignerIdentity — RFC 6940 §6.3.4. `certHash` hashes the DER certificate, `certHashNodeId` the
 * Node-ID followed by it; `none` stands only in synthesized Fetch values. Other types are kept.
 */
export type SignerIdentity =
  | { readonly type: 'certHash'; readonly hashAlgorithm: number; readonly hash: Uint8Array }
  | { readonly type: 'certHashNodeId'; readonly hashAlgorithm: number; readonly hash: Uint8Array }
  | { readonly type: 'none' }
  | { readonly type: 'unknown'; readonly code: number; readonly data: Uint8Array };

export const SignerIdentity: Codec<SignerIdentity> = {
  read: (reader) =>
    inField('SignerIdentity', 'identityType', () => {
      const code = reader.uint8();
      const length = reader.uint16();
      return reader.bounded(length, (inner) => readIdentityValue(inner, code));
    }),
  write(writer, value) {
    writer.uint8(value.type === 'unknown' ? value.code : SignerIdentityType[value.type]);
    writer.prefixed(2, (inner) => {
      if (value.type === 'none') return;
      if (value.type === 'unknown') {
        inner.raw(value.data);
        return;
      }
      inner.uint8(value.hashAlgorithm);
      inner.prefixed(1, (hash) => hash.raw(value.hash));
    });
  },
};

/** Signature — RFC 6940 §6.3.4. */
export const Signature = struct('Signature', {
  hashAlgorithm: uint8, //       SignatureAndHashAlgorithm algorithm; (hash first)
  signatureAlgorithm: uint8, //
  identity: SignerIdentity, //   SignerIdentity identity;
  value: opaque(uint16), //      opaque signature_value<0..2^16-1>;
});
export type Signature = TypeOf<typeof Signature>;

/** SecurityBlock — RFC 6940 §6.3.4. */
export const SecurityBlock = struct('SecurityBlock', {
  certificates: vector(uint16, GenericCertificate), // GenericCertificate certificates<0..2^16-1>;
  signature: Signature, //                             Signature signature;
});
export type SecurityBlock = TypeOf<typeof SecurityBlock>;

/** The signature of a synthesized value that does not exist — RFC 6940 §7.4.2.2. */
export const NO_SIGNATURE: Signature = {
  hashAlgorithm: HashAlgorithm.none,
  signatureAlgorithm: SignatureAlgorithm.anonymous,
  identity: { type: 'none' },
  value: new Uint8Array(0),
};

function readIdentityValue(reader: Reader, code: number): SignerIdentity {
  switch (code) {
    case SignerIdentityType.certHash:
    case SignerIdentityType.certHashNodeId: {
      const hashAlgorithm = reader.uint8();
      const hash = reader.take(reader.uint8());
      const type = code === SignerIdentityType.certHash ? 'certHash' : 'certHashNodeId';
      return { type, hashAlgorithm, hash };
    }
    case SignerIdentityType.none:
      return { type: 'none' };
    default:
      return { type: 'unknown', code, data: reader.take(reader.remaining) };
  }
}
