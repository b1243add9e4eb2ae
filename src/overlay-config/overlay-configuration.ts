import type { IpAddressPort } from '../wire/ip-address-port.ts';
import type { NodeId } from '../wire/node-id.ts';
import type { KindId } from '../wire/stored-data.ts';
import type { XmlAttribute, XmlElement } from '../xml/xml-element.ts';
import type { KindDefinition } from './kind-definition.ts';

/** One `<configuration>` element with its defaults filled in — RFC 6940 §11.1. */
export interface OverlayConfiguration {
  readonly instanceName: string;
  /** 0 to 65534. */
  readonly sequence: number;
  /** ms since 1970; the document is fetched again before. */
  readonly expirationUnixMs: number | undefined;
  readonly topologyPlugin: string;
  /** Bytes; 16 with CHORD-RELOAD. */
  readonly nodeIdLength: number;
  /** DER. */
  readonly rootCertificates: readonly Uint8Array[];
  readonly enrollmentServers: readonly string[];
  readonly selfSignedDigest: 'sha1' | 'sha256' | undefined;
  readonly bootstrapNodes: readonly IpAddressPort[];
  readonly turnDensity: number;
  readonly clientsPermitted: boolean;
  readonly noIce: boolean;
  readonly chordUpdateIntervalSeconds: number;
  readonly chordPingIntervalSeconds: number;
  readonly chordReactive: boolean;
  readonly sharedSecret: string | undefined;
  readonly maxMessageSizeBytes: number;
  readonly initialTtl: number;
  readonly overlayReliabilityTimerMs: number;
  readonly overlayLinkProtocols: readonly string[];
  readonly configurationSigners: readonly NodeId[];
  readonly kindSigners: readonly NodeId[];
  readonly badNodes: ReadonlySet<NodeId>;
  readonly mandatoryExtensions: readonly string[];
  /** Built-in Kinds and those of required-kinds, by Kind-ID: what this overlay stores. */
  readonly kinds: ReadonlyMap<KindId, KindDefinition>;
  /** The exact bytes of each `<kind-block>` of the document, for a ConfigUpdate of Kinds. */
  readonly kindBlocks: ReadonlyMap<KindId, Uint8Array>;
  readonly certificateProfile: 'xep-0416' | 'rfc6940';
  /** RFC 7363 timing, where the document has it. */
  readonly selfTuning: SelfTuning | undefined;
  /** Elements of namespaces that we do not know, in document order. */
  readonly extensionElements: readonly XmlElement[];
  /** Attributes of `<configuration>` in namespaces that we do not know. */
  readonly extensionAttributes: readonly XmlAttribute[];
}

/** The elements of urn:ietf:params:xml:ns:p2p:self-tuning — RFC 7363 §7. */
export interface SelfTuning {
  /** Fingers to which Probe requests are sent for their estimates. */
  readonly peersToProbe: number;
  /** Every element of the namespace, by local name. */
  readonly values: ReadonlyMap<string, string>;
}
