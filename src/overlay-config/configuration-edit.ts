/** Changes of a configuration document by whoever runs the overlay — RFC 6940 §11.1. */
import { parseCertificate } from '../tls-auth/certificate.ts';
import { CertificateRefusal } from '../tls-auth/certificate-refusal.ts';
import type { IpAddressPort } from '../wire/ip-address-port.ts';
import type { KindId } from '../wire/stored-data.ts';
import { readXml } from '../xml/read-xml.ts';
import { emptyElement, parentElement, textElement } from '../xml/write-xml.ts';
import { attributeValue, type XmlElement } from '../xml/xml-element.ts';
import { XmlFault } from '../xml/xml-fault.ts';
import { parseConfigurationDocument } from './configuration-document.ts';
import { unsignedDocument } from './configuration-document-builder.ts';
import { PORT_DEFAULT } from './configuration-element.ts';
import { ConfigurationFault } from './configuration-fault.ts';
import { nextSequence } from './configuration-sequence.ts';
import { formatUtcTime } from './date-time.ts';
import { DocumentSplice } from './document-splice.ts';
import { trimXml } from './element-values.ts';
import { formatIpAddress, parseIpAddress } from './ip-address-text.ts';
import { ConfigurationNamespace } from './namespaces.ts';
import type { ParsedConfiguration } from './parsed-configuration.ts';

/** One change. What is added must not be there yet, what is removed must be there. */
export type ConfigurationChange =
  | { readonly type: 'addRoot'; readonly certificate: Uint8Array }
  /** SHA-256 of the certificate, lower-case hex. */
  | { readonly type: 'removeRoot'; readonly sha256: string }
  | { readonly type: 'add'; readonly list: ConfigurationList; readonly value: string }
  | { readonly type: 'remove'; readonly list: ConfigurationList; readonly value: string }
  | { readonly type: 'addBootstrapNode'; readonly node: IpAddressPort }
  | { readonly type: 'removeBootstrapNode'; readonly node: IpAddressPort }
  /** undefined: what RFC 6940 §11.1 says where the document says nothing. */
  | {
      readonly type: 'set';
      readonly parameter: ConfigurationParameter;
      readonly value: string | undefined;
    }
  | { readonly type: 'setExpiration'; readonly unixMs: number | undefined }
  /** A signed `<kind-block>`, in the place of the one of the same Kind. */
  | { readonly type: 'setKind'; readonly kindId: KindId; readonly block: Uint8Array }
  | { readonly type: 'removeKind'; readonly kindId: KindId };

/** Elements that may be there several times, each with a text. */
export const CONFIGURATION_LISTS = [
  'enrollment-server',
  'configuration-signer',
  'kind-signer',
  'bad-node',
] as const;
export type ConfigurationList = (typeof CONFIGURATION_LISTS)[number];

const PARAMETERS = {
  'turn-density': ConfigurationNamespace.base,
  'clients-permitted': ConfigurationNamespace.base,
  'no-ice': ConfigurationNamespace.base,
  'max-message-size': ConfigurationNamespace.base,
  'initial-ttl': ConfigurationNamespace.base,
  'overlay-reliability-timer': ConfigurationNamespace.base,
  'chord-update-interval': ConfigurationNamespace.chord,
  'chord-ping-interval': ConfigurationNamespace.chord,
  'chord-reactive': ConfigurationNamespace.chord,
} as const;
/** Elements that are there once, with a number or a truth value. */
export type ConfigurationParameter = keyof typeof PARAMETERS;
export const CONFIGURATION_PARAMETERS = Object.keys(PARAMETERS) as ConfigurationParameter[];

/** Why a document is not changed: a value, with one sentence. */
export class EditRefusal {
  readonly detail: string;

  constructor(detail: string) {
    this.detail = detail;
  }
}

/**
 * The configuration with these changes and the next sequence, as a document without a signature.
 * Everything that no change names keeps its bytes.
 */
