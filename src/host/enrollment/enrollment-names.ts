import * as asn1 from 'asn1js';
import type { SubjectAltName } from '../../ca/certificate-content.ts';
import { XMPP_ADDR_OID } from '../../tls-auth/object-identifier.ts';
import { toIpAddressPort } from '../socket-address.ts';
import { contextConstructed, contextPrimitive, sequence } from './request-asn1.ts';

/** GeneralNames — RFC 5280 §4.2.1.6. DER, for certificates and for requests. */
export function encodeGeneralNames(names: readonly SubjectAltName[]): ArrayBuffer {
  return sequence(names.map(generalName)).toBER();
}

function generalName(name: SubjectAltName): asn1.BaseBlock {
  switch (name.type) {
    case 'xmppAddr':
      // otherName id-on-xmppAddr, a UTF8String — RFC 6120 §13.7.1.4.
      return contextConstructed(0, [
        new asn1.ObjectIdentifier({ value: XMPP_ADDR_OID }),
        contextConstructed(0, [new asn1.Utf8String({ value: name.value })]),
      ]);
    case 'rfc822Name':
      return contextPrimitive(1, Buffer.from(name.value, 'latin1'));
    case 'dnsName':
      return contextPrimitive(2, Buffer.from(name.value, 'latin1'));
    case 'uri':
      return contextPrimitive(6, Buffer.from(name.value, 'latin1'));
    case 'ipAddress':
      return contextPrimitive(7, ipAddressBytes(name.value));
  }
}

function ipAddressBytes(text: string): Uint8Array {
  const address = toIpAddressPort({ host: text, port: 0 });
  if (address === undefined || address.type === 'unknown') {
    throw new RangeError(`"${text}" is not an IP address`);
  }
  return address.address;
}
