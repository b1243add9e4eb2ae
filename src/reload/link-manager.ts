import type { AuthenticatedNode } from '../tls-auth/authenticated-node.ts';
import { encode } from '../wire/codec.ts';
import { FramedMessage } from '../wire/framed-message.ts';
import type { IpAddressPort } from '../wire/ip-address-port.ts';
import type { NodeId } from '../wire/node-id.ts';
import { FrameCutter } from './frame-cutter.ts';
import type { ConnectId, LinkId } from './input.ts';
import type { PeerEnvironment } from './peer-environment.ts';
import type { LinkStatus } from './peer-options.ts';
import { ReceivedWindow } from './received-window.ts';
import { RoundTripEstimator } from './round-trip-estimator.ts';
import {
  LINK_SUSPECT_RETENTION_MS,
  NEIGHBOR_PROBE_IDLE_MS,
  OTHER_PROBE_IDLE_MS,
  SPARE_LINK_LINGER_MS,
} from './timing.ts';

/** A live TLS link to an authenticated node: an entry of the Connection Table. */
export interface Link {
  readonly id: LinkId;
  readonly node: AuthenticatedNode;
  readonly nodeId: NodeId;
  readonly remoteAddress: IpAddressPort;
  /** The Peer's own attempt that led to it; undefined when the other end connected. */
  readonly connect: ConnectId | undefined;
  /** Acknowledgements stopped: not in the Routing Table until they resume. */
  readonly suspect: boolean;
}

/** What the LinkManager tells the rest of the Peer. */
export interface LinkListener {
  handleMessage(link: Link, message: Uint8Array): void;
  /** The first live link to this node. */
  handleNodeConnected(link: Link): void;
  /** The last link to this node is gone. */
  handleNodeDisconnected(nodeId: NodeId, reason: string): void;
  handleNodeSuspect(nodeId: NodeId): void;
  handleNodeRestored(nodeId: NodeId): void;
  /** Nothing came for a while: make the other end say something. */
  probe(link: Link): void;
  isNeighbor(nodeId: NodeId): boolean;
  /** Of the links that could make room for a new one: is this one expendable? */
  isExpendable(nodeId: NodeId): boolean;
}

/**
 * The Connection Table and the framing of RFC 6940 §6.6.2 on every link: sequences,
 * acknowledgements, round-trip times, and the liveness that follows from them (§6.6.5).
 */
export class LinkManager {
  private readonly env: PeerEnvironment;
  private readonly listener: LinkListener;
  private readonly links = new Map<LinkId, LinkState>();
  /** The links to each node; the last one is used for sending. */
  private readonly byNode = new Map<NodeId, LinkState[]>();

  constructor(env: PeerEnvironment, listener: LinkListener) {
    this.env = env;
    this.listener = listener;
  }

  get size(): number {
    return this.links.size;
  }

  /** The link to send over to a node, whether suspect or not. */
  linkTo(nodeId: NodeId): Link | undefined {
    return this.byNode.get(nodeId)?.at(-1);
  }

  link(id: LinkId): Link | undefined {
    return this.links.get(id);
  }

  all(): Link[] {
    return [...this.links.values()];
  }

  /** Every node with a live link. */
  connectedNodes(): NodeId[] {
    return [...this.byNode.keys()];
  }

  handleLinkUp(
    id: LinkId,
    node: AuthenticatedNode,
    remoteAddress: IpAddressPort,
    connect: ConnectId | undefined,
  ): Link | undefined {
    const refusal = this.refusal(node.nodeId);
    if (refusal !== undefined) {
      this.env.emit({ type: 'close', link: id, reason: refusal });
      return undefined;
    }
    const link = new LinkState(this.env, id, node, remoteAddress, connect);
    this.links.set(id, link);
    const siblings = this.byNode.get(link.nodeId);
    if (siblings === undefined) this.byNode.set(link.nodeId, [link]);
    else this.addSpare(siblings, link);
    this.armIdle(link);
    if (siblings === undefined) this.listener.handleNodeConnected(link);
    else if (siblings.every((sibling) => sibling === link || sibling.suspect)) {
      this.listener.handleNodeRestored(link.nodeId);
    }
    return link;
  }

