import { AttachReqAns, type IceCandidate } from '../wire/attach.ts';
import { decode, encode } from '../wire/codec.ts';
import { type Destination, nodeDestination } from '../wire/destination.ts';
import { ErrorCode } from '../wire/error-response.ts';
import type { IpAddressPort } from '../wire/ip-address-port.ts';
import { MalformedMessage } from '../wire/malformed-message.ts';
import { MessageCode } from '../wire/message-contents.ts';
import type { NodeId } from '../wire/node-id.ts';
import type { AttachListener, AttachPurpose } from './attach-listener.ts';
import { ownCandidates, reachableAddresses } from './candidates.ts';
import type { ConnectId } from './input.ts';
import type { LinkManager } from './link-manager.ts';
import type { Link } from './link-state.ts';
import type { MessageReceiver, VerifiedRequest } from './message-receiver.ts';
import type { MessageTransport } from './message-transport.ts';
import type { PeerEnvironment } from './peer-environment.ts';
import type { PeerLoads } from './peer-loads.ts';
import { describeOutcome, type RequestOutcome } from './request-owner.ts';
import { successorPoint } from './ring.ts';
import { ATTACH_LINK_TIMEOUT_MS, UNREACHABLE_RETENTION_MS } from './timing.ts';

/**
 * Attach over No-ICE links — RFC 6940 §6.5.1: the node that sent the AttachReq waits as the TLS
 * server, the one that answers connects to it. A link that exists already is used again.
 */
export class AttachManager {
  private readonly env: PeerEnvironment;
  private readonly links: LinkManager;
  private readonly transport: MessageTransport;
  private readonly receiver: MessageReceiver;
  private readonly listener: AttachListener;
  private readonly outgoing = new Map<number, OutgoingAttach>();
  private readonly connecting = new Map<ConnectId, Connecting>();
  private readonly attachedNodes = new Set<NodeId>();
  /** Connected nodes to which this one asked for a link: they keep it as long as we do. */
  private readonly asked = new Set<NodeId>();
  /** Where connected nodes say that they listen. */
  private readonly listening = new Map<NodeId, IpAddressPort>();
  private readonly unreachableUntilMs = new Map<NodeId, number>();
  private nextAttach = 1;
  private nextConnect = 1;

  constructor(
    env: PeerEnvironment,
    links: LinkManager,
    transport: MessageTransport,
    receiver: MessageReceiver,
    listener: AttachListener,
  ) {
    this.env = env;
    this.links = links;
    this.transport = transport;
    this.receiver = receiver;
    this.listener = listener;
  }

  get loads(): Pick<PeerLoads, 'attaches' | 'connecting' | 'unreachable'> {
    return {
      attaches: this.outgoing.size,
      connecting: this.connecting.size,
      unreachable: this.unreachableUntilMs.size,
    };
  }

  /** Whether a node with several Node-IDs has shown which of them this link is for. */
  hasAttached(nodeId: NodeId): boolean {
    return this.attachedNodes.has(nodeId);
  }

  /** The best candidate that a connected node offered; undefined if it never attached. */
  listeningAddress(nodeId: NodeId): IpAddressPort | undefined {
    return this.listening.get(nodeId);
  }

  isAttachingTo(nodeId: NodeId): boolean {
    for (const attach of this.outgoing.values()) if (attach.nodeId === nodeId) return true;
    for (const { nodeId: target } of this.connecting.values()) if (target === nodeId) return true;
    return false;
  }

  /** Whether this node asked for the link to `nodeId`, by an Attach or by connecting to it. */
  askedFor(nodeId: NodeId): boolean {
    return this.asked.has(nodeId);
  }

  /** Future neighbours whose signature on an Attach shows that they exist; no link is there yet. */
  pendingNeighbors(): readonly NodeId[] {
    if (this.outgoing.size === 0) return NOBODY;
    const found: NodeId[] = [];
    for (const { nodeId, purpose, answered } of this.outgoing.values()) {
      if (purpose.type === 'neighbor' && answered && nodeId !== undefined) found.push(nodeId);
    }
    return found;
  }

  isUnreachable(nodeId: NodeId): boolean {
    const untilMs = this.unreachableUntilMs.get(nodeId);
    return untilMs !== undefined && untilMs > this.env.now.monotonicMs;
  }

