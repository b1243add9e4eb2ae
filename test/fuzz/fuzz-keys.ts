import { createECDH, createHash, createPrivateKey, createPublicKey } from 'node:crypto';
import type { TestKey } from '../../sim/certificates/certificate-maker.ts';
import { DerReader, DerTag } from '../../src/tls-auth/der-reader.ts';
import { bitString, sequence } from '../../src/tls-auth/der-writer.ts';
import type { SignatureVerifier } from '../../src/tls-auth/signature-verifier.ts';

/**
 * Keys and signatures that are the same in every run, so that a seed and a number name one input.
 * The signatures are cheap ones in the place of ECDSA's: a hash over the key and what is signed.
 */
export function fixedKey(label: string): TestKey {
  const d = createHash('sha256').update(`fuzz key ${label}`).digest();
  const curve = createECDH('prime256v1');
  curve.setPrivateKey(d);
  const point = curve.getPublicKey();
  const base64 = (octets: Buffer) => octets.toString('base64url');
  const jwk = {
    kty: 'EC',
    crv: 'P-256',
    x: base64(point.subarray(1, 33)),
    y: base64(point.subarray(33)),
  };
  return {
    publicKey: createPublicKey({ key: jwk, format: 'jwk' }),
    privateKey: createPrivateKey({ key: { ...jwk, d: base64(d) }, format: 'jwk' }),
  };
}

/** A certificate or list with a cheap signature by `issuer` in the place of its own. */
export function withCheapSignature(der: Uint8Array, issuer: TestKey): Uint8Array {
  const reader = new DerReader(der).enter(DerTag.sequence);
  const tbs = reader.element(DerTag.sequence).der;
  const algorithm = reader.element(DerTag.sequence).der;
  const spki = issuer.publicKey.export({ format: 'der', type: 'spki' });
  return sequence(tbs, algorithm, bitString(cheapSignature(spki, tbs)));
}

/** Knows the cheap signatures. */
export const verifyCheaply: SignatureVerifier = (signer, _hash, _algorithm, input, signature) =>
  Buffer.compare(cheapSignature(signer.subjectPublicKeyInfo.der, input), signature) === 0;

/** As long as a signature of P-256 often is. */
function cheapSignature(subjectPublicKeyInfo: Uint8Array, input: Uint8Array): Uint8Array {
  const hash = createHash('sha256').update(subjectPublicKeyInfo).update(input).digest();
  return new Uint8Array(Buffer.concat([hash, hash, hash.subarray(0, 6)]));
}