  handleLinkDown(id: LinkId, reason: string): void {
    const link = this.links.get(id);
    if (link !== undefined) this.remove(link, reason);
  }

  handleLinkData(id: LinkId, bytes: Uint8Array): void {
    const link = this.links.get(id);
    if (link === undefined) return;
    link.receivedBytes += bytes.length;
    link.lastReceivedMs = this.env.now.monotonicMs;
    const { frames, fault } = link.cutter.push(bytes);
    this.preferForSending(link);
    for (const frame of frames) {
      if (!this.links.has(id)) return;
      this.handleFrame(link, frame);
    }
    if (fault === undefined || !this.links.has(id)) return;
    this.env.drop('malformed', `from ${link.nodeId}: ${fault.describe()}`);
    this.close(id, `malformed frame: ${fault.describe()}`);
  }

  /** Sends a message to a directly connected node; false without a link to it. */
  send(nodeId: NodeId, message: Uint8Array): boolean {
    const link = this.byNode.get(nodeId)?.at(-1);
    if (link === undefined) return false;
    this.sendOver(link, message);
    return true;
  }

  sendOverLink(id: LinkId, message: Uint8Array): boolean {
    const link = this.links.get(id);
    if (link === undefined) return false;
    this.sendOver(link, message);
    return true;
  }

  close(id: LinkId, reason: string): void {
    const link = this.links.get(id);
    if (link === undefined) return;
    this.env.emit({ type: 'close', link: id, reason });
    this.remove(link, reason);
  }

  closeNode(nodeId: NodeId, reason: string): void {
    for (const link of [...(this.byNode.get(nodeId) ?? [])]) this.close(link.id, reason);
  }

  closeAll(reason: string): void {
    for (const id of [...this.links.keys()]) this.close(id, reason);
  }

  /** The oldest unacknowledged frame is older than the RTO: suspect; else look again later. */
  handleAcknowledgementDue(id: LinkId): void {
    const link = this.links.get(id);
    if (link === undefined) return;
    link.acknowledgementArmed = false;
    const oldest = link.unacknowledged[link.unacknowledgedFrom];
    if (oldest === undefined) return;
    const dueMs = oldest.sentMs + link.roundTrip.timeoutMs(LINK_TIMEOUT_FLOOR_MS);
    if (dueMs > this.env.now.monotonicMs) {
      this.armAcknowledgement(link, dueMs);
      return;
    }
    this.becomeSuspect(link);
  }

  handleIdle(id: LinkId): void {
    const link = this.links.get(id);
    if (link === undefined) return;
    const idleMs = this.env.now.monotonicMs - link.lastReceivedMs;
    if (idleMs >= this.idleLimitMs(link) && !link.suspect) this.listener.probe(link);
    this.armIdle(link);
  }

  handleRetentionOver(id: LinkId): void {
    if (this.links.get(id)?.suspect) this.close(id, 'no acknowledgement came any more');
  }

  handleSpareLink(id: LinkId): void {
    const link = this.links.get(id);
    const siblings = link === undefined ? undefined : this.byNode.get(link.nodeId);
    if (siblings !== undefined && siblings.length > 1) this.close(id, 'a second link to this node');
  }

  status(isRoutable: (nodeId: NodeId) => boolean): LinkStatus[] {
    return [...this.links.values()].map((link) => ({
      link: link.id,
      nodeId: link.nodeId,
      userName: link.node.userName,
      remoteAddress: link.remoteAddress,
      routable: isRoutable(link.nodeId),
      suspect: link.suspect,
      roundTripMs: link.roundTrip.roundTripMs,
      sentBytes: link.sentBytes,
      receivedBytes: link.receivedBytes,
    }));
  }

