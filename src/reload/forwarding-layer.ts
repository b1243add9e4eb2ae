import { type Destination, nodeDestination } from '../wire/destination.ts';
import { ErrorCode } from '../wire/error-response.ts';
import { ForwardingOptionFlag, RELOAD_VERSION } from '../wire/forwarding-header.ts';
import { ForwardingView } from '../wire/forwarding-view.ts';
import { MalformedMessage } from '../wire/malformed-message.ts';
import { isRequestCode, MessageCode } from '../wire/message-contents.ts';
import { isWildcard, type NodeId } from '../wire/node-id.ts';
import type { LinkManager } from './link-manager.ts';
import type { Link } from './link-state.ts';
import type { PeerEnvironment } from './peer-environment.ts';
import { type RingId, successorPoint } from './ring.ts';

/** What forwarding asks of the rest of the Peer. */
export interface ForwardingListener {
  /** A message for this node: its Node-ID, the wildcard, or a Resource-ID it answers for. */
  deliver(view: ForwardingView, from: Link | undefined): void;
  /** Answers a request that is not forwarded with an error. */
  refuse(view: ForwardingView, from: Link, errorCode: ErrorCode, detail: string): void;
  isInRing(): boolean;
  /** A connected node looks for its Admitting Peer through this one, which knows none. */
  noteAsking(nodeId: NodeId): void;
  isResponsible(id: RingId): boolean;
  /** The Routing Table's choice for `id` (RFC 6940 §10.3); undefined if there is none. */
  nextHop(id: RingId): NodeId | undefined;
  /** Whom this peer takes to be responsible for `id`, of those between it and this peer. */
  ownerOf(id: RingId): NodeId | undefined;
  /** Whether a peer that cannot be connected to is responsible for `id`, up to `last` at most. */
  isBehindGap(id: RingId, last: NodeId): boolean;
  /** Neighbours whose certificate names several Node-IDs must attach first (RFC 6940 §6.1.2). */
  hasAttached(nodeId: NodeId): boolean;
}

/**
 * Where a message goes — RFC 6940 §6.1. Only the ForwardingHeader is read, in place; nothing is
 * verified here, the destination does that.
 */
export class ForwardingLayer {
  private readonly env: PeerEnvironment;
  private readonly links: LinkManager;
  private readonly listener: ForwardingListener;
  private readonly overlay: number;

  constructor(
    env: PeerEnvironment,
    links: LinkManager,
    listener: ForwardingListener,
    overlay: number,
  ) {
    this.env = env;
    this.links = links;
    this.listener = listener;
    this.overlay = overlay;
  }

  /** A message from a neighbour — RFC 6940 §6.1.1. */
  receive(from: Link, bytes: Uint8Array): void {
    this.env.counters.received++;
    const view = ForwardingView.over(bytes, this.env.configuration.nodeIdLength);
    if (view instanceof MalformedMessage) {
      this.env.drop('malformed', `from ${from.nodeId}: ${view.describe()}`);
      this.links.close(from.id, `malformed message: ${view.describe()}`);
      return;
    }
    if (bytes.length > this.env.configuration.maxMessageSizeBytes) {
      this.refuseOversized(view, from);
      return;
    }
    if (view.overlay !== this.overlay || view.version !== RELOAD_VERSION) {
      const detail = `overlay ${view.overlay.toString(16)}, version ${view.version}`;
      this.env.drop('bad-header', `from ${from.nodeId}: ${detail}`);
      return;
    }
    // Under another configuration the initial TTL may be another: how else would we hear of it?
    const isUnderOurs = view.configurationSequence === this.env.configuration.sequence;
    if (isUnderOurs && view.ttl > this.env.configuration.initialTtl) {
      this.env.drop('bad-header', `from ${from.nodeId}: TTL ${view.ttl} is above the initial TTL`);
      this.listener.refuse(view, from, ErrorCode.Error_TTL_Exceeded, 'TTL above the initial TTL');
      return;
    }
    if (!this.mayUse(view, from)) return;
    this.process(view, from);
  }

  /** Sends a message of this node; false when there is no way to send it now. */
  send(bytes: Uint8Array): boolean {
    const view = ForwardingView.over(bytes, this.env.configuration.nodeIdLength);
    if (view instanceof MalformedMessage) throw view;
    return this.process(view, undefined);
  }

