import { createHash } from 'node:crypto';
import { formatUtcTime } from '../overlay-config/date-time.ts';
import { formatIpAddress } from '../overlay-config/ip-address-text.ts';
import type { KindDefinition } from '../overlay-config/kind-definition.ts';
import type { OverlayConfiguration } from '../overlay-config/overlay-configuration.ts';
import type { IpAddressPort } from '../wire/ip-address-port.ts';

/** A configuration for programs: `xor config show --json`. A shared secret is not among it. */
export function configurationReport(configuration: OverlayConfiguration) {
  const { expirationUnixMs } = configuration;
  return {
    overlay: configuration.instanceName,
    sequence: configuration.sequence,
    expiration: expirationUnixMs === undefined ? null : formatUtcTime(expirationUnixMs),
    topologyPlugin: configuration.topologyPlugin,
    nodeIdLength: configuration.nodeIdLength,
    certificateProfile: configuration.certificateProfile,
    rootCertificates: configuration.rootCertificates.map(sha256),
    enrollmentServers: configuration.enrollmentServers,
    selfSignedDigest: configuration.selfSignedDigest ?? null,
    bootstrapNodes: configuration.bootstrapNodes.map(addressText),
    turnDensity: configuration.turnDensity,
    clientsPermitted: configuration.clientsPermitted,
    noIce: configuration.noIce,
    chordUpdateIntervalSeconds: configuration.chordUpdateIntervalSeconds,
    chordPingIntervalSeconds: configuration.chordPingIntervalSeconds,
    chordReactive: configuration.chordReactive,
    hasSharedSecret: configuration.sharedSecret !== undefined,
    maxMessageSizeBytes: configuration.maxMessageSizeBytes,
    initialTtl: configuration.initialTtl,
    overlayReliabilityTimerMs: configuration.overlayReliabilityTimerMs,
    overlayLinkProtocols: configuration.overlayLinkProtocols,
    configurationSigners: configuration.configurationSigners,
    kindSigners: configuration.kindSigners,
    badNodes: [...configuration.badNodes],
    mandatoryExtensions: configuration.mandatoryExtensions,
    kinds: [...configuration.kinds.values()].map(kindReport),
  };
}
export type ConfigurationReport = ReturnType<typeof configurationReport>;

/** The same for people: a name and a value a line, lists one below the other. */
export function formatConfigurationReport(report: ConfigurationReport): string {
  const { kinds, ...fields } = report;
  const lines = Object.entries(fields).flatMap(([name, value]) => fieldLines(name, value));
  const kindLines = kinds.map((kind, index) => line(index === 0 ? 'kinds' : '', kindText(kind)));
  return [...lines, ...kindLines].join('\n');
}

function kindReport(kind: KindDefinition) {
  return {
    kindId: kind.kindId,
    name: kind.name ?? null,
    dataModel: kind.dataModel,
    accessPolicy: kind.accessPolicy,
    maxCount: kind.maxCount,
    maxSizeBytes: kind.maxSizeBytes,
    ...(kind.maxNodeMultiple === undefined ? {} : { maxNodeMultiple: kind.maxNodeMultiple }),
    findAllowed: kind.findAllowed,
  };
}

function kindText(kind: ConfigurationReport['kinds'][number]): string {
  const id = `0x${kind.kindId.toString(16)}`;
  const limits = `at most ${kind.maxCount} of ${kind.maxSizeBytes} bytes`;
  const name = kind.name === null ? id : `${kind.name} (${id})`;
  return `${name}: ${kind.dataModel}, ${kind.accessPolicy}, ${limits}`;
}

function fieldLines(name: string, value: unknown): string[] {
  if (!Array.isArray(value)) return [line(name, value === null ? 'none' : String(value))];
  if (value.length === 0) return [line(name, 'none')];
  return value.map((entry, index) => line(index === 0 ? name : '', String(entry)));
}

function line(name: string, value: string): string {
  return `${name.padEnd(NAME_WIDTH)}${value}`;
}

function addressText(node: IpAddressPort): string {
  if (node.type === 'unknown') return `an address of type ${node.code}`;
  const address = formatIpAddress(node.address);
  return node.type === 'ipv6' ? `[${address}]:${node.port}` : `${address}:${node.port}`;
}

function sha256(der: Uint8Array): string {
  return `sha256:${createHash('sha256').update(der).digest('hex')}`;
}

const NAME_WIDTH = 28;
