import type { Command } from '../../src/reload/command.ts';
import type { RandomSource } from '../../src/reload/peer-options.ts';
import type { Now } from '../../src/storage/now.ts';
import type { AuthenticatedNode } from '../../src/tls-auth/authenticated-node.ts';
import type { Authenticator } from '../../src/tls-auth/authenticator.ts';
import { nodeDestination } from '../../src/wire/destination.ts';
import type { NodeId } from '../../src/wire/node-id.ts';
import type { XmppLocation } from '../../src/wire/xmpp-location.ts';
import type { XmppEvent } from '../../src/xmpp/xmpp-event.ts';
import type { DirectLinkId, XmppInput } from '../../src/xmpp/xmpp-input.ts';
import type { XmppOutput } from '../../src/xmpp/xmpp-output.ts';
import type { BareJid } from '../../src/xmpp-address/jid.ts';

/** What runs on a device: an XmppUsage, or a part of one. */
export interface VirtualCore {
  handle(input: XmppInput, now: Now): readonly XmppOutput[];
  nextDeadline(): number | undefined;
}

export interface VirtualIdentity {
  readonly ownNodeId: NodeId;
  readonly ownUser: BareJid;
  readonly authenticator: Authenticator;
  readonly random: RandomSource;
}

/** One device of a VirtualXmpp, with all that it has said. */
export class VirtualDevice {
  readonly name: string;
  readonly nodeId: NodeId;
  readonly user: BareJid;
  readonly authenticator: Authenticator;
  readonly events: XmppEvent[] = [];
  /** Bytes to its clients, and the ends of their connections, in order. */
  readonly toClients: XmppOutput[] = [];
  /** What is on its disk. */
  readonly records = new Map<string, Uint8Array>();
  readonly links = new Map<DirectLinkId, VirtualLink>();
  readonly commands: Command[] = [];
  node: AuthenticatedNode;
  core: VirtualCore;
  isUp = true;
  hasStopped = false;
  /** Counts restarts: what was on its way to a former process arrives nowhere. */
  life = 0;
  /** Published for its user, by itself; undefined: nothing. */
  location: XmppLocation | undefined;

  constructor(
    name: string,
    node: AuthenticatedNode,
    authenticator: Authenticator,
    core: VirtualCore,
  ) {
    this.name = name;
    this.node = node;
    this.nodeId = node.nodeId;
    this.user = node.xmppAddr as BareJid;
    this.authenticator = authenticator;
    this.core = core;
    const destinationList = [nodeDestination(node.nodeId)];
    this.location = { type: 'route', priority: 0, destinationList };
  }
}

export interface VirtualLink {
  readonly ends: readonly [LinkEnd, LinkEnd];
  isOpen: boolean;
}

export interface LinkEnd {
  readonly device: VirtualDevice;
  readonly link: DirectLinkId;
}
