/** What the document in force needs, so that it stays what the authority wishes and in force. */
import type { ConfigurationChange } from '../../overlay-config/configuration-edit.ts';
import { formatIpAddress } from '../../overlay-config/ip-address-text.ts';
import type { KindDefinition } from '../../overlay-config/kind-definition.ts';
import type { OverlayConfiguration } from '../../overlay-config/overlay-configuration.ts';
import type { IpAddressPort } from '../../wire/ip-address-port.ts';

/** What of a configuration can change while an authority runs. */
export interface ConfigurationWish {
  /** https URL. */
  readonly ownEnrollmentServer: string;
  /** https URLs of other authorities; undefined: those of the document in force. */
  readonly otherEnrollmentServers: readonly string[] | undefined;
  /** undefined: those of the document in force. */
  readonly bootstrapNodes: readonly IpAddressPort[] | undefined;
}

/** The wish against what the document has. What an operator took out of it stays out. */
export function wishedChanges(
  configuration: OverlayConfiguration,
  wish: ConfigurationWish,
  ownServerBefore: string | undefined,
): ConfigurationChange[] {
  return [
    ...serverChanges(configuration, wish, ownServerBefore),
    ...bootstrapChanges(configuration, wish),
  ];
}

/** Anew in time: peers ask for a document before it expires. */
export function renewalChanges(
  { expirationUnixMs }: OverlayConfiguration,
  unixMs: number,
): ConfigurationChange[] {
  if (expirationUnixMs === undefined) return [];
  return expirationUnixMs - unixMs > LIFETIME_MS / 2 ? [] : [fullLifetime(unixMs)];
}

/** The Kinds that the own kind signer has signed, signed anew with its present certificate. */
export async function kindChanges(
  definitions: readonly KindDefinition[],
  sign: (kind: KindDefinition) => Promise<Uint8Array>,
): Promise<ConfigurationChange[]> {
  const changes: ConfigurationChange[] = [];
  for (const kind of definitions) {
    changes.push({ type: 'setKind', kindId: kind.kindId, block: await sign(kind) });
  }
  return changes;
}

export function expirationFrom(unixMs: number): number {
  return unixMs - (unixMs % 1000) + LIFETIME_MS;
}

function fullLifetime(unixMs: number): ConfigurationChange {
  return { type: 'setExpiration', unixMs: expirationFrom(unixMs) };
}

function serverChanges(
  { enrollmentServers: present }: OverlayConfiguration,
  wish: ConfigurationWish,
  ownServerBefore: string | undefined,
): ConfigurationChange[] {
  const { ownEnrollmentServer: own } = wish;
  const before = ownServerBefore ?? present[0];
  const isListed = before === undefined || present.includes(before) || present.includes(own);
  const others =
    wish.otherEnrollmentServers ?? present.filter((url) => url !== before && url !== own);
  const wanted = new Set([...(isListed ? [own] : []), ...others]);
  const list = 'enrollment-server';
  return [
    ...present
      .filter((url) => !wanted.has(url))
      .map((value) => ({ type: 'remove', list, value }) as const),
    ...[...wanted]
      .filter((url) => !present.includes(url))
      .map((value) => ({ type: 'add', list, value }) as const),
  ];
}

function bootstrapChanges(
  { bootstrapNodes: present }: OverlayConfiguration,
  { bootstrapNodes: wanted }: ConfigurationWish,
): ConfigurationChange[] {
  if (wanted === undefined) return [];
  const isIn = (nodes: readonly IpAddressPort[], node: IpAddressPort) =>
    nodes.some((other) => addressText(other) === addressText(node));
  return [
    ...present
      .filter((node) => !isIn(wanted, node))
      .map((node) => ({ type: 'removeBootstrapNode', node }) as const),
    ...wanted
      .filter((node, index) => !isIn(present, node) && !isIn(wanted.slice(0, index), node))
      .map((node) => ({ type: 'addBootstrapNode', node }) as const),
  ];
}

function addressText(node: IpAddressPort): string {
  return node.type === 'unknown' ? '' : `${formatIpAddress(node.address)} ${node.port}`;
}

/** Peers fetch it again before; half-way a new one is published. */
const LIFETIME_MS = 30 * 86_400_000;