  /** A node that could not be reached, or has left, is not believed in for a while. */
  noteUnreachable(nodeId: NodeId): void {
    const map = this.unreachableUntilMs;
    map.delete(nodeId);
    map.set(nodeId, this.env.now.monotonicMs + UNREACHABLE_RETENTION_MS);
    const oldest = map.keys().next().value;
    if (map.size > this.env.limits.unreachableMax && oldest !== undefined) map.delete(oldest);
  }

  noteReachable(nodeId: NodeId): void {
    this.unreachableUntilMs.delete(nodeId);
  }

  /** Sends an AttachReq; false when too many are under way. */
  attach(
    destinationList: readonly Destination[],
    purpose: AttachPurpose,
    options: { readonly anySigner?: boolean } = {},
  ): boolean {
    if (this.outgoing.size >= this.env.limits.attachesMax) return false;
    const last = destinationList.at(-1);
    const nodeId = last?.type === 'node' ? last.nodeId : undefined;
    const attach = this.nextAttach++;
    this.outgoing.set(attach, { purpose, nodeId, answered: false });
    this.transport.request({
      destinationList,
      code: MessageCode.attachReq,
      body: this.body('passive', true),
      owner: { type: 'attach', attach },
      ...options,
    });
    return true;
  }

  /** Connects without an Attach: to a bootstrap node, perhaps of unknown Node-ID, or once more. */
  connectDirectly(address: IpAddressPort, nodeId: NodeId | undefined, isAsked = true): ConnectId {
    return this.connect({ nodeId, addresses: [address], sendUpdate: false, isAsked });
  }

  /** Ends Attaches for such a purpose; nobody is told. */
  giveUp(type: AttachPurpose['type']): void {
    for (const [id, { purpose }] of this.outgoing) {
      if (purpose.type !== type) continue;
      this.outgoing.delete(id);
      this.transport.forget((owner) => owner.type === 'attach' && owner.attach === id);
    }
  }

  /** RFC 6940 §6.5.1.2. */
  handleRequest(request: VerifiedRequest): void {
    const body = decode(AttachReqAns, request.body, this.env.configuration.nodeIdLength);
    if (body instanceof MalformedMessage) {
      this.receiver.respondError(request, ErrorCode.Error_Invalid_Message, body.describe());
      return;
    }
    const nodeId = request.signer.nodeId;
    const refusal = this.refusal(nodeId, body.role);
    if (refusal !== undefined) {
      this.receiver.respondError(request, refusal.errorCode, refusal.detail);
      return;
    }
    this.attachedNodes.add(nodeId);
    this.noteListening(nodeId, body.candidates);
    if (this.links.linkTo(nodeId) !== undefined && !this.lacksLink(request)) {
      this.receiver.respond(request, this.body('active', false));
      // If the link is dead after all, the Update's missing acknowledgement shows it.
      if (body.sendUpdate) this.listener.sendRequestedUpdate(nodeId);
      return;
    }
    const addresses = this.reachable(body.candidates);
    if (addresses.length === 0) {
      const detail = 'none of the candidates can be used from here';
      this.receiver.respondError(request, ErrorCode.Error_Invalid_Message, detail);
      return;
    }
    this.receiver.respond(request, this.body('active', false));
    this.connect({ nodeId, addresses, sendUpdate: body.sendUpdate, isAsked: false });
  }

  /**
   * Whether the sender has no link to us, though we have one to it: a host that came back after a
   * crash, whose former process our link leads to. A node neither attaches to a Node-ID that it
   * has a link to, nor looks for its Admitting Peer (Resource-ID n+1, RFC 6940 §10.5) while it is
   * in the ring. A replayed Attach costs a handshake, not the link that is there.
   */
  private lacksLink({ signer, isDirect, destination, from }: VerifiedRequest): boolean {
    const { nodeId } = signer;
    if (isDirect || from?.nodeId === nodeId) return false;
    for (const { nodeId: target } of this.connecting.values()) if (target === nodeId) return false;
    if (this.links.linkTo(nodeId)?.suspect === true) return true;
    if (destination?.type === 'node') return destination.nodeId === this.env.nodeId;
    return destination?.type === 'resource' && destination.resourceId === successorPoint(nodeId);
  }

