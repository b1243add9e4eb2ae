import type { NodeId } from '../../wire/node-id.ts';
import type { BareJid, Jid } from '../../xmpp-address/jid.ts';
import type { AccountServer } from '../account/account-server.ts';
import type { LocalSessions } from '../client-session/local-sessions.ts';
import type { Device, DirectStreams } from '../direct/direct-streams.ts';
import { mayBeAnsweredByError, type StanzaErrorCondition, stanzaError } from '../stanza/stanza.ts';
import { withAttributes, type XmppElement, type XmppNode } from '../stanza/xmpp-element.ts';
import type { XmppEnvironment } from '../xmpp-environment.ts';
import type { BlockList } from './block-list.ts';
import type { ClientTable } from './client-table.ts';
import type { DurableWrites } from './durable-writes.ts';
import type { FeatureTable } from './feature-table.ts';
import type { ParsedAddresses } from './parsed-addresses.ts';
import type { RemoteResources } from './remote-resources.ts';
import type { StanzaOrigin } from './stanza-origin.ts';
import type { WantedAddresses } from './wanted-addresses.ts';

/** What all parts of routing share. */
export interface RoutingContext {
  readonly environment: XmppEnvironment;
  /** The user's bare JID. */
  readonly own: Jid;
  readonly nodeId: NodeId;
  readonly sessions: LocalSessions;
  readonly streams: DirectStreams;
  /** The user's account at an ordinary server, if there is one. */
  readonly server: AccountServer | undefined;
  readonly clients: ClientTable;
  readonly wanted: WantedAddresses;
  readonly writes: DurableWrites;
  readonly addresses: ParsedAddresses;
  readonly resources: RemoteResources;
  readonly features: FeatureTable;
  readonly blocked: BlockList;
}

/** Sends a stanza back to where another came from. */
export function sendBack(context: RoutingContext, origin: StanzaOrigin, stanza: XmppElement): void {
  if (origin.type === 'client') context.sessions.send(origin.client.session, stanza);
  else if (origin.type === 'device') {
    context.streams.send(origin.device.nodeId, stanza, UNTRACKED);
  } else context.server?.send(withAttributes(stanza, { from: undefined }), UNTRACKED);
}

/** Answers a stanza with an error, where RFC 6120 §8.3.1 allows it, and tells of it. */
export function refuse(
  context: RoutingContext,
  origin: StanzaOrigin,
  stanza: XmppElement,
  condition: StanzaErrorCondition,
  text: string,
  applicationCondition: readonly XmppNode[] = [],
): void {
  const from = nameOf(origin, stanza);
  context.environment.event({ type: 'stanzaRefused', from, condition, reason: text });
  const isCopy = origin.type === 'server' && origin.isCopy === true;
  if (isCopy || !mayBeAnsweredByError(stanza)) return;
  const error = stanzaError(stanza, condition, text, applicationCondition);
  const addressee = error.attributes.get('from') ?? context.own.bare;
  sendBack(context, origin, withAttributes(error, { from: addressee }));
}

function nameOf(origin: StanzaOrigin, stanza: XmppElement): string {
  if (origin.type === 'client') return origin.client.jid.text;
  return origin.type === 'device' ? origin.device.nodeId : (stanza.attributes.get('from') ?? '');
}

/**
 * A stanza as it goes to this device: where a location of `address` leads to somebody else
 * (XEP-0415 §4), that one is the addressee.
 */
export function addressedTo(device: Device, address: BareJid, stanza: XmppElement): XmppElement {
  return device.user === address ? stanza : withAttributes(stanza, { to: device.user });
}

/** Sends to all connected devices of an address, without a place in the outbox; how many. */
export function sendToDevices(
  context: RoutingContext,
  address: BareJid,
  stanza: XmppElement,
): number {
  const devices = context.streams
    .devicesOf(address)
    .filter(({ nodeId }) => nodeId !== context.nodeId);
  for (const device of devices) {
    context.streams.send(device.nodeId, addressedTo(device, address, stanza), UNTRACKED);
  }
  return devices.length;
}

/** The tag of stanzas whose delivery nobody waits for; sequences of the outbox begin with 1. */
export const UNTRACKED = 0;
