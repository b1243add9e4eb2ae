import { KeyPurposeOid } from '../tls-auth/object-identifier.ts';
import { AddressFault } from '../xmpp-address/address-fault.ts';
import { type Jid, parseJid } from '../xmpp-address/jid.ts';
import type { CertificateContent, Validity } from './certificate-content.ts';
import type { SigningRequestFault } from './certification-request.ts';
import { readSigningRequest } from './signing-request.ts';

/** A request for a certificate with which one of the user's clients is to log in. */
export interface ClientRequest {
  /** DER; the sender has proved to hold the key. */
  readonly subjectPublicKeyInfo: Uint8Array;
  /** The user's bare address, or the full one that the request names: XEP-0257 binds that alone. */
  readonly address: string;
}

/**
 * Reads a PKCS #10 request for a client of `user`. It may name this user, and one resource; what
 * names anybody or anything else is refused, what is no name is ignored.
 */
export function readClientRequest(der: Uint8Array, user: Jid): ClientRequest | SigningRequestFault {
  const request = readSigningRequest(der);
  if ('detail' in request) return request;
  const { subjectPublicKeyInfo, userNames, xmppAddrs } = request;
  const foreign = userNames.find((name) => jidOf(name)?.bare !== user.bare);
  if (foreign !== undefined) {
    return { detail: `it names ${foreign.slice(0, SHOWN_LENGTH)} instead of ${user.bare}` };
  }
  const full = xmppAddrs.map(jidOf).filter((jid) => jid?.resourcepart !== undefined);
  const [address = user.bare, ...others] = new Set(full.map((jid) => jid?.text));
  if (others.length > 0) return { detail: 'it names several resources, and one is possible' };
  return { subjectPublicKeyInfo, address };
}

/** The issuer of a peer, which its own sessions alone trust. */
export function clientIssuerContent(serialNumber: string, validity: Validity): CertificateContent {
  return {
    ...validity,
    serialNumber,
    issuerCommonName: ISSUER_COMMON_NAME,
    subjectCommonName: ISSUER_COMMON_NAME,
    isCa: true,
    pathLength: 0,
    keyUsage: ['keyCertSign'],
    extendedKeyUsage: [],
    subjectAltNames: [],
    revocationListUrl: undefined,
  };
}

/** A client's certificate: for logging in, as this address, and for nothing else. */
export function clientCertificateContent(
  { address }: ClientRequest,
  serialNumber: string,
  validity: Validity,
): CertificateContent {
  return {
    ...validity,
    serialNumber,
    issuerCommonName: ISSUER_COMMON_NAME,
    subjectCommonName: SUBJECT_COMMON_NAME,
    isCa: false,
    saysNoCa: true,
    pathLength: undefined,
    keyUsage: ['digitalSignature'],
    extendedKeyUsage: [KeyPurposeOid.clientAuth],
    subjectAltNames: [{ type: 'xmppAddr', value: address }],
    revocationListUrl: undefined,
  };
}

function jidOf(text: string): Jid | undefined {
  const jid = parseJid(text);
  return jid instanceof AddressFault ? undefined : jid;
}

const ISSUER_COMMON_NAME = 'XMPP client certificates of one peer';
/** Who it is for stands in the XmppAddr: a common name has no room for every address. */
const SUBJECT_COMMON_NAME = 'XMPP client';
/** Characters of a foreign name that a refusal repeats. */
const SHOWN_LENGTH = 80;