  handleOutcome(attachId: number, outcome: RequestOutcome): void {
    const attach = this.outgoing.get(attachId);
    if (attach === undefined) return;
    if (outcome.type !== 'answer') {
      const alive = outcome.type === 'error' && outcome.signer.nodeId === attach.nodeId;
      this.failOutgoing(attachId, attach, describeOutcome(outcome), alive);
      return;
    }
    const body = decode(AttachReqAns, outcome.body, this.env.configuration.nodeIdLength);
    if (body instanceof MalformedMessage || body.role !== 'active') {
      this.failOutgoing(attachId, attach, 'the AttachAns cannot be read');
      return;
    }
    const nodeId = outcome.signer.nodeId;
    this.attachedNodes.add(nodeId);
    this.noteListening(nodeId, body.candidates);
    if (nodeId === this.env.nodeId) {
      this.failOutgoing(attachId, attach, 'this node itself answered');
      return;
    }
    attach.nodeId = nodeId;
    attach.answered = true;
    if (this.links.linkTo(nodeId) !== undefined) {
      this.finish(attachId, attach, nodeId);
      return;
    }
    const key = `attachLink:${nodeId}`;
    this.env.after(key, { type: 'attachLink', nodeId }, ATTACH_LINK_TIMEOUT_MS);
  }

  /** Every new link, whoever made it, may be the one that an Attach waits for. */
  handleLinkUp(link: Link): void {
    const { nodeId } = link;
    this.env.deadlines.cancel(`attachLink:${nodeId}`);
    this.unreachableUntilMs.delete(nodeId);
    const connecting = link.connect === undefined ? undefined : this.connecting.get(link.connect);
    if (link.connect !== undefined) this.connecting.delete(link.connect);
    if (connecting?.isAsked === true) this.asked.add(nodeId);
    if (connecting?.sendUpdate === true) this.listener.sendRequestedUpdate(nodeId);
    if (this.outgoing.size === 0) return;
    for (const [id, attach] of [...this.outgoing]) {
      if (attach.nodeId === nodeId && attach.answered) this.finish(id, attach, nodeId);
    }
  }

  handleNodeDisconnected(nodeId: NodeId): void {
    this.attachedNodes.delete(nodeId);
    this.asked.delete(nodeId);
    this.listening.delete(nodeId);
  }

  /** Tries the next candidate; returns false once all have failed. */
  handleConnectFailed(connect: ConnectId): boolean {
    const connecting = this.connecting.get(connect);
    this.connecting.delete(connect);
    if (connecting === undefined || connecting.addresses.length < 2) {
      const nodeId = connecting?.nodeId;
      const isLost = nodeId !== undefined && this.links.linkTo(nodeId) === undefined;
      if (isLost) this.noteUnreachable(nodeId);
      if (isLost && !connecting?.isAsked) this.listener.handleUnconnected(nodeId);
      return false;
    }
    this.connect({ ...connecting, addresses: connecting.addresses.slice(1) });
    return true;
  }

  handleLinkTimeout(nodeId: NodeId): void {
    for (const [id, attach] of [...this.outgoing]) {
      if (attach.nodeId !== nodeId || !attach.answered) continue;
      this.failOutgoing(id, attach, 'it answered, but did not connect');
    }
  }

  /** Forgets all attaches under way; nobody is told. */
  abandon(): void {
    this.outgoing.clear();
    this.connecting.clear();
    this.transport.forget((owner) => owner.type === 'attach');
  }

  private reachable(candidates: readonly IceCandidate[]): IpAddressPort[] {
    const { options, limits } = this.env;
    return reachableAddresses(candidates, options.addresses, limits.candidatesMax);
  }

  private noteListening(nodeId: NodeId, candidates: readonly IceCandidate[]): void {
    const best = this.reachable(candidates)[0];
    if (best === undefined) return;
    this.listening.set(nodeId, best);
    // Entries of nodes that never connected after all go first.
    const oldest = this.listening.keys().next().value;
    if (this.listening.size > 2 * this.env.limits.linksMax && oldest !== undefined) {
      this.listening.delete(oldest);
      this.attachedNodes.delete(oldest);
    }
  }

