import type { AuthenticatedNode } from '../../tls-auth/authenticated-node.ts';
import type { Authenticator } from '../../tls-auth/authenticator.ts';
import { type Certificate, parseCertificate } from '../../tls-auth/certificate.ts';
import { CertificateRefusal } from '../../tls-auth/certificate-refusal.ts';
import { signatureRefusal } from '../../tls-auth/path-building.ts';
import { verifyWithKey } from '../../tls-auth/signature-verifier.ts';
import { childElements, type XmppElement } from '../stanza/xmpp-element.ts';
import { octetsOf, X509_NAMESPACE } from '../x509/x509-element.ts';
import { CHAIN_CERTIFICATES_MAX } from './enrollment-limits.ts';
import type { ExchangeFailureCode } from './exchange-refusal.ts';

/** What a certificate must be for. */
export interface ExpectedCertificate {
  /** The bare address, prepared. */
  readonly userName: string;
  /** DER: the key in the request. */
  readonly subjectPublicKeyInfo: Uint8Array;
  /** The certificate of the authority that was asked. */
  readonly authority: Certificate;
  /** Has the roots of the overlay. */
  readonly authenticator: Authenticator;
}

/** Why a response is not taken; `detail` is half a sentence. */
export interface ResponseFault {
  readonly code: ExchangeFailureCode;
  readonly detail: string;
}

/** DER, the leaf first; undefined where the element holds something else, nothing, or too much. */
export function chainIn(chain: XmppElement): readonly [Uint8Array, ...Uint8Array[]] | undefined {
  const certificates = childElements(chain);
  if (certificates.length > CHAIN_CERTIFICATES_MAX) return undefined;
  const chainDer: Uint8Array[] = [];
  for (const certificate of certificates) {
    const { name, namespace } = certificate;
    const der = octetsOf(certificate);
    if (name !== 'x509-cert' || namespace !== X509_NAMESPACE || der === undefined) return undefined;
    chainDer.push(der);
  }
  const [leaf, ...others] = chainDer;
  return leaf === undefined ? undefined : [leaf, ...others];
}

/**
 * XEP-0417 §6.3: the payload of a response is a chain that is valid by XEP-0416 and RFC 5280, that
 * the requested authority signed, and that is for the own key and address.
 */
export function readIssuedCertificate(
  payload: XmppElement | undefined,
  expected: ExpectedCertificate,
  unixMs: number,
): AuthenticatedNode | ResponseFault {
  const isChain = payload?.name === 'x509-cert-chain' && payload.namespace === X509_NAMESPACE;
  const chain = isChain ? chainIn(payload) : undefined;
  if (chain === undefined) {
    return { code: 'malformed-response', detail: 'it has no chain of certificates' };
  }
  const [leaf, ...pool] = chain;
  const found = faultOfKey(leaf, expected);
  if (found !== undefined) return found;
  const node = expected.authenticator.authenticate(leaf, pool, unixMs);
  if (node instanceof CertificateRefusal) {
    return { code: 'invalid-chain', detail: node.describe() };
  }
  if (node.userName !== expected.userName) {
    return { code: 'another-address', detail: `it is for ${node.userName}` };
  }
  if (!hasSigned(expected.authority, node.chain)) {
    const detail = `it was not signed below ${expected.authority.describe()}`;
    return { code: 'another-authority', detail };
  }
  return node;
}

/** Before all else: whatever is wrong with another's certificate is not our business. */
function faultOfKey(leaf: Uint8Array, expected: ExpectedCertificate): ResponseFault | undefined {
  const certificate = parseCertificate(leaf);
  if (certificate instanceof CertificateRefusal) {
    return { code: 'malformed-response', detail: certificate.describe() };
  }
  const { der } = certificate.subjectPublicKeyInfo;
  if (Buffer.compare(der, expected.subjectPublicKeyInfo) === 0) return undefined;
  return { code: 'another-key', detail: 'it is for a key that is not ours' };
}

/** Whether the authority signed a certificate of this path, which is valid by itself. */
function hasSigned(authority: Certificate, chain: readonly Uint8Array[]): boolean {
  return chain.some((der) => {
    const certificate = parseCertificate(der);
    if (certificate instanceof CertificateRefusal) return false;
    if (!certificate.issuer.equals(authority.subject)) return false;
    return signatureRefusal(certificate, authority, verifyWithKey) === undefined;
  });
}
