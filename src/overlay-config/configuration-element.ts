/** What stands inside `<configuration>` — RFC 6940 §11.1. */
import type { IpAddressPort } from '../wire/ip-address-port.ts';
import type { KindId } from '../wire/stored-data.ts';
import { attributeValue, type XmlElement } from '../xml/xml-element.ts';
import { ConfigurationFault, quoted } from './configuration-fault.ts';
import { ElementParts, type ElementShape, requiredAttribute } from './element-parts.ts';
import {
  integerFrom,
  nodeIdOfLength,
  oneOf,
  parseInteger,
  placeOf,
  readBoolean,
  readCertificate,
  readSomeText,
  readText,
  trimXml,
} from './element-values.ts';
import { parseIpAddress } from './ip-address-text.ts';
import { readKindBlock } from './kind-block.ts';
import type { KindDefinition } from './kind-definition.ts';
import { ConfigurationNamespace, SUPPORTED_NAMESPACES } from './namespaces.ts';
import type { OverlayConfiguration, SelfTuning } from './overlay-configuration.ts';
import type { ParsedKindBlock, SignedConfiguration } from './parsed-configuration.ts';
import { BUILT_IN_KINDS } from './registered-kinds.ts';

/** Throws ConfigurationFault. */
export function readConfigurationElement(
  element: XmlElement,
  signed: SignedConfiguration,
  document: Uint8Array,
): { configuration: OverlayConfiguration; kindBlocks: readonly ParsedKindBlock[] } {
  const parts = new ElementParts(element, CONFIGURATION_SHAPE);
  // First: the rest of a document may rest upon an extension that we do not understand.
  const mandatoryExtensions = parts.all('mandatory-extension', readMandatoryExtension);
  const kindBlocks = readRequiredKinds(parts, document);
  const configuration: OverlayConfiguration = {
    instanceName: signed.instanceName,
    sequence: signed.sequence,
    expirationUnixMs: signed.expirationUnixMs,
    mandatoryExtensions,
    ...readTopology(parts),
    ...readCredentials(parts),
    ...readTransport(parts),
    ...readNodes(parts),
    ...kindsOf(kindBlocks),
    ...readExtensions(parts, signed.instanceName),
  };
  checkCredentials(element, configuration);
  return { configuration, kindBlocks };
}

function readTopology(parts: ElementParts) {
  const { prose, grammar } = TOPOLOGY_PLUGIN;
  const readPlugin = oneOf(TOPOLOGY_PLUGINS);
  const plugin = parts.optional(grammar, readPlugin) ?? parts.optional(prose, readPlugin);
  return {
    topologyPlugin: plugin ?? TOPOLOGY_PLUGINS[0],
    nodeIdLength: parts.optional('node-id-length', readNodeIdLength) ?? NODE_ID_LENGTH,
    chordUpdateIntervalSeconds:
      parts.optional('chord-update-interval', integerFrom(1, INT_MAX)) ?? 600,
    chordPingIntervalSeconds:
      parts.optional('chord-ping-interval', integerFrom(1, INT_MAX)) ?? 3600,
    chordReactive: parts.optional('chord-reactive', readBoolean) ?? true,
  };
}

/**
 * Intentional divergence from RFC 6940 §11.1, which allows 16 to 20 bytes: §10 fixes Resource-IDs
 * and hashes of CHORD-RELOAD to 128 bits, so that other lengths have no defined ring.
 */
function readNodeIdLength(element: XmlElement): number {
  const length = integerFrom(16, 20)(element);
  if (length === NODE_ID_LENGTH) return length;
  const expected = `${NODE_ID_LENGTH} bytes, the only length with a defined ring of CHORD-RELOAD`;
  throw new ConfigurationFault('unsupported', placeOf(element), expected, quoted(String(length)));
}

function readCredentials(parts: ElementParts) {
  return {
    rootCertificates: parts.all('root-cert', readCertificate),
    enrollmentServers: parts.all('enrollment-server', readEnrollmentServer),
    selfSignedDigest: parts.optional('self-signed-permitted', readSelfSigned),
    sharedSecret: parts.optional('shared-secret', readText),
  };
}