  /** RFC 6940 §6.5.1.2: who gives way when both ends attach at once. */
  private refusal(
    nodeId: NodeId,
    role: string,
  ): { errorCode: ErrorCode; detail: string } | undefined {
    if (role !== 'passive') {
      const detail = `expected the role "passive" in a request, got "${role.slice(0, 32)}"`;
      return { errorCode: ErrorCode.Error_Invalid_Message, detail };
    }
    if (nodeId === this.env.nodeId) {
      return { errorCode: ErrorCode.Error_Forbidden, detail: 'an Attach to oneself' };
    }
    const busy = ErrorCode.Error_In_Progress;
    if (this.connecting.size >= this.env.limits.attachesMax) {
      return { errorCode: busy, detail: 'too many connections are being made' };
    }
    if (this.links.linkTo(nodeId) !== undefined) return undefined;
    for (const attach of this.outgoing.values()) {
      if (attach.nodeId !== nodeId) continue;
      if (attach.answered) return { errorCode: busy, detail: 'our own Attach was answered' };
      if (this.env.nodeId > nodeId) return { errorCode: busy, detail: 'our own Attach goes on' };
      this.giveWay(nodeId);
    }
    return undefined;
  }

  /** Our Attach to this node is not transmitted again: its own one makes the link. */
  private giveWay(nodeId: NodeId): void {
    for (const [id, attach] of this.outgoing) {
      if (attach.nodeId !== nodeId || attach.answered) continue;
      attach.answered = true;
      this.transport.forget((owner) => owner.type === 'attach' && owner.attach === id);
    }
    const key = `attachLink:${nodeId}`;
    this.env.after(key, { type: 'attachLink', nodeId }, ATTACH_LINK_TIMEOUT_MS);
  }

  private connect(connecting: Connecting): ConnectId {
    const connect = this.nextConnect++;
    this.connecting.set(connect, connecting);
    const address = connecting.addresses[0] as IpAddressPort;
    const expected = connecting.nodeId === undefined ? {} : { expectedNodeId: connecting.nodeId };
    this.env.emit({ type: 'connect', connect, address, ...expected });
    return connect;
  }

  private finish(id: number, attach: OutgoingAttach, nodeId: NodeId): void {
    this.outgoing.delete(id);
    this.asked.add(nodeId);
    this.listener.handleAttached(nodeId, attach.purpose);
  }

  private failOutgoing(
    id: number,
    attach: OutgoingAttach,
    reason: string,
    alive = attach.answered,
  ): void {
    this.outgoing.delete(id);
    // Another way may have led to it meanwhile.
    if (attach.nodeId !== undefined && this.links.linkTo(attach.nodeId) !== undefined) {
      this.listener.handleAttached(attach.nodeId, attach.purpose);
      return;
    }
    // Who answered lives. A node that is joining needs all its neighbours and asks them again.
    const isTriedAgain = attach.answered && this.env.state === 'joining';
    if (attach.nodeId !== undefined && !isTriedAgain) this.noteUnreachable(attach.nodeId);
    const { nodeId, purpose } = attach;
    this.listener.handleAttachFailed({ nodeId, purpose, alive, reason });
  }

  private body(role: 'passive' | 'active', sendUpdate: boolean): Uint8Array {
    return encode(AttachReqAns, {
      ufrag: NO_BYTES,
      password: NO_BYTES,
      role,
      candidates: ownCandidates(this.env.options.addresses),
      sendUpdate,
    });
  }
}

/** A Destination List that leads to `target` through `through`, if that is given. */
export function routedThrough(target: Destination, through: NodeId | undefined): Destination[] {
  return through === undefined ? [target] : [nodeDestination(through), target];
}

interface OutgoingAttach {
  readonly purpose: AttachPurpose;
  /** The node asked for, or the one that answered for a Resource-ID. */
  nodeId: NodeId | undefined;
  /** The other end is connecting to us. */
  answered: boolean;
}

interface Connecting {
  readonly nodeId: NodeId | undefined;
  readonly addresses: readonly IpAddressPort[];
  readonly sendUpdate: boolean;
  /** We want it for ourselves: nobody sent us an Attach. */
  readonly isAsked: boolean;
}

const NO_BYTES = new Uint8Array(0);
const NOBODY: readonly NodeId[] = [];
