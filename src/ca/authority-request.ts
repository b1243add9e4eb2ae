import { generalNameText } from '../tls-auth/general-name.ts';
import {
  type AuthorityIdentity,
  authorityNames,
  faultOfAuthorityIdentity,
} from './authority-identity.ts';
import {
  encodeRequestInfo,
  readCertificationRequest,
  type SigningRequestFault,
} from './certification-request.ts';

/** A request for the certificate of an authority whose sender has proved to hold the key. */
export interface AuthorityRequest extends AuthorityIdentity {
  /** DER. */
  readonly subjectPublicKeyInfo: Uint8Array;
}

/** CertificationRequestInfo (RFC 2986 §4.1) in DER: what the key of the request signs. */
export function encodeAuthorityRequestInfo(
  identity: AuthorityIdentity,
  subjectPublicKeyInfo: Uint8Array,
): Uint8Array {
  const wishes = { names: authorityNames(identity), isCa: true };
  return encodeRequestInfo(identity.commonName, subjectPublicKeyInfo, wishes);
}

/**
 * Reads the request of an authority. Names are taken by rule: one common name, at most one dNSName
 * and one XmppAddr that is a domain; any other name refuses it, and so does a request that does not
 * ask for cA TRUE. All else that it wishes is ignored.
 */
export function readAuthorityRequest(der: Uint8Array): AuthorityRequest | SigningRequestFault {
  const request = readCertificationRequest(der);
  if ('detail' in request) return request;
  const { subjectPublicKeyInfo, subject, wishes } = request;
  if (wishes.basicConstraints?.isCa !== true) {
    return { detail: 'it does not ask for the certificate of an authority (basicConstraints cA)' };
  }
  const commonNames = subject.attributeTexts(COMMON_NAME_OID);
  const [commonName = ''] = commonNames;
  if (commonNames.length !== 1 || subject.relativeNames.flat().length !== 1) {
    return { detail: 'its subject is not one common name' };
  }
  if (!COMMON_NAME.test(commonName)) return { detail: 'its common name is not allowed' };
  const names = wishes.subjectAltName;
  const foreign = names?.all.find(({ form }) => form !== 'dnsName' && form !== 'xmppAddr');
  if (foreign !== undefined) {
    return { detail: `it asks for the name ${generalNameText(foreign).slice(0, 80)}` };
  }
  const [domain, ...moreDomains] = names?.dnsNames ?? [];
  const [xmppAddress, ...moreAddresses] = names?.xmppAddrs ?? [];
  if (moreDomains.length + moreAddresses.length > 0) {
    return { detail: 'it asks for more than one dNSName or XmppAddr' };
  }
  const identity = { commonName, domain, xmppAddress };
  const detail = faultOfAuthorityIdentity(identity);
  return detail === undefined ? { subjectPublicKeyInfo, ...identity } : { detail };
}

const COMMON_NAME_OID = '2.5.4.3';
/** ub-common-name is 64 — RFC 5280 appendix A.1. */
const COMMON_NAME = /^[a-z0-9][a-z0-9. -]{0,63}$/;