  private handleFrame(link: LinkState, frame: FramedMessage): void {
    if (link.suspect) this.restore(link);
    if (frame.type === 'ack') {
      link.handleAcknowledgement(frame.ackSequence, this.env.now.monotonicMs);
      return;
    }
    const received = link.window.receive(frame.sequence);
    const ack = encode(FramedMessage, { type: 'ack', ackSequence: frame.sequence, received });
    link.sentBytes += ack.length;
    this.env.send(link.id, ack);
    this.listener.handleMessage(link, frame.message);
  }

  private sendOver(link: LinkState, message: Uint8Array): void {
    const sequence = link.takeSequence();
    const frame = encode(FramedMessage, { type: 'data', sequence, message });
    link.sentBytes += frame.length;
    link.unacknowledged.push({ sequence, sentMs: this.env.now.monotonicMs });
    this.env.counters.sent++;
    this.env.send(link.id, frame);
    if (link.unacknowledged.length - link.unacknowledgedFrom > UNACKNOWLEDGED_MAX) {
      this.close(link.id, `${UNACKNOWLEDGED_MAX} frames are not acknowledged`);
      return;
    }
    if (!link.acknowledgementArmed) {
      const timeoutMs = link.roundTrip.timeoutMs(LINK_TIMEOUT_FLOOR_MS);
      this.armAcknowledgement(link, this.env.now.monotonicMs + timeoutMs);
    }
  }

  /** Makes room, or says why there is none. */
  private refusal(nodeId: NodeId): string | undefined {
    if (nodeId === this.env.nodeId) return 'the other end presents our own certificate';
    const siblings = this.byNode.get(nodeId);
    if (siblings !== undefined && siblings.length >= this.env.limits.linksPerNodeMax) {
      const oldest = siblings[0];
      if (oldest !== undefined) this.close(oldest.id, 'replaced by a newer link of this node');
    }
    if (this.links.size < this.env.limits.linksMax) return undefined;
    const expendable = [...this.links.values()]
      .filter((link) => this.listener.isExpendable(link.nodeId))
      .sort((a, b) => a.lastUsedMs - b.lastUsedMs)[0];
    if (expendable === undefined) return `all ${this.env.limits.linksMax} links are in use`;
    this.close(expendable.id, 'closed to make room for another node');
    return undefined;
  }

  /**
   * Both ends connected at once. The end with the larger Node-ID closes the older link after a
   * while; until then both are read.
   */
  private addSpare(siblings: LinkState[], link: LinkState): void {
    const older = siblings.at(-1);
    siblings.push(link);
    if (older === undefined || this.env.nodeId < link.nodeId) return;
    const key = `spareLink:${older.id}`;
    this.env.after(key, { type: 'spareLink', link: older.id }, SPARE_LINK_LINGER_MS);
  }

  /** The end with the smaller Node-ID follows the other one's choice of link. */
  private preferForSending(link: LinkState): void {
    const siblings = this.byNode.get(link.nodeId);
    if (siblings === undefined || siblings.length < 2 || siblings.at(-1) === link) return;
    if (this.env.nodeId > link.nodeId) return;
    siblings.splice(siblings.indexOf(link), 1);
    siblings.push(link);
  }

  private remove(link: LinkState, reason: string): void {
    this.links.delete(link.id);
    for (const type of ['linkAcknowledgement', 'linkIdle', 'linkRetention', 'spareLink']) {
      this.env.deadlines.cancel(`${type}:${link.id}`);
    }
    const { id, nodeId } = link;
    this.env.event({ type: 'linkClosed', link: id, nodeId, reason });
    const siblings = this.byNode.get(nodeId);
    if (siblings === undefined) return;
    siblings.splice(siblings.indexOf(link), 1);
    if (siblings.length > 0) return;
    this.byNode.delete(nodeId);
    this.listener.handleNodeDisconnected(nodeId, reason);
  }

  private becomeSuspect(link: LinkState): void {
    if (link.suspect) return;
    link.suspect = true;
    const key = `linkRetention:${link.id}`;
    this.env.after(key, { type: 'linkRetention', link: link.id }, LINK_SUSPECT_RETENTION_MS);
    const siblings = this.byNode.get(link.nodeId) ?? [];
    if (siblings.every((sibling) => sibling.suspect)) this.listener.handleNodeSuspect(link.nodeId);
  }

