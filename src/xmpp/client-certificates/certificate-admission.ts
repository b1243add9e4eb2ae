import type { Certificate } from '../../tls-auth/certificate.ts';
import { keyFault } from '../../tls-auth/key-strength.ts';
import { KeyOid } from '../../tls-auth/object-identifier.ts';
import { AddressFault } from '../../xmpp-address/address-fault.ts';
import { type Jid, parseJid } from '../../xmpp-address/jid.ts';
import { fromBase64 } from '../sasl/base64.ts';
import { type CertificateRefused, refused } from './certificate-command.ts';
import { CERTIFICATE_BYTES_MAX, NAME_BYTES_MAX } from './client-certificate-limits.ts';
import { certificateOf, hasExpired } from './registered-certificate.ts';

/** A name as it is kept and compared, or why it is none. */
export function readName(given: string): string | CertificateRefused {
  if (Buffer.byteLength(given) > NAME_BYTES_MAX) {
    return refused('not-acceptable', `a name has ${NAME_BYTES_MAX} bytes at most`);
  }
  const name = given.normalize('NFC').trim();
  if (name === '') return refused('bad-request', 'give the certificate a name');
  if (UNFIT_IN_NAMES.test(name)) {
    return refused('not-acceptable', 'a name has no control characters and no line breaks');
  }
  return name;
}

/** The bytes that a text in base64 stands for, which may be broken into lines. */
export function readBase64(text: string, what: string): Uint8Array | CertificateRefused {
  if (text.length > BASE64_CHARACTERS_MAX) {
    return refused('not-acceptable', `${what} has ${CERTIFICATE_BYTES_MAX} bytes at most`);
  }
  const bytes = fromBase64(text.replace(WHITE_SPACE, ''));
  if (bytes === undefined || bytes.length === 0) {
    return refused('bad-request', `${what} is DER in base64`);
  }
  if (bytes.length <= CERTIFICATE_BYTES_MAX) return bytes;
  return refused('not-acceptable', `${what} has ${CERTIFICATE_BYTES_MAX} bytes at most`);
}

/**
 * A certificate with which the user may log in once it is in the register, or why not. Nobody need
 * have signed it, since it is known by its bytes (XEP-0257): the TLS handshake proves the key.
 */
export function readClientCertificate(
  der: Uint8Array,
  user: Jid,
  unixMs: number,
): Certificate | CertificateRefused {
  const certificate = certificateOf(der);
  if (certificate === undefined) return refused('bad-request', 'this is no certificate in DER');
  if (hasExpired(certificate, unixMs)) {
    return refused('not-acceptable', 'the certificate has expired; make a new one');
  }
  const { algorithm } = certificate.subjectPublicKeyInfo;
  const isWeak = algorithm.oid === KeyOid.rsa && keyFault(certificate.subjectPublicKeyInfo);
  if (isWeak) return refused('not-acceptable', `the key cannot be used: ${isWeak}`);
  const addresses = certificate.extensions.subjectAltName?.xmppAddrs ?? [];
  if (addresses.length > 0 && !addresses.some((text) => isOf(text, user))) {
    return refused('not-acceptable', `the certificate names another than ${user.bare}`);
  }
  return certificate;
}

function isOf(address: string, user: Jid): boolean {
  const jid = parseJid(address);
  return !(jid instanceof AddressFault) && jid.bare === user.bare;
}

const WHITE_SPACE = /[\t\n\r ]+/g;
/** Base64 in lines of any length. */
const BASE64_CHARACTERS_MAX = 4 * CERTIFICATE_BYTES_MAX;
/** Controls, breaks of lines, and what XML cannot carry. */
const UNFIT_IN_NAMES = /[\p{Cc}\p{Cs}\u2028\u2029\ufffe\uffff]/u;