function readTransport(parts: ElementParts) {
  const linkProtocols = parts.all('overlay-link-protocol', readSomeText);
  const unusable = linkProtocols.length > 0 && !linkProtocols.includes(LINK_PROTOCOL);
  if (unusable) parts.all('overlay-link-protocol', oneOf([LINK_PROTOCOL]));
  return {
    turnDensity: parts.optional('turn-density', integerFrom(0, 255)) ?? 1,
    clientsPermitted: parts.optional('clients-permitted', readBoolean) ?? true,
    noIce: parts.optional('no-ice', readBoolean) ?? false,
    maxMessageSizeBytes:
      parts.optional('max-message-size', integerFrom(1, MESSAGE_BYTES_MAX)) ?? 5000,
    initialTtl: parts.optional('initial-ttl', integerFrom(1, 255)) ?? 100,
    overlayReliabilityTimerMs:
      parts.optional('overlay-reliability-timer', integerFrom(200, INT_MAX)) ?? 3000,
    // "If one or more elements appear, then no default value applies."
    overlayLinkProtocols: linkProtocols.length > 0 ? linkProtocols : [LINK_PROTOCOL],
  };
}

function readNodes(parts: ElementParts) {
  const readNodeId = nodeIdOfLength(NODE_ID_LENGTH);
  return {
    bootstrapNodes: parts.all('bootstrap-node', readBootstrapNode),
    configurationSigners: parts.all('configuration-signer', readNodeId),
    kindSigners: parts.all('kind-signer', readNodeId),
    badNodes: new Set(parts.all('bad-node', readNodeId)),
  };
}

function readMandatoryExtension(element: XmlElement): string {
  const namespace = readSomeText(element);
  if (SUPPORTED_NAMESPACES.has(namespace)) return namespace;
  const expected = `an extension this program supports (${[...SUPPORTED_NAMESPACES].join(', ')})`;
  throw new ConfigurationFault('unsupported', placeOf(element), expected, quoted(namespace));
}

/** The prose once speaks of a "url" element inside; the grammar and the example have plain text. */
function readEnrollmentServer(element: XmlElement): string {
  const [child] = element.children;
  const isWrapped = child?.localName === 'url' && element.children.length === 1;
  const text = readSomeText(isWrapped ? child : element);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'https:') return text;
  throw new ConfigurationFault('invalid', placeOf(element), 'a URL of type https:', quoted(text));
}

function readSelfSigned(element: XmlElement): 'sha1' | 'sha256' | undefined {
  const isPermitted = readBoolean(element, 'digest');
  const [text, place] = requiredAttribute(element, 'digest');
  if (!isPermitted) return undefined;
  const digest = trimXml(text);
  if (digest === 'sha1' || digest === 'sha256') return digest;
  throw new ConfigurationFault('unsupported', place, 'sha1 or sha256', quoted(digest));
}

function readBootstrapNode(element: XmlElement): IpAddressPort {
  new ElementParts(element, { attributes: ['address', 'port'] });
  const [text, place] = requiredAttribute(element, 'address');
  const address = parseIpAddress(trimXml(text));
  if (address === undefined) {
    throw new ConfigurationFault('invalid', place, 'an IPv4 or IPv6 address', quoted(text));
  }
  const portText = attributeValue(element, 'port') ?? PORT_DEFAULT;
  const port = parseInteger(portText, 1, 65_535, placeOf(element, 'port'));
  return { type: address.length === 4 ? 'ipv4' : 'ipv6', address, port };
}

function readRequiredKinds(parts: ElementParts, document: Uint8Array): ParsedKindBlock[] {
  const list = parts.optional('required-kinds', (element) => element);
  if (list === undefined) return [];
  const blocks = new ElementParts(list, { base: { 'kind-block': 'often' } });
  const known = new Set<KindId>();
  return blocks.all('kind-block', (element) => {
    const block = readKindBlock(element, document);
    if (known.has(block.definition.kindId)) {
      throw new ConfigurationFault('invalid', placeOf(element), 'each Kind once', 'one again');
    }
    known.add(block.definition.kindId);
    if (known.size <= KIND_BLOCKS_MAX) return block;
    const expected = `at most ${KIND_BLOCKS_MAX} Kinds`;
    throw new ConfigurationFault('unsupported', placeOf(element), expected, 'more');
  });
}

function kindsOf(blocks: readonly ParsedKindBlock[]) {
  const kinds = new Map<KindId, KindDefinition>(BUILT_IN_KINDS);
  const kindBlocks = new Map<KindId, Uint8Array>();
  for (const { definition, blockBytes } of blocks) {
    kinds.set(definition.kindId, definition);
    kindBlocks.set(definition.kindId, blockBytes);
  }
  return { kinds, kindBlocks };
}