  private restore(link: LinkState): void {
    link.suspect = false;
    this.env.deadlines.cancel(`linkRetention:${link.id}`);
    this.listener.handleNodeRestored(link.nodeId);
  }

  private idleLimitMs(link: LinkState): number {
    return this.listener.isNeighbor(link.nodeId) ? NEIGHBOR_PROBE_IDLE_MS : OTHER_PROBE_IDLE_MS;
  }

  private armIdle(link: LinkState): void {
    const idleMs = this.env.now.monotonicMs - link.lastReceivedMs;
    const waitMs = Math.max(this.idleLimitMs(link) - idleMs, IDLE_CHECK_MIN_MS);
    const waitAtMostMs = Math.min(waitMs, NEIGHBOR_PROBE_IDLE_MS);
    this.env.after(`linkIdle:${link.id}`, { type: 'linkIdle', link: link.id }, waitAtMostMs);
  }

  private armAcknowledgement(link: LinkState, atMs: number): void {
    link.acknowledgementArmed = true;
    const deadline = { type: 'linkAcknowledgement', link: link.id } as const;
    this.env.deadlines.set(`linkAcknowledgement:${link.id}`, deadline, atMs);
  }
}

class LinkState implements Link {
  readonly id: LinkId;
  readonly node: AuthenticatedNode;
  readonly remoteAddress: IpAddressPort;
  readonly connect: ConnectId | undefined;
  readonly cutter: FrameCutter;
  readonly window = new ReceivedWindow();
  readonly roundTrip = new RoundTripEstimator();
  readonly unacknowledged: { readonly sequence: number; readonly sentMs: number }[] = [];
  unacknowledgedFrom = 0;
  acknowledgementArmed = false;
  suspect = false;
  lastReceivedMs: number;
  sentBytes = 0;
  receivedBytes = 0;
  private nextSequence = 0;

  constructor(
    env: PeerEnvironment,
    id: LinkId,
    node: AuthenticatedNode,
    remoteAddress: IpAddressPort,
    connect: ConnectId | undefined,
  ) {
    this.id = id;
    this.node = node;
    this.remoteAddress = remoteAddress;
    this.connect = connect;
    this.cutter = new FrameCutter(env.configuration.maxMessageSizeBytes + OVERSIZE_READ_BYTES);
    this.lastReceivedMs = env.now.monotonicMs;
  }

  get nodeId(): NodeId {
    return this.node.nodeId;
  }

  get lastUsedMs(): number {
    return Math.max(this.lastReceivedMs, this.unacknowledged.at(-1)?.sentMs ?? 0);
  }

  takeSequence(): number {
    const sequence = this.nextSequence;
    this.nextSequence = (sequence + 1) >>> 0;
    return sequence;
  }

  /** TLS delivers in order: what is acknowledged acknowledges everything before it. */
  handleAcknowledgement(ackSequence: number, nowMs: number): void {
    const frames = this.unacknowledged;
    for (;;) {
      const oldest = frames[this.unacknowledgedFrom];
      if (oldest === undefined || ((ackSequence - oldest.sequence) | 0) < 0) break;
      if (oldest.sequence === ackSequence) this.roundTrip.addSample(nowMs - oldest.sentMs);
      this.unacknowledgedFrom++;
    }
    if (this.unacknowledgedFrom < 64) return;
    frames.splice(0, this.unacknowledgedFrom);
    this.unacknowledgedFrom = 0;
  }
}

/**
 * RFC 6298 §2.4 rounds the RTO up to one second at least. Ours is three: nothing is retransmitted
 * by it, it only takes a neighbour out of the Routing Table, and a busy host may pause for longer
 * than a second.
 */
const LINK_TIMEOUT_FLOOR_MS = 3_000;
const UNACKNOWLEDGED_MAX = 8_192;
const IDLE_CHECK_MIN_MS = 1_000;
/** A message may be this much over max-message-size and still be read, to answer with an error. */
const OVERSIZE_READ_BYTES = 16_384;
