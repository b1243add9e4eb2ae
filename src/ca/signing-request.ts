import type { CertificateExtensions } from '../tls-auth/certificate-extension.ts';
import type { DistinguishedName } from '../tls-auth/distinguished-name.ts';
import { generalNameText } from '../tls-auth/general-name.ts';
import { EMAIL_ADDRESS_OID } from '../tls-auth/object-identifier.ts';
import { readCertificationRequest, type SigningRequestFault } from './certification-request.ts';

/** A request for a node's certificate whose sender has proved to hold the key. */
export interface SigningRequest {
  /** DER. */
  readonly subjectPublicKeyInfo: Uint8Array;
  /**
   * What the request calls its user: rfc822Names and XmppAddrs of the subjectAltName it wishes,
   * e-mail addresses of the subject, and a common name that has an `@`. Empty: it asks for none.
   */
  readonly userNames: readonly string[];
  /** The XmppAddrs among them, as they stand there. */
  readonly xmppAddrs: readonly string[];
}

/**
 * Reads a request for a node's certificate. The authority alone says what a certificate may be used
 * for: of the extensions that a request wishes (XEP-0417: they "may be either ignored and omitted
 * in the issued certificate or the whole request rejected"),
 * - names of the user are compared with the account,
 * - being an authority, signing certificates or lists, and any other name refuse it: whoever asks
 *   for that does not expect a node's certificate,
 * - everything else is ignored.
 */
export function readSigningRequest(der: Uint8Array): SigningRequest | SigningRequestFault {
  const request = readCertificationRequest(der);
  if ('detail' in request) return request;
  const { subjectPublicKeyInfo, subject, wishes } = request;
  const detail = faultOfWishes(wishes);
  if (detail !== undefined) return { detail };
  const { rfc822Names = [], xmppAddrs = [] } = wishes.subjectAltName ?? {};
  return {
    subjectPublicKeyInfo,
    userNames: [...namesOfSubject(subject), ...rfc822Names, ...xmppAddrs],
    xmppAddrs,
  };
}

/** Half a sentence; undefined: it wishes nothing that refuses it. */
function faultOfWishes(wishes: CertificateExtensions): string | undefined {
  if (wishes.basicConstraints?.isCa === true) {
    return 'it asks for the certificate of an authority (basicConstraints cA)';
  }
  const signs = (['keyCertSign', 'cRLSign'] as const).find((bit) => wishes.keyUsage?.has(bit));
  if (signs !== undefined) return `it asks for the key usage ${signs}, which no node has`;
  const foreign = wishes.subjectAltName?.all.find(
    ({ form }) => form !== 'xmppAddr' && form !== 'rfc822Name',
  );
  if (foreign === undefined) return undefined;
  const name = generalNameText(foreign).slice(0, 80);
  return `it asks for the name ${name}, which no request can choose`;
}

function namesOfSubject(subject: DistinguishedName): string[] {
  const commonNames = subject.attributeTexts(COMMON_NAME_OID);
  return [
    ...subject.attributeTexts(EMAIL_ADDRESS_OID),
    ...commonNames.filter((name) => name.includes('@')),
  ];
}

const COMMON_NAME_OID = '2.5.4.3';