  /** RFC 6940 §6.1.1 to §6.1.3: looks at the first destination until it says where to go. */
  private process(received: ForwardingView, from: Link | undefined): boolean {
    let view = received;
    for (let entries = 0; entries < this.env.limits.destinationsMax; entries++) {
      const first = view.firstDestination();
      if (first instanceof MalformedMessage) return this.dropMalformed(first, from);
      if (first.type === 'resource') {
        return this.processResource(view, first.resourceId, from, view !== received);
      }
      if (first.type !== 'node') {
        // This node never replaces a list by an opaque ID, so none can be its own.
        const cause = first.type === 'unknown' ? 'not-for-us' : 'stale-opaque-id';
        this.env.drop(cause, `a destination of type ${first.type} that this node did not make`);
        return false;
      }
      const mine = first.nodeId === this.env.nodeId || isWildcard(first.nodeId);
      if (!mine) return this.processNode(view, first.nodeId, from, view !== received);
      if (view.firstDestinationIsLast()) return this.deliver(view, from);
      const stripped = view.forwarded({ dropDestinations: 1 });
      if (stripped instanceof MalformedMessage) return this.dropMalformed(stripped, from);
      const next = ForwardingView.over(stripped, this.env.configuration.nodeIdLength);
      if (next instanceof MalformedMessage) return this.dropMalformed(next, from);
      view = next;
    }
    this.env.drop('malformed', 'too many entries in the Destination List');
    return false;
  }

  private processResource(
    view: ForwardingView,
    resourceId: RingId,
    from: Link | undefined,
    isSourceRouted: boolean,
  ): boolean {
    if (!view.firstDestinationIsLast()) {
      // RFC 6940 §6.1.1: entries after a Resource-ID; §6.3.2.2: it may only stand last.
      this.env.drop('not-for-us', 'a Resource-ID is not the last destination');
      return false;
    }
    if (resourceId.length !== this.env.nodeId.length) {
      this.env.drop('not-for-us', `a Resource-ID of ${resourceId.length / 2} bytes`);
      return false;
    }
    if (this.listener.isResponsible(resourceId)) return this.deliver(view, from);
    return this.forwardTo(this.onward(resourceId, view, from, isSourceRouted), view, from);
  }

  private processNode(
    view: ForwardingView,
    nodeId: NodeId,
    from: Link | undefined,
    isSourceRouted: boolean,
  ): boolean {
    if (this.links.linkTo(nodeId) !== undefined) return this.forwardTo(nodeId, view, from);
    if (this.listener.isResponsible(nodeId)) {
      this.env.drop('not-for-us', `${nodeId} would be here, and is not connected`);
      return false;
    }
    return this.forwardTo(this.onward(nodeId, view, from, isSourceRouted), view, from);
  }

  /**
   * The Routing Table's choice, but not back to where the message came from: two peers that
   * disagree about who is responsible must not play ball with it. Where this node was named in the
   * Destination List, going back may be right.
   */
  private onward(
    id: RingId,
    view: ForwardingView,
    from: Link | undefined,
    isSourceRouted: boolean,
  ): NodeId | undefined {
    const next = this.listener.nextHop(id);
    if (next === undefined || next !== from?.nodeId || isSourceRouted) return next;
    return this.aroundGap(id, view, next);
  }

  /**
   * The sender is nearest, and thinks that this peer is. Who lies between the two is not connected
   * to one of them: to the sender, then a request goes on from here; or to this peer, then the
   * sender gets it back, because it is. The Via List bounds how often this is done.
   */
  private aroundGap(id: RingId, view: ForwardingView, from: NodeId): NodeId | undefined {
    const code = peekCode(view);
    const via = view.viaList();
    // The Via List of an answer would not show that it goes in a circle.
    if (code === undefined || !isRequestCode(code) || via instanceof MalformedMessage) return;
    const { nodeId } = this.env;
    const visits = via.filter((hop) => hop.type === 'node' && hop.nodeId === nodeId).length;
    if (visits > 1) return undefined;
    const owner = this.listener.ownerOf(id);
    if (owner !== undefined && owner !== from) return owner;
    return visits === 0 && this.listener.isBehindGap(id, from) ? from : undefined;
  }

  private deliver(view: ForwardingView, from: Link | undefined): boolean {
    // What this node says to itself is heard only after it has finished speaking.
    if (from === undefined) this.env.queue(() => this.listener.deliver(view, undefined));
    else this.listener.deliver(view, from);
    return true;
  }

  private forwardTo(
    next: NodeId | undefined,
    view: ForwardingView,
    from: Link | undefined,
  ): boolean {
    if (next === undefined) {
      if (from !== undefined) this.endHere(view, from);
      return false;
    }
    if (from === undefined) return this.links.send(next, view.bytes);
    const refusal = this.forwardingRefusal(view);
    if (refusal !== undefined) {
      this.listener.refuse(view, from, refusal.errorCode, refusal.detail);
      return false;
    }
    // RFC 6940 §6.1.2: what leads back is the node it came from, not this one.
    const appendVia = mayBeRequest(view) ? { appendVia: nodeDestination(from.nodeId) } : {};
    const forwarded = view.forwarded({ ...appendVia, decrementTtl: true });
    if (forwarded instanceof MalformedMessage) return this.dropMalformed(forwarded, from);
    this.env.counters.forwarded++;
    return this.links.send(next, forwarded);
  }

