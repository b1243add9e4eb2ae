import {
  contextConstructed,
  contextPrimitive,
  type DerElement,
  type DerReader,
  DerTag,
} from './der-reader.ts';
import { derAscii, derObjectIdentifier, derUtf8 } from './der-value.ts';
import { type DistinguishedName, derName } from './distinguished-name.ts';
import { XMPP_ADDR_OID } from './object-identifier.ts';

/** GeneralName — RFC 5280 §4.2.1.6, with XmppAddr (RFC 6120 §13.7.1.4) apart from otherName. */
export type GeneralName =
  | { readonly form: 'uri' | 'rfc822Name' | 'dnsName' | 'xmppAddr'; readonly text: string }
  | { readonly form: 'directoryName'; readonly name: DistinguishedName }
  /** 4 or 16 bytes; in name constraints 8 or 32, address and mask. */
  | { readonly form: 'ipAddress'; readonly octets: Uint8Array }
  | { readonly form: 'registeredId'; readonly oid: string }
  /** `value` is the DER of what the explicit tag holds. */
  | { readonly form: 'otherName'; readonly typeId: string; readonly value: Uint8Array }
  | { readonly form: 'x400Address' | 'ediPartyName'; readonly value: Uint8Array };

export type GeneralNameForm = GeneralName['form'];

/** Names in their order, and by form. */
export interface GeneralNames {
  readonly all: readonly GeneralName[];
  readonly uris: readonly string[];
  readonly rfc822Names: readonly string[];
  readonly dnsNames: readonly string[];
  readonly xmppAddrs: readonly string[];
  readonly directoryNames: readonly DistinguishedName[];
  readonly ipAddresses: readonly Uint8Array[];
}

/** `SEQUENCE SIZE (1..MAX) OF GeneralName`, or the same behind an IMPLICIT tag. */
export function derGeneralNames(reader: DerReader, tag: number = DerTag.sequence): GeneralNames {
  const inner = reader.enter(tag);
  const all: GeneralName[] = [];
  do {
    if (all.length >= generalNamesMax) {
      throw inner.beyond('generalNamesMax', generalNamesMax, 'names');
    }
    all.push(derGeneralName(inner));
  } while (!inner.atEnd);
  return groupedNames(all);
}

/** One GeneralName — RFC 5280 §4.2.1.6. */
export function derGeneralName(reader: DerReader): GeneralName {
  const element = reader.any();
  switch (element.tag) {
    case contextConstructed(0):
      return otherName(reader, element);
    case contextPrimitive(1):
      return { form: 'rfc822Name', text: derAscii(element) };
    case contextPrimitive(2):
      return { form: 'dnsName', text: derAscii(element) };
    case contextConstructed(3):
      return { form: 'x400Address', value: element.der };
    case contextConstructed(4): {
      const inner = reader.inside(element);
      const name = derName(inner);
      inner.expectEnd();
      return { form: 'directoryName', name };
    }
    case contextConstructed(5):
      return { form: 'ediPartyName', value: element.der };
    case contextPrimitive(6):
      return { form: 'uri', text: derAscii(element) };
    case contextPrimitive(7):
      return { form: 'ipAddress', octets: element.contents };
    case contextPrimitive(8):
      return { form: 'registeredId', oid: derObjectIdentifier(element) };
    default:
      throw reader.fault('expected a GeneralName', element.contentsOffset);
  }
}

export function groupedNames(all: readonly GeneralName[]): GeneralNames {
  const texts = (form: GeneralNameForm) =>
    all.flatMap((name) => (name.form === form && 'text' in name ? [name.text] : []));
  return {
    all,
    uris: texts('uri'),
    rfc822Names: texts('rfc822Name'),
    dnsNames: texts('dnsName'),
    xmppAddrs: texts('xmppAddr'),
    directoryNames: all.flatMap((name) => (name.form === 'directoryName' ? [name.name] : [])),
    ipAddresses: all.flatMap((name) => (name.form === 'ipAddress' ? [name.octets] : [])),
  };
}

/** Short text of a name, for reports and refusals: `URI:reload://…`. */
export function generalNameText(name: GeneralName): string {
  switch (name.form) {
    case 'directoryName':
      return `directoryName:${name.name.text}`;
    case 'ipAddress':
      return `ipAddress:${[...name.octets].join('.')}`;
    case 'registeredId':
      return `registeredId:${name.oid}`;
    case 'otherName':
      return `otherName:${name.typeId}`;
    case 'x400Address':
    case 'ediPartyName':
      return name.form;
    default:
      return `${name.form}:${name.text}`;
  }
}

function otherName(reader: DerReader, element: DerElement): GeneralName {
  const inner = reader.inside(element);
  const typeId = derObjectIdentifier(inner.element(DerTag.objectIdentifier));
  const wrapper = inner.enter(contextConstructed(0));
  const value = wrapper.any();
  wrapper.expectEnd();
  inner.expectEnd();
  if (typeId !== XMPP_ADDR_OID) return { form: 'otherName', typeId, value: value.der };
  if (value.tag !== DerTag.utf8String) {
    throw reader.fault('expected XmppAddr as UTF8String', value.contentsOffset);
  }
  return { form: 'xmppAddr', text: derUtf8(value) };
}

const generalNamesMax = 256;
