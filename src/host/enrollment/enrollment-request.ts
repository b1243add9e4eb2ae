import { createPublicKey, type KeyObject, sign } from 'node:crypto';
import { encodeSigned } from '../../ca/certificate-encoding.ts';
import { encodeRequestInfo } from '../../ca/certification-request.ts';
import { signatureSchemeOf } from '../../ca/signature-scheme.ts';
import type { SubjectAltName } from '../../ca/subject-alt-name.ts';
import { isAscii } from '../../tls-auth/xmpp-address.ts';

/**
 * A certificate signing request (PKCS #10, RFC 2986) for the key's own public half, in DER. It asks
 * for the user name as the certificate will show it, in a subjectAltName; everything else is left
 * to the authority, and the subject is empty.
 */
export function encodeSigningRequest(privateKey: KeyObject, userName: string): Uint8Array {
  const key = new Uint8Array(createPublicKey(privateKey).export({ type: 'spki', format: 'der' }));
  const names: SubjectAltName[] = [{ type: 'xmppAddr', value: userName }];
  if (isAscii(userName)) names.push({ type: 'rfc822Name', value: userName });
  const info = encodeRequestInfo(undefined, key, { names, isCa: false });
  return encodeSigned(info, key, sign(signatureSchemeOf(key).hash, info, privateKey));
}
