import type { AuthenticatedNode } from '../tls-auth/authenticated-node.ts';
import { encode } from '../wire/codec.ts';
import { dataFrameHead, FramedMessage } from '../wire/framed-message.ts';
import type { IpAddressPort } from '../wire/ip-address-port.ts';
import type { NodeId } from '../wire/node-id.ts';
import type { ConnectId, LinkId } from './input.ts';
import { idleLimitMs } from './link-idle-limit.ts';
import { type Link, LinkState, type LinkUse } from './link-state.ts';
import type { PeerEnvironment } from './peer-environment.ts';
import type { LinkStatus } from './peer-options.ts';
import {
  LINK_SUSPECT_RETENTION_MS,
  NEAREST_PROBE_IDLE_MS,
  SPARE_LINK_LINGER_MS,
} from './timing.ts';

/** What the LinkManager tells the rest of the Peer. */
export interface LinkListener {
  handleMessage(link: Link, message: Uint8Array): void;
  /** The first live link to this node. */
  handleNodeConnected(link: Link): void;
  /** The last link to this node is gone. */
  handleNodeDisconnected(nodeId: NodeId, reason: string): void;
  handleNodeSuspect(nodeId: NodeId): void;
  handleNodeRestored(nodeId: NodeId): void;
  /** The earlier link was dead: this node has started anew, or lost its state of the link. */
  handleNodeReplaced(nodeId: NodeId): void;
  /** Nothing came for a while: make the other end say something. */
  probe(link: Link): void;
  useOf(nodeId: NodeId): LinkUse;
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
  private linksThatWait = 0;
  private acknowledgementsAtMs: number | undefined;
  private upkeepAtMs = 0;

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
    const older = this.byNode.get(node.nodeId)?.at(-1);
    // It may lead to a former process of that node: then no acknowledgement comes.
    if (older !== undefined && !older.suspect) {
      older.noteNewer();
      this.listener.probe(older);
    }
    const link = new LinkState(this.env, id, node, remoteAddress, connect);
    this.links.set(id, link);
    const siblings = this.byNode.get(link.nodeId);
    if (siblings === undefined) this.byNode.set(link.nodeId, [link]);
    else this.addSpare(siblings, link);
    this.armUpkeep(NEAREST_PROBE_IDLE_MS);
    if (siblings === undefined) this.listener.handleNodeConnected(link);
    else for (const sibling of [...siblings]) if (sibling.suspect) this.replace(sibling);
    return link;
  }

  handleLinkDown(id: LinkId, reason: string): void {
    const link = this.links.get(id);
    if (link === undefined) return;
    this.remove(link, reason);
    if (link.unacknowledged > 0) this.noteReplaced(link.nodeId);
  }

  handleLinkData(id: LinkId, bytes: Uint8Array): void {
    const link = this.links.get(id);
    if (link === undefined) return;
    link.receivedBytes += bytes.length;
    link.lastReceivedMs = this.env.now.monotonicMs;
    const { frames, fault } = link.cutter.push(bytes);
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

  /** Links whose oldest unacknowledged frame is older than the RTO are suspect. */
  handleAcknowledgementsDue(): void {
    this.acknowledgementsAtMs = undefined;
    let nextMs = Number.POSITIVE_INFINITY;
    for (const link of [...this.links.values()]) {
      const dueMs = link.suspect ? undefined : link.acknowledgementDueMs;
      if (dueMs === undefined) continue;
      if (dueMs <= this.env.now.monotonicMs) this.becomeSuspect(link);
      else nextMs = Math.min(nextMs, dueMs);
    }
    if (nextMs < Number.POSITIVE_INFINITY) this.armAcknowledgements(nextMs);
  }

  /** Links that were silent for long enough are probed, those that serve nothing are closed. */
  handleUpkeep(): void {
    let waitMs = NEAREST_PROBE_IDLE_MS;
    for (const link of [...this.links.values()]) {
      if (link.suspect) continue;
      const use = this.listener.useOf(link.nodeId);
      const leftMs = idleLimitMs(use, this.env.nodeId < link.nodeId) - this.idleMs(link);
      if (leftMs > 0) {
        waitMs = Math.min(waitMs, leftMs);
        continue;
      }
      if (use === 'none') this.close(link.id, 'it serves nothing any more');
      else this.listener.probe(link);
    }
    if (this.links.size > 0) this.armUpkeep(Math.max(waitMs, UPKEEP_PAUSE_MIN_MS));
  }

  /** Somebody else takes this node to be gone: it is asked, unless it was heard just now. */
  doubt(nodeId: NodeId): void {
    const link = this.byNode.get(nodeId)?.at(-1);
    if (link === undefined || link.suspect || link.unacknowledged > 0) return;
    if (this.idleMs(link) >= DOUBTED_IDLE_MS) this.listener.probe(link);
  }

  handleRetentionOver(id: LinkId): void {
    if (this.links.get(id)?.suspect) this.close(id, 'no acknowledgement came any more');
  }

  handleSpareLink(id: LinkId): void {
    const link = this.links.get(id);
    const siblings = link === undefined ? undefined : this.byNode.get(link.nodeId);
    if (link === undefined || siblings === undefined || siblings.length < 2) return;
    if (link.unacknowledged === 0) {
      this.close(id, 'a second link to this node');
      return;
    }
    // The answer tells whether both lead to the same process; without one it becomes suspect.
    this.env.after(`spareLink:${id}`, { type: 'spareLink', link: id }, SPARE_LINK_LINGER_MS);
  }

  /** Whether there is a newer link to its node; the older one then lingers and goes. */
  retire(link: Link): boolean {
    const siblings = this.byNode.get(link.nodeId) ?? [];
    if (!siblings.some(({ id }) => id > link.id)) return false;
    const key = `spareLink:${link.id}`;
    const deadline = { type: 'spareLink', link: link.id } as const;
    if (!this.env.deadlines.has(key)) this.env.after(key, deadline, 2 * SPARE_LINK_LINGER_MS);
    return true;
  }

  status(isRoutable: (nodeId: NodeId) => boolean): LinkStatus[] {
    return [...this.links.values()].map((link) => link.status(isRoutable(link.nodeId)));
  }

  /** An Update came over this link. */
  notePeer(id: LinkId): void {
    const link = this.links.get(id);
    if (link !== undefined) link.isPeer = true;
  }

  private handleFrame(link: LinkState, frame: FramedMessage): void {
    if (frame.type === 'ack') {
      const waited = link.unacknowledged > 0;
      link.handleAcknowledgement(frame.ackSequence, this.env.now.monotonicMs);
      if (waited && link.unacknowledged === 0) this.noteNothingWaits();
      if (link.isPeer && link.outlives(frame.ackSequence)) {
        for (const sibling of this.byNode.get(link.nodeId) ?? []) sibling.isPeer = true;
      }
    }
    if (link.suspect) this.restore(link);
    if (frame.type === 'ack') return;
    this.preferForSending(link);
    const received = link.window.receive(frame.sequence);
    const ack = encode(FramedMessage, { type: 'ack', ackSequence: frame.sequence, received });
    link.sentBytes += ack.length;
    this.env.send(link.id, ack);
    this.listener.handleMessage(link, frame.message);
  }

  private sendOver(link: LinkState, message: Uint8Array): void {
    if (link.unacknowledged === 0) this.linksThatWait++;
    const sequence = link.noteSent(this.env.now.monotonicMs);
    const head = dataFrameHead(sequence, message.length);
    link.sentBytes += head.length + message.length;
    this.env.counters.sent++;
    // The environment puts all parts together once.
    this.env.send(link.id, head);
    this.env.send(link.id, message);
    if (link.unacknowledged > UNACKNOWLEDGED_MAX) {
      this.close(link.id, `${UNACKNOWLEDGED_MAX} frames are not acknowledged`);
      return;
    }
    const dueMs = link.acknowledgementDueMs;
    if (dueMs !== undefined && !link.suspect) this.armAcknowledgements(dueMs);
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
    link.closed = true;
    this.links.delete(link.id);
    if (link.unacknowledged > 0) this.noteNothingWaits();
    this.env.deadlines.cancel(`linkRetention:${link.id}`);
    this.env.deadlines.cancel(`spareLink:${link.id}`);
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
    if (siblings.some((sibling) => !sibling.suspect)) return this.replace(link);
    this.listener.handleNodeSuspect(link.nodeId);
    // Nothing else may be sent over it now, and perhaps only an acknowledgement was lost.
    if (this.links.has(link.id)) this.listener.probe(link);
  }

  /** This link is dead, but there is another one to the same node. */
  private replace(link: LinkState): void {
    this.close(link.id, 'no acknowledgement came, and there is another link to this node');
    this.noteReplaced(link.nodeId);
  }

  private noteReplaced(nodeId: NodeId): void {
    const isNew = this.byNode.get(nodeId)?.every(({ isPeer }) => !isPeer);
    if (isNew) this.listener.handleNodeReplaced(nodeId);
  }

  private restore(link: LinkState): void {
    link.suspect = false;
    this.env.deadlines.cancel(`linkRetention:${link.id}`);
    if (link.unacknowledged > 0) this.noteNothingWaits();
    link.forgetSent();
    this.listener.handleNodeRestored(link.nodeId);
  }

  private idleMs(link: LinkState): number {
    return this.env.now.monotonicMs - link.lastReceivedMs;
  }

  private armUpkeep(waitMs: number): void {
    const atMs = this.env.now.monotonicMs + waitMs;
    if (this.upkeepAtMs > this.env.now.monotonicMs && this.upkeepAtMs <= atMs) return;
    this.upkeepAtMs = atMs;
    this.env.deadlines.set('linkUpkeep', { type: 'linkUpkeep' }, atMs);
  }

  private armAcknowledgements(atMs: number): void {
    if (this.acknowledgementsAtMs !== undefined && this.acknowledgementsAtMs <= atMs) return;
    this.acknowledgementsAtMs = atMs;
    this.env.deadlines.set('linkAcknowledgements', { type: 'linkAcknowledgements' }, atMs);
  }

  /** A link waits for no acknowledgement any more; without any the deadline is not needed. */
  private noteNothingWaits(): void {
    this.linksThatWait--;
    if (this.linksThatWait > 0) return;
    this.acknowledgementsAtMs = undefined;
    this.env.deadlines.cancel('linkAcknowledgements');
  }
}

/** Links that are due almost at once are looked at together. */
const UPKEEP_PAUSE_MIN_MS = 1_000;
/** What is on its way after a doubt came up may take this long to arrive. */
const DOUBTED_IDLE_MS = 5_000;
const UNACKNOWLEDGED_MAX = 8_192;
