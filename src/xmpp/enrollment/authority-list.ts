import { type Certificate, parseCertificate } from '../../tls-auth/certificate.ts';
import { CertificateRefusal } from '../../tls-auth/certificate-refusal.ts';
import { findPath } from '../../tls-auth/path-building.ts';
import { validityRefusal } from '../../tls-auth/path-validation.ts';
import { verifyWithKey } from '../../tls-auth/signature-verifier.ts';
import { domainKey } from '../../tls-auth/xmpp-address.ts';
import { AddressFault } from '../../xmpp-address/address-fault.ts';
import { type Jid, parseJid } from '../../xmpp-address/jid.ts';
import { childElements, type XmppElement } from '../stanza/xmpp-element.ts';
import { octetsOf, X509_NAMESPACE } from '../x509/x509-element.ts';
import { LISTED_CERTIFICATES_MAX } from './enrollment-limits.ts';

/** An authority that takes requests over XMPP. */
export interface XmppAuthority {
  readonly certificate: Certificate;
  /** A domain, out of its XmppAddr. */
  readonly address: Jid;
}

/** DER, in any order; undefined where the element is no list (XEP-0417 §5.2). Empty is possible. */
export function authorityListIn(
  payload: XmppElement | undefined,
): readonly Uint8Array[] | undefined {
  if (payload?.name !== 'x509-ca-list' || payload.namespace !== X509_NAMESPACE) return undefined;
  const listed = childElements(payload);
  if (listed.length > LISTED_CERTIFICATES_MAX) return undefined;
  const certificates = listed.flatMap((certificate) => {
    const isCertificate =
      certificate.name === 'x509-cert' && certificate.namespace === X509_NAMESPACE;
    return (isCertificate ? octetsOf(certificate) : undefined) ?? [];
  });
  return certificates.length === listed.length ? certificates : undefined;
}

/**
 * The authorities that both ends trust, best first (XEP-0417 §5.3): those on both lists; where
 * there are none, those on the server's list that one of the local list has signed. A certificate
 * that is on the server's list alone is never trusted, nor are authorities that may not sign for
 * `account`.
 *
 * Intentional divergence from XEP-0417 §5.3: a root of the local list that has no XmppAddr is no
 * authority to ask, but it still vouches for those below it; roots are often kept offline.
 */
export function mergeAuthorities(
  local: readonly Uint8Array[],
  remote: readonly Uint8Array[],
  account: Jid,
  unixMs: number,
): readonly XmppAuthority[] {
  const anchors = readable(local);
  const listed = readable(remote);
  const usable = (certificates: readonly Certificate[]) =>
    certificates.flatMap((certificate) => asAuthority(certificate, account, unixMs) ?? []);
  const known = new Set(anchors.map(({ sha256 }) => sha256));
  const both = usable(listed.filter(({ sha256 }) => known.has(sha256)));
  if (both.length > 0) return both;
  return usable(listed).filter(({ certificate }) => {
    const path = findPath(
      certificate,
      { pool: listed, anchors, verifySignature: verifyWithKey },
      { unixMs },
    );
    return !(path instanceof CertificateRefusal);
  });
}

/** The authorities of the local list alone: for whoever wants to log in nowhere with it. */
export function localAuthorities(
  local: readonly Uint8Array[],
  account: Jid,
  unixMs: number,
): readonly XmppAuthority[] {
  return mergeAuthorities(local, local, account, unixMs);
}

/**
 * Who is to be asked where this certificate of an authority is trusted: its one XmppAddr is a
 * domain (XEP-0417 §3.2). Undefined: nobody over XMPP, or not for this account, or not now.
 */
function asAuthority(
  certificate: Certificate,
  account: Jid,
  unixMs: number,
): XmppAuthority | undefined {
  const { basicConstraints, keyUsage, subjectAltName } = certificate.extensions;
  if (basicConstraints?.isCa !== true || keyUsage?.has('keyCertSign') !== true) return undefined;
  if (validityRefusal(certificate, unixMs) !== undefined) return undefined;
  const [text, ...others] = subjectAltName?.xmppAddrs ?? [];
  if (text === undefined || others.length > 0) return undefined;
  const address = parseJid(text);
  if (address instanceof AddressFault) return undefined;
  if (address.localpart !== undefined || address.resourcepart !== undefined) return undefined;
  const domains = subjectAltName?.dnsNames ?? [];
  const own = domainKey(account.domainpart);
  const isForOthers = domains.length > 0 && !domains.some((name) => domainKey(name) === own);
  return isForOthers ? undefined : { certificate, address };
}

function readable(list: readonly Uint8Array[]): readonly Certificate[] {
  return list.flatMap((der) => {
    const certificate = parseCertificate(der);
    return certificate instanceof CertificateRefusal ? [] : [certificate];
  });
}
