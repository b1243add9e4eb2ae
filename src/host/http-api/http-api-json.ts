import type { Location } from '../../reload/command.ts';
import type { LinkStatus, PeerStatus } from '../../reload/peer-options.ts';
import type { ValueSummary } from '../../storage/store-result.ts';
import type { AuthenticatedNode } from '../../tls-auth/authenticated-node.ts';
import type { Destination } from '../../wire/destination.ts';
import { toHex } from '../../wire/hex.ts';
import type { XmppLocation } from '../../wire/xmpp-location.ts';
import { toPem } from '../links/link-credentials.ts';
import type { RevocationReport } from '../revocation/revocation-service.ts';
import { formatSocketAddress, fromIpAddressPort } from '../socket-address.ts';

/** A certificate that a lookup verified; `pem` is the leaf, `chainPem` all but the root. */
export function certificateJson(node: AuthenticatedNode) {
  return {
    nodeId: node.nodeId,
    jid: node.userName,
    notAfter: isoTime(node.certificate.notAfterUnixMs),
    fingerprintSha256: node.certificate.sha256,
    verified: true,
    pem: toPem(node.certificate.der),
    chainPem: node.chain.map(toPem).join(''),
  };
}

/** The policy, and the lists that are wanted, each with what is held of it. */
export function revocationJson(report: RevocationReport | undefined) {
  if (report === undefined) return { revocation: { policy: 'off' } };
  const lists = report.lists.map(({ url, list, lastFailure }) => ({
    url,
    ...(list === undefined
      ? {}
      : {
          number: list.crlNumber?.toString(),
          entries: list.entries.size,
          thisUpdate: isoTime(list.thisUpdateUnixMs),
          nextUpdate: isoTime(list.nextUpdateUnixMs),
        }),
    ...(lastFailure === undefined ? {} : { failure: lastFailure }),
  }));
  return { revocation: { policy: report.policy, lists } };
}

/** An XMPP-LOCATION entry — XEP-0415 §4.2. */
export function locationJson(location: Location) {
  return {
    nodeId: location.nodeId,
    ...xmppLocationJson(location.location),
    jid: location.signer.userName,
    storedAt: isoTime(location.storageTimeUnixMs),
    lifetimeSeconds: location.lifetimeSeconds,
    verified: true,
  };
}

export function linkJson(link: LinkStatus) {
  const address = fromIpAddressPort(link.remoteAddress);
  return {
    nodeId: link.nodeId,
    jid: link.userName,
    address: address === undefined ? null : formatSocketAddress(address),
    routable: link.routable,
    suspect: link.suspect,
    roundTripMs: link.roundTripMs === undefined ? null : rounded(link.roundTripMs),
    sentBytes: link.sentBytes,
    receivedBytes: link.receivedBytes,
  };
}

/** A time in ms to the microsecond: what the clock tells, without its binary noise. */
export function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/** The tables of a peer. */
export function peersJson(status: PeerStatus) {
  return {
    nodeId: status.nodeId,
    predecessors: status.predecessors,
    successors: status.successors,
    fingers: status.fingers,
    links: status.links.map(linkJson),
  };
}

/** A value that the peer stores for the overlay. */
export function valueJson(value: ValueSummary) {
  const { place } = value;
  return {
    resource: value.resource,
    kind: value.kind,
    ...(place.model === 'array' ? { index: place.index } : {}),
    ...(place.model === 'dictionary' ? { key: toHex(place.key) } : {}),
    exists: value.exists,
    signer: { nodeId: value.signerNodeId, jid: value.signerUserName },
    storedAt: isoTime(value.storageTimeUnixMs),
    expiresAt: isoTime(value.expiresUnixMs),
    sizeBytes: value.sizeBytes,
  };
}

/** RFC 3339; null for a time beyond what a Date holds, which a stranger's clock may claim. */
export function isoTime(unixMs: number): string | null {
  const date = new Date(unixMs);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}

function xmppLocationJson(location: XmppLocation) {
  switch (location.type) {
    case 'address':
      return { type: 'address', address: location.address };
    case 'route':
      return {
        type: 'route',
        priority: location.priority,
        destinationList: location.destinationList.map(destinationJson),
      };
    case 'unknown':
      return { type: `unknown-${location.code}`, data: toHex(location.data) };
  }
}

function destinationJson(destination: Destination) {
  switch (destination.type) {
    case 'node':
      return { node: destination.nodeId };
    case 'resource':
      return { resource: destination.resourceId };
    case 'opaque':
      return { opaque: toHex(destination.id) };
    case 'compressed':
      return { compressed: destination.id };
    case 'unknown':
      return { [`unknown-${destination.code}`]: toHex(destination.data) };
  }
}