function readExtensions(parts: ElementParts, overlayName: string) {
  const own = parts.foreign.filter(
    ({ namespace }) => namespace === ConfigurationNamespace.extension,
  );
  const tuning = parts.foreign.filter(
    ({ namespace }) => namespace === ConfigurationNamespace.selfTuning,
  );
  const isTuning =
    tuning.length > 0 || parts.optional(TOPOLOGY_PLUGIN.grammar, readText) === SELF_TUNING;
  const profiles = own.filter(({ localName }) => localName === 'certificate-profile');
  const profile = profiles.map(oneOf(CERTIFICATE_PROFILES))[0];
  return {
    // XEP-0416 §3 binds the overlay xmpp.org, whatever its document says.
    certificateProfile:
      overlayName === XEP_0416_OVERLAY
        ? CERTIFICATE_PROFILES[0]
        : (profile ?? CERTIFICATE_PROFILES[0]),
    selfTuning: isTuning ? readSelfTuning(tuning) : undefined,
    extensionElements: parts.foreign.filter(
      ({ namespace }) => !SUPPORTED_NAMESPACES.has(namespace),
    ),
    extensionAttributes: parts.element.attributes.filter(({ namespace }) => namespace !== ''),
  };
}

/** RFC 7363 §7. */
function readSelfTuning(elements: readonly XmlElement[]): SelfTuning {
  const probed = elements.find(({ localName }) => localName === 'number-of-peers-to-probe');
  return {
    peersToProbe: probed === undefined ? 4 : integerFrom(0, PEERS_TO_PROBE_MAX)(probed),
    values: new Map(elements.map((element) => [element.localName, readText(element)])),
  };
}

/** Without either, no certificate of this overlay could ever be valid. */
function checkCredentials(element: XmlElement, configuration: OverlayConfiguration): void {
  if (configuration.rootCertificates.length > 0) return;
  if (configuration.selfSignedDigest !== undefined) return;
  const expected = 'a <root-cert>, or <self-signed-permitted> with "true"';
  throw new ConfigurationFault('invalid', placeOf(element), expected, 'neither');
}

/** The prose spells it the one way, the example and the grammar the other. */
const TOPOLOGY_PLUGIN = { grammar: 'topology-plugin', prose: 'topology-plug-in' } as const;

const CONFIGURATION_SHAPE: ElementShape = {
  attributes: ['instance-name', 'expiration', 'sequence'],
  base: {
    [TOPOLOGY_PLUGIN.grammar]: 'once',
    [TOPOLOGY_PLUGIN.prose]: 'once',
    'node-id-length': 'once',
    'root-cert': 'often',
    'enrollment-server': 'often',
    'self-signed-permitted': 'once',
    'bootstrap-node': 'often',
    'turn-density': 'once',
    'clients-permitted': 'once',
    'no-ice': 'once',
    'shared-secret': 'once',
    'max-message-size': 'once',
    'initial-ttl': 'once',
    // Missing from the grammar of §11.1.1, defined by the prose of §11.1.
    'overlay-reliability-timer': 'once',
    'overlay-link-protocol': 'often',
    'configuration-signer': 'often',
    'kind-signer': 'often',
    'bad-node': 'often',
    'mandatory-extension': 'often',
    'required-kinds': 'once',
  },
  chord: {
    'chord-update-interval': 'once',
    'chord-ping-interval': 'once',
    'chord-reactive': 'once',
  },
  foreignElements: true,
};

const SELF_TUNING = 'CHORD-SELF-TUNING';
const TOPOLOGY_PLUGINS = ['CHORD-RELOAD', SELF_TUNING] as const;
const CERTIFICATE_PROFILES = ['xep-0416', 'rfc6940'] as const;
const XEP_0416_OVERLAY = 'xmpp.org';
const LINK_PROTOCOL = 'TLS';
const NODE_ID_LENGTH = 16;
/** Port of RELOAD — RFC 6940 §11.1. */
export const PORT_DEFAULT = '6084';
const KIND_BLOCKS_MAX = 64;
/** Fragment offsets have 24 bits (RFC 6940 §6.7). */
const MESSAGE_BYTES_MAX = 0xffffff;
/** A finger table of 128-bit identifiers has no more entries. */
const PEERS_TO_PROBE_MAX = 128;
/** xsd:int. */
const INT_MAX = 0x7fffffff;
