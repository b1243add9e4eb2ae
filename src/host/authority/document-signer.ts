import { signatureSchemeOf } from '../../ca/signature-scheme.ts';
import type { AuthenticatedNode } from '../../tls-auth/authenticated-node.ts';
import { keySignatureAlgorithm, verifyWithKey } from '../../tls-auth/signature-verifier.ts';
import { type Signer, signerIdentityOf } from '../../tls-auth/signer.ts';
import { CertificateType, HashAlgorithm } from '../../wire/security-block.ts';
import { AuthorityFailure } from './authority-failure.ts';
import type { SigningKey } from './signing-key.ts';

/** Signs documents of the configuration with a key that may be elsewhere. */
export interface DocumentSigner {
  /** Whom the certificate of the key names. */
  readonly node: AuthenticatedNode;
  readonly key: SigningKey;
}

/**
 * What `make` makes with one signature of `signer`. The makers of documents are synchronous and a
 * hardware module is not, so `make` is called twice: to learn what is to be signed, and with the
 * signature. Rejects as the key does, and with AuthorityFailure when its answer is no signature of
 * its own.
 */
export async function signThrough(
  signer: DocumentSigner,
  make: (signer: Signer) => Uint8Array,
): Promise<Uint8Array> {
  const inputs: Uint8Array[] = [];
  const remember = (input: Uint8Array) => {
    inputs.push(input.slice());
    return new Uint8Array();
  };
  make(coreSigner(signer, remember));
  const [input] = inputs;
  if (input === undefined || inputs.length > 1) throw new Error('expected one signature');
  const signature = await signer.key.sign(input);
  const { certificate } = signer.node;
  const { hashAlgorithm, signatureAlgorithm } = algorithmsOf(signer);
  if (!verifyWithKey(certificate, hashAlgorithm, signatureAlgorithm, input, signature)) {
    throw new AuthorityFailure(`what came is no signature of the key of ${certificate.describe()}`);
  }
  return make(coreSigner(signer, () => signature));
}

function algorithmsOf({ node: { certificate }, key }: DocumentSigner) {
  const signatureAlgorithm = keySignatureAlgorithm(certificate);
  if (signatureAlgorithm === undefined) {
    throw new AuthorityFailure(`${certificate.describe()} is of a key that signs no documents`);
  }
  const { hash } = signatureSchemeOf(key.subjectPublicKeyInfo);
  return { hashAlgorithm: HashAlgorithm[hash], signatureAlgorithm };
}

function coreSigner(signer: DocumentSigner, sign: (input: Uint8Array) => Uint8Array): Signer {
  const { node } = signer;
  const algorithms = algorithmsOf(signer);
  return {
    node,
    nodeId: node.nodeId,
    identity: signerIdentityOf(node, node.nodeId),
    certificates: node.chain.map((certificate) => ({ type: CertificateType.x509, certificate })),
    sign: (input) => ({ ...algorithms, value: sign(input) }),
  };
}
