import { encode } from '../wire/codec.ts';
import {
  type GenericCertificate,
  SecurityBlock,
  type Signature,
  SignerIdentity,
} from '../wire/security-block.ts';
import { type Writer, withWritten, written } from '../wire/writer.ts';
import type { Authenticator } from './authenticator.ts';
import { keySignatureAlgorithm, signatureHashName } from './signature-verifier.ts';
import type { Signer } from './signer.ts';
import { designatedSigner } from './signer-lookup.ts';
import type { TrueSignatures } from './true-signatures.ts';
import { SignatureRefusal, type VerifiedSigner } from './verified-signer.ts';

/** Writes what a signature covers, up to the SignerIdentity that always ends it. */
export type CoveredBytes = (writer: Writer) => void;

/** What is signed: the covered bytes, then the SignerIdentity in wire form — RFC 6940 §6.3.4. */
export function signedInput(covered: CoveredBytes, identity: SignerIdentity): Uint8Array {
  return written((writer) => writeInput(writer, covered, identity));
}

/** Signature — RFC 6940 §6.3.4. */
export function signInput(signer: Signer, covered: CoveredBytes): Signature {
  const { identity } = signer;
  const signed = withWritten(
    (writer) => writeInput(writer, covered, identity),
    (input) => signer.sign(input),
  );
  return { ...signed, identity };
}

/**
 * The signer of the covered bytes, if the signature is true and its certificate counts. `known`
 * remembers true signatures over bytes that come again; whether the certificate counts is asked
 * every time.
 */
export function verifyInput(
  authenticator: Authenticator,
  signature: Signature,
  covered: CoveredBytes,
  certificates: readonly GenericCertificate[],
  unixMs: number,
  known?: TrueSignatures,
): VerifiedSigner | SignatureRefusal {
  const { hashAlgorithm, signatureAlgorithm, identity, value } = signature;
  const signer = designatedSigner(authenticator, identity, certificates, unixMs);
  if (signer instanceof SignatureRefusal) return signer;
  const { certificate } = signer.node;
  const fitsKey = signatureAlgorithm === keySignatureAlgorithm(certificate);
  if (!fitsKey || signatureHashName(hashAlgorithm) === undefined) {
    const detail = `hash ${hashAlgorithm} with signature ${signatureAlgorithm} for this key`;
    return new SignatureRefusal('unsupported-algorithm', detail);
  }
  const isTrue = withWritten(
    (writer) => writeInput(writer, covered, identity),
    (input) => {
      const key = known?.key(certificate, hashAlgorithm, input, value);
      if (key !== undefined && known?.has(key) === true) return true;
      const { verifySignature } = authenticator;
      if (!verifySignature(certificate, hashAlgorithm, signatureAlgorithm, input, value)) {
        return false;
      }
      if (key !== undefined) known?.add(key);
      return true;
    },
  );
  if (isTrue) return signer as VerifiedSigner;
  const detail = `not made by ${certificate.describe()} over these bytes`;
  return new SignatureRefusal('signature-invalid', detail);
}

function writeInput(writer: Writer, covered: CoveredBytes, identity: SignerIdentity): void {
  covered(writer);
  SignerIdentity.write(writer, identity);
}

/**
 * SecurityBlock bytes: the signer's own chain, then of `more` what is not there yet and fits in
 * certificates<0..2^16-1>. That all of them are there is a SHOULD of RFC 6940 §6.3.4.
 */
export function securityBlock(
  signer: Signer,
  signature: Signature,
  more: readonly GenericCertificate[],
): Uint8Array {
  const certificates = [...signer.certificates];
  if (more.length > 0) {
    const present = new Set(certificates.map(certificateKey));
    let length = certificates.reduce((sum, one) => sum + wireLength(one), 0);
    for (const one of more) {
      const key = certificateKey(one);
      if (present.has(key) || length + wireLength(one) > certificatesLengthMax) continue;
      present.add(key);
      length += wireLength(one);
      certificates.push(one);
    }
  }
  return encode(SecurityBlock, { certificates, signature });
}

/** Type, length and certificate. */
function wireLength({ certificate }: GenericCertificate): number {
  return 3 + certificate.length;
}

function certificateKey({ certificate }: GenericCertificate): string {
  const { buffer, byteOffset, byteLength } = certificate;
  return Buffer.from(buffer, byteOffset, byteLength).toString('latin1');
}

/** Bytes — RFC 6940 §6.3.4. */
const certificatesLengthMax = 0xffff;
