import { sign } from 'node:crypto';
import { signatureSchemeOf } from '../../../ca/signature-scheme.ts';
import {
  keySignatureAlgorithm,
  signatureAlgorithmPair,
  signatureHashName,
  verifyWithKey,
} from '../../../tls-auth/signature-verifier.ts';
import { AuthorityFailure } from '../authority-failure.ts';
import type { CertifiedSigner } from '../authority-keys.ts';
import { certificateOf } from '../authority-state.ts';
import type { KeyPair } from '../signing-key.ts';

/** Signs what goes into `<x509-signature/>` (XEP-0417 §4.3). */
export type ChallengeSigner = (input: Uint8Array) => Promise<Uint8Array>;

/**
 * Signs with the key of an authority and the hash of its certificate's signatureAlgorithm, which is
 * that of the authority above. Throws AuthorityFailure where the key cannot use that hash: a
 * hardware module has one for everything. What comes is verified before it is used.
 */
export function challengeSignerOf(issuer: CertifiedSigner): ChallengeSigner {
  const certificate = certificateOf(issuer);
  const [hash] = signatureAlgorithmPair(certificate.signatureAlgorithm) ?? [];
  const hashName = hash === undefined ? undefined : signatureHashName(hash);
  const algorithm = keySignatureAlgorithm(certificate);
  if (hash === undefined || hashName === undefined || algorithm === undefined) {
    throw new AuthorityFailure('the certificate of the authority is signed in an unknown way');
  }
  const make = makerOf(issuer, hashName);
  return async (input) => {
    const signature = await make(input);
    if (verifyWithKey(certificate, hash, algorithm, input, signature)) return signature;
    throw new AuthorityFailure('what came is no signature of the authority’s key');
  };
}

function makerOf(issuer: CertifiedSigner, hashName: string): ChallengeSigner {
  if (signatureSchemeOf(issuer.subjectPublicKeyInfo).hash === hashName) {
    return (input) => issuer.sign(input);
  }
  if (isKeyPair(issuer)) {
    const { privateKey } = issuer;
    return (input) => Promise.resolve(new Uint8Array(sign(hashName, input, privateKey)));
  }
  throw new AuthorityFailure(
    `XEP-0417 wants signatures with ${hashName}, as the authority's certificate has it, and its ` +
      'key module has another hash; have the authority certified by one with the same kind of key',
  );
}

function isKeyPair(issuer: CertifiedSigner): issuer is CertifiedSigner & KeyPair {
  return 'privateKey' in issuer;
}