  /** Who looks for its Admitting Peer through a node that is in no ring itself hears so at once. */
  private endHere(view: ForwardingView, from: Link): void {
    if (this.listener.isInRing() || peekCode(view) !== MessageCode.attachReq) {
      this.env.drop('no-route', 'no neighbour to forward to');
      return;
    }
    const place = view.firstDestination();
    const isResource = !(place instanceof MalformedMessage) && place.type === 'resource';
    if (isResource && place.resourceId === successorPoint(from.nodeId)) {
      this.listener.noteAsking(from.nodeId);
    }
    const detail = 'this node is not in the ring itself';
    this.listener.refuse(view, from, ErrorCode.Error_Not_Found, detail);
  }

  /** What keeps a message from being forwarded that is meant for somebody else. */
  private forwardingRefusal(
    view: ForwardingView,
  ): { errorCode: ErrorCode; detail: string } | undefined {
    if (view.ttl === 0) {
      return { errorCode: ErrorCode.Error_TTL_Exceeded, detail: 'the TTL ran out here' };
    }
    if (!view.firstDestinationIsLast() && hasRepeatedDestination(view)) {
      const detail = 'the Destination List names a node twice';
      return { errorCode: ErrorCode.Error_Invalid_Message, detail };
    }
    if (view.optionsLength === 0) return undefined;
    const options = view.options();
    if (options instanceof MalformedMessage) {
      return { errorCode: ErrorCode.Error_Invalid_Message, detail: options.describe() };
    }
    // No forwarding option is supported: each critical one is one we do not understand.
    const critical = options.find((option) => option.flags & ForwardingOptionFlag.forwardCritical);
    if (critical === undefined) return undefined;
    const detail = `forwarding option ${critical.type} is not supported`;
    return { errorCode: ErrorCode.Error_Unsupported_Forwarding_Option, detail };
  }

  /** RFC 6940 §6.6: tell the sender, then close; without a word if the header alone is too long. */
  private refuseOversized(view: ForwardingView, from: Link): void {
    const sizeMax = this.env.configuration.maxMessageSizeBytes;
    const detail = `${view.length} bytes, at most ${sizeMax} are allowed`;
    if (view.headerLength <= sizeMax) {
      this.listener.refuse(view, from, ErrorCode.Error_Message_Too_Large, detail);
    }
    this.env.drop(
      'malformed',
      `from ${from.nodeId}: ForwardingHeader.length at byte 16: ${detail}`,
    );
    this.links.close(from.id, `a message that is too large: ${detail}`);
  }

  private mayUse(view: ForwardingView, from: Link): boolean {
    if (from.node.nodeIds.length < 2 || this.listener.hasAttached(from.nodeId)) return true;
    const code = peekCode(view);
    const allowed: (number | undefined)[] = [
      MessageCode.pingReq,
      MessageCode.pingAns,
      MessageCode.attachReq,
      MessageCode.attachAns,
    ];
    if (allowed.includes(code)) return true;
    const detail = 'a node with several Node-IDs must attach before it sends this';
    this.listener.refuse(view, from, ErrorCode.Error_Forbidden, detail);
    return false;
  }

  private dropMalformed(fault: MalformedMessage, from: Link | undefined): false {
    this.env.drop('malformed', `from ${from?.nodeId ?? 'this node'}: ${fault.describe()}`);
    if (from !== undefined) this.links.close(from.id, `malformed message: ${fault.describe()}`);
    return false;
  }
}

/** The message code, which only a whole message or its first fragment shows. */
export function peekCode(view: ForwardingView): number | undefined {
  // With the high bit 0 the other bits mean nothing: no fragment of ours (RFC 6940 §6.7).
  const isFragment = view.fragment >= FRAGMENTED_BIT;
  const offset = isFragment ? view.fragment & FRAGMENT_OFFSET_MASK : 0;
  const at = view.headerLength;
  const high = view.bytes[at];
  const low = view.bytes[at + 1];
  if (offset !== 0 || high === undefined || low === undefined) return undefined;
  return high * 256 + low;
}

/** Later fragments do not show what they are: they get a Via entry, which an answer may carry. */
function mayBeRequest(view: ForwardingView): boolean {
  const code = peekCode(view);
  return code === undefined || isRequestCode(code);
}

function hasRepeatedDestination(view: ForwardingView): boolean {
  const list = view.destinationList();
  if (list instanceof MalformedMessage) return false;
  const seen = new Set(list.map(destinationKey));
  return seen.size < list.length;
}

function destinationKey(destination: Destination): string {
  if (destination.type === 'node') return destination.nodeId;
  if (destination.type === 'resource') return `resource ${destination.resourceId}`;
  if (destination.type === 'compressed') return `compressed ${destination.id}`;
  if (destination.type === 'opaque') return `opaque ${destination.id.join(',')}`;
  return `unknown ${destination.code} ${destination.data.join(',')}`;
}

const FRAGMENTED_BIT = 0x80000000;
const FRAGMENT_OFFSET_MASK = 0x00ffffff;