export function editConfiguration(
  parsed: ParsedConfiguration,
  changes: readonly ConfigurationChange[],
): ParsedConfiguration | EditRefusal {
  const edit = new ConfigurationEdit(parsed);
  for (const change of changes) {
    const detail = edit.apply(change);
    if (detail !== undefined) return new EditRefusal(detail);
  }
  const edited = parseConfigurationDocument(unsignedDocument(edit.bytes()), parsed.instanceName);
  if (edited instanceof ConfigurationFault) {
    return new EditRefusal(`the changed document would be wrong: ${edited.describe()}`);
  }
  return contradictionIn(edited) ?? edited;
}

/** What is wrong though each element by itself is right. */
function contradictionIn({ configuration }: ParsedConfiguration): EditRefusal | undefined {
  const { configurationSigners, kindSigners, badNodes } = configuration;
  const bad = [...configurationSigners, ...kindSigners].find((signer) => badNodes.has(signer));
  if (bad !== undefined) {
    return new EditRefusal(`${bad} is a signer; name another one in its place first`);
  }
  if (configurationSigners.length > 0) return undefined;
  return new EditRefusal('without a configuration-signer no document could follow this one');
}

function configurationElement(parsed: ParsedConfiguration): XmlElement {
  const root = readXml(parsed.document);
  const element =
    root instanceof XmlFault
      ? undefined
      : root.children.find(
          (child) => attributeValue(child, 'instance-name') === parsed.instanceName,
        );
  if (element === undefined) throw new Error('a document that was parsed has its configuration');
  return element;
}

/** The signature covers the configuration alone: what its prefixes mean is to stand inside. */
function ownDeclarations({ outerNamespaces }: ParsedConfiguration): Record<string, string> {
  return Object.fromEntries(
    [...outerNamespaces].map(([prefix, namespace]) => [
      prefix === '' ? 'xmlns' : `xmlns:${prefix}`,
      namespace,
    ]),
  );
}

/** One document while it is changed. */
class ConfigurationEdit {
  private readonly element: XmlElement;
  private readonly splice: DocumentSplice;
  private readonly kindList: XmlElement | undefined;
  private readonly kindBlocks: ReadonlyMap<KindId, XmlElement>;
  private readonly addedKinds: string[] = [];
  /** What was changed: the same twice would be one change over another. */
  private readonly named = new Set<string>();

  constructor(parsed: ParsedConfiguration) {
    this.element = configurationElement(parsed);
    this.splice = new DocumentSplice(this.element, parsed.document);
    const sequence = String(nextSequence(parsed.sequence));
    this.splice.setAttributes({ ...ownDeclarations(parsed), sequence });
    this.kindList = childrenOf(this.element, 'required-kinds')[0];
    const elements = this.kindList?.children ?? [];
    this.kindBlocks = new Map(
      parsed.kindBlocks.flatMap(({ definition }, index) => {
        const block = elements[index];
        return block === undefined ? [] : [[definition.kindId, block] as const];
      }),
    );
  }

  bytes(): Uint8Array {
    const list = this.kindList;
    if (this.addedKinds.length > 0) {
      if (list !== undefined && list.children.length > 0) {
        this.splice.append(this.addedKinds.join('\n'), list);
      } else {
        const attributes = { xmlns: ConfigurationNamespace.base };
        const whole = parentElement('required-kinds', attributes, this.addedKinds);
        if (list === undefined) this.splice.append(whole);
        else this.splice.replace(list, whole);
      }
    }
    return this.splice.bytes();
  }

  /** Returns why not, or undefined. */
  apply(change: ConfigurationChange): string | undefined {
    const what = described(change);
    if (this.named.has(what)) return `${what} is named twice`;
    this.named.add(what);
    const found = this.find(change);
    switch (change.type) {
      case 'setExpiration': {
        const { unixMs } = change;
        const expiration = unixMs === undefined ? undefined : formatUtcTime(unixMs);
        this.splice.setAttributes({ expiration });
        return undefined;
      }
      case 'setKind':
        return this.setKind(Buffer.from(change.block).toString('utf8'), found);
      case 'set':
        if (change.value === undefined) return this.remove(found, what);
        return this.set(change.parameter, change.value, found);
      case 'addRoot':
      case 'add':
      case 'addBootstrapNode':
        if (found !== undefined) return `${what} is there already`;
        this.splice.append(elementOf(change));
        return undefined;
      default:
        return this.remove(found, what);
    }
  }

