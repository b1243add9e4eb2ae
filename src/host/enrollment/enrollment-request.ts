import { createPublicKey, type KeyObject, sign } from 'node:crypto';
import * as asn1 from 'asn1js';
import type { SubjectAltName } from '../../ca/certificate-content.ts';
import { ExtensionOid } from '../../tls-auth/object-identifier.ts';
import { isAscii } from '../../tls-auth/xmpp-address.ts';
import { encodeGeneralNames } from './enrollment-names.ts';
import {
  bitStringOf,
  contextConstructed,
  encoded,
  extension,
  sequence,
  signatureAlgorithmOf,
} from './request-asn1.ts';

/**
 * A certificate signing request (PKCS #10, RFC 2986) for the key's own public half, in DER. It asks
 * for the user name as the certificate will show it, in a subjectAltName; everything else is left
 * to the authority, and the subject is empty.
 */
export function encodeSigningRequest(privateKey: KeyObject, userName: string): Uint8Array {
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  const names: SubjectAltName[] = [{ type: 'xmppAddr', value: userName }];
  if (isAscii(userName)) names.push({ type: 'rfc822Name', value: userName });
  const wish = extension(ExtensionOid.subjectAltName, encodeGeneralNames(names));
  // extensionRequest — RFC 2985 §5.4.2.
  const attribute = sequence([
    new asn1.ObjectIdentifier({ value: EXTENSION_REQUEST_OID }),
    new asn1.Set({ value: [sequence([wish])] }),
  ]);
  const info = sequence([
    new asn1.Integer({ value: VERSION_1 }),
    sequence([]),
    encoded(publicKey),
    contextConstructed(0, [attribute]),
  ]);
  const { identifier, hash } = signatureAlgorithmOf(privateKey);
  const signature = sign(hash, Buffer.from(info.toBER()), privateKey);
  return new Uint8Array(sequence([info, identifier, bitStringOf(signature)]).toBER());
}

const VERSION_1 = 0;
const EXTENSION_REQUEST_OID = '1.2.840.113549.1.9.14';
