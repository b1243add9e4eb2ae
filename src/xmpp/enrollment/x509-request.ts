import { element, type XmppElement } from '../stanza/xmpp-element.ts';
import { certificateElement, X509_NAMESPACE } from '../x509/x509-element.ts';

/** `<x509-csr/>`: PKCS #10 as PEM without its boundaries (XEP-0417 §4.2). */
export function signingRequestElement(
  der: Uint8Array,
  transaction: string,
  name: string | undefined,
): XmppElement {
  return element('x509-csr', X509_NAMESPACE, { transaction, name }, [base64Lines(der)]);
}

/** `<x509-revoke/>`; `signature` is over the certificate's tbsCertificate (XEP-0417 §7). */
export function revocationElement(certificate: Uint8Array, signature: Uint8Array): XmppElement {
  return element('x509-revoke', X509_NAMESPACE, {}, [
    certificateElement(certificate),
    element('x509-signature', X509_NAMESPACE, {}, [base64Lines(signature)]),
  ]);
}

function base64Lines(octets: Uint8Array): string {
  return Buffer.from(octets)
    .toString('base64')
    .replace(/.{64}(?=.)/g, '$&\n');
}
