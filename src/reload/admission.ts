import { decode, encode } from '../wire/codec.ts';
import { ErrorCode } from '../wire/error-response.ts';
import { MalformedMessage } from '../wire/malformed-message.ts';
import type { NodeId } from '../wire/node-id.ts';
import type { ResourceId } from '../wire/resource-id.ts';
import { JoinAns, JoinReq } from '../wire/topology.ts';
import type { ChordReload } from './chord-reload.ts';
import type { LinkId } from './input.ts';
import type { LinkManager } from './link-manager.ts';
import type { MessageReceiver, VerifiedRequest } from './message-receiver.ts';
import type { PeerEnvironment } from './peer-environment.ts';
import type { Replication } from './replication.ts';
import { isInRange } from './ring.ts';
import { JOIN_COPY_PAUSE_MS } from './timing.ts';

/**
 * The Admitting Peer's side of joining — RFC 6940 §10.5 steps 5 to 8: answer, store the new node's
 * share at it, and only then name it our predecessor.
 */
export class Admission {
  private readonly env: PeerEnvironment;
  private readonly links: LinkManager;
  private readonly receiver: MessageReceiver;
  private readonly chord: ChordReload;
  private readonly replication: Replication;
  private readonly admitting = new Set<NodeId>();
  /** Who was sent its share, over which link and when; entries go with the connection. */
  private readonly copied = new Map<NodeId, { readonly link: LinkId; readonly atMs: number }>();

  constructor(
    env: PeerEnvironment,
    links: LinkManager,
    receiver: MessageReceiver,
    chord: ChordReload,
    replication: Replication,
  ) {
    this.env = env;
    this.links = links;
    this.receiver = receiver;
    this.chord = chord;
    this.replication = replication;
  }

  /** RFC 6940 §6.4.2.1. */
  handleJoin(request: VerifiedRequest): void {
    const join = decode(JoinReq, request.body, this.env.configuration.nodeIdLength);
    if (join instanceof MalformedMessage) {
      this.receiver.respondError(request, ErrorCode.Error_Invalid_Message, join.describe());
      return;
    }
    const nodeId = join.joiningPeerId;
    if (nodeId !== request.signer.nodeId || !request.isDirect) {
      const detail = 'a Join comes from the joining node itself, over its own link';
      this.receiver.respondError(request, ErrorCode.Error_Forbidden, detail);
      return;
    }
    if (!this.mayAdmit(nodeId)) {
      const detail = 'this peer is not the one to admit that Node-ID';
      this.receiver.respondError(request, ErrorCode.Error_Not_Found, detail);
      return;
    }
    this.receiver.respond(request, encode(JoinAns, { overlaySpecificData: new Uint8Array(0) }));
    this.admitting.add(nodeId);
    if (request.from !== undefined && !this.hasItsShare(nodeId, request.from.id)) {
      this.copied.set(nodeId, { link: request.from.id, atMs: this.env.now.monotonicMs });
      this.replication.startAnew(nodeId);
      const after = this.predecessorBut(nodeId);
      this.replication.copyRange(nodeId, after ?? this.env.nodeId, nodeId);
    }
    this.completeIfDrained(nodeId);
  }

  /** Data that arrives for the share of a node being admitted goes to it as well. */
  handleStored(resource: ResourceId): void {
    for (const nodeId of this.admitting) {
      if (!isInRange(resource, nodeId, this.env.nodeId)) this.replication.copy(resource, nodeId);
    }
  }

  /** All that was on its way to this node has arrived, or cannot arrive. */
  completeIfDrained(nodeId: NodeId): void {
    if (!this.admitting.has(nodeId) || this.replication.isSendingTo(nodeId)) return;
    this.admitting.delete(nodeId);
    if (this.links.linkTo(nodeId) === undefined || !this.chord.isInRing) return;
    if (this.mayAdmit(nodeId)) {
      this.replication.noteHandedOver(nodeId);
      this.chord.admit(nodeId);
    } else {
      // Another node came in between: our predecessor list shows this one that it must look again.
      this.chord.sendRequestedUpdate(nodeId);
    }
  }

  handleNodeDisconnected(nodeId: NodeId): void {
    this.admitting.delete(nodeId);
    this.copied.delete(nodeId);
  }

  /** A process that began anew comes over a new link; over the same one it holds what it got. */
  private hasItsShare(nodeId: NodeId, link: LinkId): boolean {
    const last = this.copied.get(nodeId);
    if (last === undefined || last.link !== link) return false;
    return this.env.now.monotonicMs - last.atMs < JOIN_COPY_PAUSE_MS;
  }

  /** We answer for that Node-ID, not counting the node itself, which may have been here before. */
  private mayAdmit(nodeId: NodeId): boolean {
    if (!this.chord.isInRing) return false;
    if (this.chord.isResponsible(nodeId)) return true;
    const after = this.predecessorBut(nodeId);
    if (!this.chord.tables.has(nodeId)) return false;
    return after === undefined || isInRange(nodeId, after, this.env.nodeId);
  }

  private predecessorBut(nodeId: NodeId): NodeId | undefined {
    return this.chord.tables.predecessors().find((peer) => peer !== nodeId);
  }
}
