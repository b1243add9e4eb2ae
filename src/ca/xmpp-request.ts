import type { CertificateProfile } from '../tls-auth/trust-settings.ts';
import { AddressFault } from '../xmpp-address/address-fault.ts';
import { parseJid } from '../xmpp-address/jid.ts';
import { type AccountName, prepareAccountName } from './account-name.ts';
import { MalformedRequest } from './certification-request.ts';
import { readSigningRequest, type SigningRequest } from './signing-request.ts';
import type { XmppRefusal } from './xmpp-refusal.ts';

/** What came as `<x509-csr/>` (XEP-0417 §4.2), and from whom. */
export interface ArrivedXmppRequest {
  /** As the server wrote it into the stanza. */
  readonly from: string;
  readonly transaction: string | undefined;
  readonly name: string | undefined;
  /** The request, out of base64; undefined: it is not base64, or has child elements. */
  readonly der: Uint8Array | undefined;
}

/** A request for a certificate that is in order by itself. */
export interface XmppRequest {
  /** Whose it is, if the server that says so is honest. */
  readonly userName: AccountName;
  readonly transaction: string;
  /** Of the device, for people. */
  readonly name: string | undefined;
  readonly der: Uint8Array;
  readonly signingRequest: SigningRequest;
}

/**
 * Reads a request by XEP-0417 §3.3 and §6.1: the CSR asks for one XmppAddr, which is the sender's
 * bare address. The sender's address is prepared here (RFC 7622), because a server wrote it; the
 * one in the CSR counts as it stands, because whoever makes a request prepares it.
 */
export function readXmppRequest(
  { from, transaction, name, der }: ArrivedXmppRequest,
  profile: CertificateProfile,
): XmppRequest | XmppRefusal {
  const userName = senderOf(from, profile);
  if (typeof userName !== 'string') return userName;
  if (transaction === undefined || !TRANSACTION.test(transaction)) {
    const size = `1 to ${TRANSACTION_LENGTH_MAX} letters and digits`;
    const text = `"transaction" must be there, with ${size}.`;
    return { condition: 'bad-request', text };
  }
  if (name !== undefined && name.length > NAME_LENGTH_MAX) {
    const text = `"name" has ${name.length} characters; write ${NAME_LENGTH_MAX} at most.`;
    return { condition: 'not-acceptable', text };
  }
  if (der === undefined) {
    return { condition: 'bad-request', text: 'The content of <x509-csr/> must be base64 alone.' };
  }
  const signingRequest = readSigningRequest(der);
  if ('detail' in signingRequest) {
    const { detail } = signingRequest;
    return signingRequest instanceof MalformedRequest
      ? { condition: 'bad-request', text: `The content is no PKCS #10 request in DER: ${detail}.` }
      : { condition: 'not-acceptable', text: `The signing request is refused: ${detail}.` };
  }
  const fault = faultOfNames(signingRequest, userName);
  return fault ?? { userName, transaction, name, der, signingRequest };
}

/** The sender's bare address, prepared; undefined where it cannot be certified. */
export function senderOf(from: string, profile: CertificateProfile): AccountName | XmppRefusal {
  const jid = parseJid(from);
  if (jid instanceof AddressFault) {
    return {
      condition: 'jid-malformed',
      text: `The sender's address is no JID: ${jid.describe()}`,
    };
  }
  const name = prepareAccountName(jid.bare, profile);
  if (typeof name === 'string') return name;
  return { condition: 'not-acceptable', text: `${name.reason}.` };
}

function faultOfNames(
  { xmppAddrs, userNames }: SigningRequest,
  userName: AccountName,
): XmppRefusal | undefined {
  if (xmppAddrs.length !== 1) {
    const count = xmppAddrs.length;
    const text = `The signing request must ask for exactly one XmppAddr; it has ${count}.`;
    return { condition: 'bad-request', text };
  }
  const foreign = userNames.find((name) => name !== userName);
  if (foreign === undefined) return undefined;
  const shown = JSON.stringify(foreign.slice(0, SHOWN_LENGTH_MAX));
  return {
    condition: 'not-allowed',
    text: `The signing request is for ${shown} and you are ${userName}: ask for yourself.`,
  };
}

const TRANSACTION_LENGTH_MAX = 64;
/** The authority signs it: nothing that could be taken for something else. */
const TRANSACTION = /^[A-Za-z0-9]{1,64}$/;
/** UTF-16 code units. */
const NAME_LENGTH_MAX = 256;
const SHOWN_LENGTH_MAX = 80;