  private find(change: ConfigurationChange): XmlElement | undefined {
    switch (change.type) {
      case 'addRoot':
        return this.rootWith(sha256Of(change.certificate));
      case 'removeRoot':
        return this.rootWith(change.sha256);
      case 'add':
      case 'remove':
        return childrenOf(this.element, change.list).find(
          ({ text }) => trimXml(text) === change.value,
        );
      case 'addBootstrapNode':
      case 'removeBootstrapNode':
        return childrenOf(this.element, 'bootstrap-node').find((child) => isAt(child, change.node));
      case 'set':
        return childrenOf(this.element, change.parameter, PARAMETERS[change.parameter])[0];
      case 'setKind':
      case 'removeKind':
        return this.kindBlocks.get(change.kindId);
      case 'setExpiration':
        return undefined;
    }
  }

  private rootWith(sha256: string): XmlElement | undefined {
    return childrenOf(this.element, 'root-cert').find(
      ({ text }) => sha256Of(Buffer.from(text, 'base64')) === sha256,
    );
  }

  private remove(found: XmlElement | undefined, what: string): string | undefined {
    if (found === undefined) return `${what} is not there`;
    this.splice.remove(found);
    return undefined;
  }

  private set(parameter: ConfigurationParameter, value: string, found: XmlElement | undefined) {
    const xml = textElement(parameter, value, { xmlns: PARAMETERS[parameter] });
    if (found === undefined) this.splice.append(xml);
    else this.splice.replace(found, xml);
    return undefined;
  }

  private setKind(block: string, found: XmlElement | undefined) {
    if (found === undefined) this.addedKinds.push(block);
    else this.splice.replace(found, block);
    return undefined;
  }
}

function described(change: ConfigurationChange): string {
  switch (change.type) {
    case 'addRoot':
      return `the root ${sha256Of(change.certificate)}`;
    case 'removeRoot':
      return `the root ${change.sha256}`;
    case 'add':
    case 'remove':
      return `the ${change.list} ${change.value}`;
    case 'addBootstrapNode':
    case 'removeBootstrapNode': {
      const { address, port } = placeOf(change.node);
      return `the bootstrap-node ${address} port ${port}`;
    }
    case 'set':
      return `the element ${change.parameter}`;
    case 'setExpiration':
      return 'the expiration';
    case 'setKind':
    case 'removeKind':
      return `the Kind 0x${change.kindId.toString(16)}`;
  }
}

/** With its own namespace, so that it stands anywhere. */
function elementOf(
  change: Extract<ConfigurationChange, { type: 'addRoot' | 'add' | 'addBootstrapNode' }>,
): string {
  const attributes = { xmlns: ConfigurationNamespace.base };
  switch (change.type) {
    case 'addRoot': {
      const text = Buffer.from(change.certificate).toString('base64');
      return textElement('root-cert', text, attributes);
    }
    case 'add':
      return textElement(change.list, change.value, attributes);
    case 'addBootstrapNode':
      return emptyElement('bootstrap-node', { ...attributes, ...placeOf(change.node) });
  }
}

function childrenOf(
  element: XmlElement,
  localName: string,
  namespace: string = ConfigurationNamespace.base,
): XmlElement[] {
  return element.children.filter(
    (child) => child.localName === localName && child.namespace === namespace,
  );
}

function placeOf(node: IpAddressPort): { readonly address: string; readonly port: string } {
  if (node.type === 'unknown') throw new RangeError(`an address of type ${node.code}`);
  return { address: formatIpAddress(node.address), port: String(node.port) };
}

/** However the address is written. */
function isAt(element: XmlElement, node: IpAddressPort): boolean {
  const bytes = parseIpAddress(trimXml(attributeValue(element, 'address') ?? ''));
  const { address, port } = placeOf(node);
  const isHere = bytes !== undefined && formatIpAddress(bytes) === address;
  return isHere && trimXml(attributeValue(element, 'port') ?? PORT_DEFAULT) === port;
}

/** What is no certificate goes by its bytes, until the changed document is read and refused. */
function sha256Of(der: Uint8Array): string {
  const certificate = parseCertificate(der);
  const isRead = !(certificate instanceof CertificateRefusal);
  return isRead ? certificate.sha256 : Buffer.from(der).toString('hex');
}
