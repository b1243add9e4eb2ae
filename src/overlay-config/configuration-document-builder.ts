/**
 * Configuration documents for whoever runs an overlay. Every element declares its namespaces
 * itself, so that the bytes under a signature say all by themselves what they mean.
 */
import { signDocument } from '../tls-auth/document-signature.ts';
import type { Signer } from '../tls-auth/signer.ts';
import type { IpAddressPort } from '../wire/ip-address-port.ts';
import { emptyElement, parentElement, textElement } from '../xml/write-xml.ts';
import { formatUtcTime } from './date-time.ts';
import { formatIpAddress } from './ip-address-text.ts';
import type { KindDefinition } from './kind-definition.ts';
import { ConfigurationNamespace } from './namespaces.ts';
import type { OverlayConfiguration, SelfTuning } from './overlay-configuration.ts';

/**
 * What goes into a `<configuration>`; what is left out has the default of RFC 6940 §11.1 with those
 * who read it.
 */
export interface ConfigurationContent
  extends Partial<Omit<OverlayConfiguration, LeftToOthers | 'selfTuning' | 'badNodes'>> {
  readonly instanceName: string;
  readonly sequence: number;
  readonly badNodes?: Iterable<string>;
  readonly selfTuning?: Pick<SelfTuning, 'peersToProbe'> | undefined;
  /** Signed by `buildKindBlock`, in any order. */
  readonly requiredKinds?: readonly Uint8Array[];
}
type LeftToOthers = 'kinds' | 'kindBlocks' | 'extensionElements' | 'extensionAttributes';

/**
 * The bytes of `<configuration>`: what a signature covers. Throws RangeError for values that the
 * document cannot hold.
 */
export function buildConfiguration(content: ConfigurationContent): Uint8Array {
  const attributes = {
    xmlns: ConfigurationNamespace.base,
    'xmlns:chord': ConfigurationNamespace.chord,
    ...(content.selfTuning === undefined
      ? {}
      : { 'xmlns:tuning': ConfigurationNamespace.selfTuning }),
    ...(content.certificateProfile === undefined
      ? {}
      : { 'xmlns:own': ConfigurationNamespace.extension }),
    'instance-name': content.instanceName,
    sequence: String(content.sequence),
    ...(content.expirationUnixMs === undefined
      ? {}
      : { expiration: formatUtcTime(content.expirationUnixMs) }),
  };
  const children = [
    ...topologyElements(content),
    ...credentialElements(content),
    ...transportElements(content),
    ...nodeElements(content),
    ...several('mandatory-extension', content.mandatoryExtensions),
    ...optional('own:certificate-profile', content.certificateProfile),
    ...kindElements(content),
  ];
  return utf8.encode(parentElement('configuration', attributes, children));
}

/** The whole document around signed `<configuration>` bytes, with the `<signature>` of `signer`. */
export function signConfiguration(configuration: Uint8Array, signer: Signer): Uint8Array {
  const signature = base64(signDocument(signer, configuration));
  return concatenate([
    utf8.encode(`${XML_DECLARATION}\n<overlay xmlns="${ConfigurationNamespace.base}">\n`),
    configuration,
    utf8.encode(`\n${textElement('signature', signature)}\n</overlay>\n`),
  ]);
}

/** A document without a signature: enough for a first configuration, which HTTPS vouches for. */
export function unsignedDocument(configuration: Uint8Array): Uint8Array {
  return concatenate([
    utf8.encode(`${XML_DECLARATION}\n<overlay xmlns="${ConfigurationNamespace.base}">\n`),
    configuration,
    utf8.encode('\n</overlay>\n'),
  ]);
}

/** A `<kind-block>` of `kind` with the kind-signature of `signer`, for required-kinds. */
export function buildKindBlock(kind: KindDefinition, signer: Signer): Uint8Array {
  const signed = utf8.encode(kindElement(kind));
  const signature = textElement('kind-signature', base64(signDocument(signer, signed)));
  return concatenate([
    utf8.encode(`<kind-block xmlns="${ConfigurationNamespace.base}">\n`),
    signed,
    utf8.encode(`\n${signature}\n</kind-block>`),
  ]);
}

function topologyElements(content: ConfigurationContent): string[] {
  return [
    ...optional('topology-plugin', content.topologyPlugin),
    ...optional('node-id-length', content.nodeIdLength),
    ...optional('chord:chord-update-interval', content.chordUpdateIntervalSeconds),
    ...optional('chord:chord-ping-interval', content.chordPingIntervalSeconds),
    ...optional('chord:chord-reactive', content.chordReactive),
    ...optional('tuning:number-of-peers-to-probe', content.selfTuning?.peersToProbe),
  ];
}

function credentialElements(content: ConfigurationContent): string[] {
  const { selfSignedDigest } = content;
  return [
    ...several('root-cert', content.rootCertificates?.map(base64)),
    ...several('enrollment-server', content.enrollmentServers),
    ...(selfSignedDigest === undefined
      ? []
      : [textElement('self-signed-permitted', 'true', { digest: selfSignedDigest })]),
    ...optional('shared-secret', content.sharedSecret),
  ];
}

function transportElements(content: ConfigurationContent): string[] {
  return [
    ...optional('turn-density', content.turnDensity),
    ...optional('clients-permitted', content.clientsPermitted),
    ...optional('no-ice', content.noIce),
    ...optional('max-message-size', content.maxMessageSizeBytes),
    ...optional('initial-ttl', content.initialTtl),
    ...optional('overlay-reliability-timer', content.overlayReliabilityTimerMs),
    ...several('overlay-link-protocol', content.overlayLinkProtocols),
  ];
}

function nodeElements(content: ConfigurationContent): string[] {
  return [
    ...(content.bootstrapNodes ?? []).map(bootstrapElement),
    ...several('configuration-signer', content.configurationSigners),
    ...several('kind-signer', content.kindSigners),
    ...several('bad-node', content.badNodes),
  ];
}

function kindElements(content: ConfigurationContent): string[] {
  const blocks = content.requiredKinds ?? [];
  if (blocks.length === 0) return [];
  const decoder = new TextDecoder('utf-8', { fatal: true });
  return [
    parentElement(
      'required-kinds',
      {},
      blocks.map((block) => decoder.decode(block)),
    ),
  ];
}

/** A registered Kind goes by its name, a private one by its Kind-ID (RFC 6940 §11.1). */
function kindElement(kind: KindDefinition): string {
  const key = kind.name === undefined ? { id: String(kind.kindId) } : { name: kind.name };
  return parentElement('kind', { xmlns: ConfigurationNamespace.base, ...key }, [
    textElement('data-model', kind.dataModel.toUpperCase()),
    textElement('access-control', kind.accessPolicy),
    ...optional('max-node-multiple', kind.maxNodeMultiple),
    textElement('max-count', String(kind.maxCount)),
    textElement('max-size', String(kind.maxSizeBytes)),
  ]);
}

function bootstrapElement(node: IpAddressPort): string {
  if (node.type === 'unknown') {
    throw new RangeError(`expected an IPv4 or IPv6 address, got one of type ${node.code}`);
  }
  const address = formatIpAddress(node.address);
  return emptyElement('bootstrap-node', { address, port: String(node.port) });
}

function optional(name: string, value: string | number | boolean | undefined): string[] {
  return value === undefined ? [] : [textElement(name, String(value))];
}

function several(name: string, values: Iterable<string> = []): string[] {
  return [...values].map((value) => textElement(name, value));
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

const utf8 = new TextEncoder();
const XML_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>';
