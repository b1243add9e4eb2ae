import type { VerifiedConfiguration } from '../overlay-config/verified-configuration.ts';
import type { AuthenticatedNode } from '../tls-auth/authenticated-node.ts';
import type { ChordUpdate } from '../wire/chord.ts';
import { encode } from '../wire/codec.ts';
import { nodeDestination } from '../wire/destination.ts';
import type { ErrorCode } from '../wire/error-response.ts';
import type { ForwardingView } from '../wire/forwarding-view.ts';
import type { IpAddressPort } from '../wire/ip-address-port.ts';
import { MessageCode } from '../wire/message-contents.ts';
import type { NodeId } from '../wire/node-id.ts';
import type { ResourceId } from '../wire/resource-id.ts';
import type { KindId } from '../wire/stored-data.ts';
import { PingReq } from '../wire/topology.ts';
import type { AttachListener, AttachPurpose, FailedAttach } from './attach-listener.ts';
import type { ChordListener } from './chord-reload.ts';
import type { CommandListener } from './command-service.ts';
import type { ConfigurationListener } from './configuration-service.ts';
import { dispatchOutcome, dispatchRequest } from './dispatch.ts';
import type { ForwardingListener } from './forwarding-layer.ts';
import type { CommandId, ConnectId, KnownPeer, LinkId } from './input.ts';
import type { JoinListener } from './join-procedure.ts';
import type { LeaveListener } from './leave-procedure.ts';
import type { LinkListener } from './link-manager.ts';
import type { Link, LinkUse } from './link-state.ts';
import type { ReceiverListener, VerifiedRequest } from './message-receiver.ts';
import type { TransportListener } from './message-transport.ts';
import type { PartitionListener } from './partition-search.ts';
import type { PeerEnvironment } from './peer-environment.ts';
import type { PeerAsWhole, PeerParts } from './peer-parts.ts';
import type { RoutingView } from './redundant-lookup.ts';
import type { ReplicationListener } from './replication.ts';
import type { RequestOutcome, RequestOwner } from './request-owner.ts';
import { isFromUntil, type RingId } from './ring.ts';
import type { StorageListener } from './storage-service.ts';
import { HOUSEKEEPING_MS, ISOLATED_CHECK_MS } from './timing.ts';

type Listeners = LinkListener &
  ForwardingListener &
  TransportListener &
  ReceiverListener &
  AttachListener &
  ChordListener &
  JoinListener &
  PartitionListener &
  ReplicationListener &
  StorageListener &
  ConfigurationListener &
  CommandListener &
  LeaveListener;

/** What happens in one component of a Peer when something happens in another: the wiring. */
export class PeerReactions implements Listeners {
  private readonly env: PeerEnvironment;
  private readonly parts: PeerParts;
  private readonly whole: PeerAsWhole;

  constructor(env: PeerEnvironment, parts: PeerParts, whole: PeerAsWhole) {
    this.env = env;
    this.parts = parts;
    this.whole = whole;
  }

  setStartingPeers(peers: readonly KnownPeer[]): void {
    this.parts.knownPeers.start(peers);
  }

  // Links

  handleLinkUp(
    id: LinkId,
    node: AuthenticatedNode,
    remoteAddress: IpAddressPort,
    connect: ConnectId | undefined,
  ): void {
    const link = this.parts.links.handleLinkUp(id, node, remoteAddress, connect);
    if (link === undefined) {
      if (connect !== undefined) this.parts.join.handleConnectFailed(connect);
      return;
    }
    this.parts.attaches.handleLinkUp(link);
    this.parts.join.handleLinkUp(link.nodeId, connect);
    this.parts.partition.handleLinkUp(link.nodeId, connect);
  }

  handleMessage(link: Link, message: Uint8Array): void {
    this.parts.forwarding.receive(link, message);
  }

  handleNodeConnected(): void {
    this.parts.knownPeers.note();
  }

  handleNodeDisconnected(nodeId: NodeId): void {
    const wasReplica = this.parts.chord.replicaSet().includes(nodeId);
    this.parts.attaches.handleNodeDisconnected(nodeId);
    if (wasReplica) this.parts.replication.handleReplicaLost(nodeId);
    const wasRoutable = this.parts.chord.handleNodeLost(nodeId);
    this.parts.admission.handleNodeDisconnected(nodeId);
    this.parts.join.handleNodeDisconnected(nodeId);
    this.parts.leave.handleNodeDisconnected(nodeId);
    if (wasRoutable) this.afterPeerLost();
  }

  handleNodeSuspect(nodeId: NodeId): void {
    const wasReplica = this.parts.chord.replicaSet().includes(nodeId);
    if (wasReplica) this.parts.replication.handleReplicaLost(nodeId);
    // Others name it until they notice, too.
    this.parts.attaches.noteUnreachable(nodeId);
    if (this.parts.chord.handleNodeSuspect(nodeId)) this.afterPeerLost();
  }

  handleNodeRestored(nodeId: NodeId): void {
    this.parts.attaches.noteReachable(nodeId);
    this.parts.chord.handleNodeRestored(nodeId);
  }

  handleNodeReplaced(nodeId: NodeId): void {
    if (this.parts.chord.handleNodeLost(nodeId)) this.afterPeerLost();
    // If it is in the ring after all, it tells us so.
    this.parts.chord.sendRequestedUpdate(nodeId);
  }

  /**
   * A Ping over a link that was silent: its acknowledgement shows that the other end lives. Over
   * one that is suspect it is sent again and again, in case it gets lost.
   */
  probe(link: Link): void {
    this.parts.transport.request({
      destinationList: [nodeDestination(link.nodeId)],
      code: MessageCode.pingReq,
      body: encode(PingReq, { padding: new Uint8Array(0) }),
      owner: { type: 'probeLink', link: link.id },
      ...(link.suspect ? {} : { transmissionsMax: 1 }),
    });
  }

  useOf(nodeId: NodeId): LinkUse {
    const { attaches, chord, join } = this.parts;
    const { tables } = chord;
    const isClient = this.env.options.role === 'client';
    const isNext = tables.successors()[0] === nodeId || tables.predecessors()[0] === nodeId;
    if (isClient ? nodeId === join.admittingPeer : isNext) return 'nearest';
    if (!isClient && tables.isNeighbor(nodeId)) return 'neighbor';
    const isOurs = join.current.step === 'done' && attaches.askedFor(nodeId);
    return isOurs && (isClient || this.servesNothing(nodeId)) ? 'none' : 'other';
  }

  isExpendable(nodeId: NodeId): boolean {
    const { chord, join } = this.parts;
    if (nodeId === join.admittingPeer || chord.tables.isNeighbor(nodeId)) return false;
    return !chord.tables.isFinger(nodeId);
  }

  /** A link of ours that was made while joining, or to a peer that nearer ones have replaced. */
  private servesNothing(nodeId: NodeId): boolean {
    const { chord, replication } = this.parts;
    if (chord.isListedBy(nodeId) || chord.tables.isFinger(nodeId)) return false;
    if (replication.isSendingTo(nodeId)) return false;
    return !chord.tables.isNearNeighbor(nodeId, NEIGHBORS_KEPT_BEYOND);
  }

  // Messages

  deliver(view: ForwardingView, from: Link | undefined): void {
    this.parts.receiver.deliver(view, from);
  }

  refuse(view: ForwardingView, from: Link, errorCode: ErrorCode, detail: string): void {
    this.parts.receiver.refuse(view, from, errorCode, detail);
  }

  sendOwn(bytes: Uint8Array): boolean {
    return this.parts.forwarding.send(bytes);
  }

  noteAsking(nodeId: NodeId): void {
    this.parts.join.noteAsking(nodeId);
  }

  isInRing(): boolean {
    return this.parts.chord.isInRing;
  }

  isResponsible(id: RingId): boolean {
    return this.parts.chord.isResponsible(id);
  }

  nextHop(id: RingId): NodeId | undefined {
    return this.parts.chord.nextHop(id);
  }

  ownerOf(id: RingId): NodeId | undefined {
    return this.parts.chord.tables.ownerOf(id);
  }

  isBehindGap(id: RingId, last: NodeId): boolean {
    const unlinked = this.parts.chord.taught.unlinkedNeighbors();
    return unlinked.some((nodeId) => isFromUntil(nodeId, id, last));
  }

  hasAttached(nodeId: NodeId): boolean {
    return this.parts.attaches.hasAttached(nodeId);
  }

  routingView(): RoutingView {
    const { tables } = this.parts.chord;
    return {
      peers: tables.peers(),
      successors: tables.successors(),
      predecessors: tables.predecessors(),
    };
  }

  isPlausibleResponder(resource: RingId, signer: NodeId): boolean {
    return this.parts.chord.isPlausibleResponder(resource, signer);
  }

  configurationError(sequence: number, request: VerifiedRequest): ErrorCode | undefined {
    return this.parts.configuration.errorFor(sequence, request.signer.nodeId);
  }

  giveConfiguration(nodeId: NodeId): void {
    this.parts.configuration.sendDocument(nodeId);
  }

  handleRequest(request: VerifiedRequest): void {
    dispatchRequest(this.parts, request);
  }

  handleOutcome(owner: RequestOwner, outcome: RequestOutcome): void {
    dispatchOutcome(this.parts, owner, outcome);
  }

  // Topology

  handleAttached(nodeId: NodeId, purpose: AttachPurpose): void {
    if (purpose.type === 'admittingPeer') this.parts.join.handleAttached(nodeId);
    if (purpose.type === 'neighbor') {
      this.parts.join.handleNeighborAttached(nodeId);
      this.parts.chord.taught.handleAttachEnded(nodeId, 'reached');
    }
    if (purpose.type === 'finger') this.parts.fingers.handleAttachEnded();
    if (purpose.type === 'partition') this.parts.chord.sendRequestedUpdate(nodeId);
  }

  handleAttachFailed({ nodeId, purpose, alive, reason }: FailedAttach): void {
    if (purpose.type === 'admittingPeer') this.parts.join.handleAttachFailed(nodeId, reason);
    if (purpose.type === 'neighbor') {
      this.parts.join.handleNeighborFailed(nodeId);
      const how = alive ? 'alive' : 'silent';
      if (nodeId !== undefined) this.parts.chord.taught.handleAttachEnded(nodeId, how);
      // It may have been believed to be our predecessor: the range is looked at again.
      this.parts.chord.recheck();
    }
    if (purpose.type === 'finger') this.parts.fingers.handleAttachEnded();
  }

  handleUnconnected(nodeId: NodeId): void {
    this.parts.chord.taught.attachLater(nodeId);
  }

  sendRequestedUpdate(nodeId: NodeId): void {
    this.parts.chord.sendRequestedUpdate(nodeId);
  }

  handleNeighborsChanged(): void {
    this.parts.replication.handleNeighborsChanged();
    if (this.parts.chord.tables.size > 0) this.parts.join.handleNeighborsFound();
    this.parts.knownPeers.note();
  }

  handleNeighborDoubted(nodeId: NodeId): void {
    this.parts.links.doubt(nodeId);
  }

  handleUpdateTaken(from: NodeId, update: ChordUpdate): void {
    this.parts.join.handleUpdate(from, update);
  }

  noteFingerCandidate(nodeId: NodeId, teacher: NodeId): void {
    this.parts.fingers.noteCandidate(nodeId, teacher);
  }

  handleJoined(): void {
    const { chord, fingers, ownRecords, partition } = this.parts;
    if (this.env.options.role === 'peer') {
      chord.handleJoined();
      fingers.handleJoined();
      partition.arm();
      this.armStabilize();
    }
    ownRecords.handleJoined();
  }

  handleJoinFailed(reason: string): void {
    this.env.event({ type: 'joinFailed', reason });
  }

  knownPeers(): readonly KnownPeer[] {
    return this.parts.knownPeers.all();
  }

  bootstrapPeers(): readonly KnownPeer[] {
    return this.parts.knownPeers.bootstrap();
  }

  stabilize(): void {
    this.parts.chord.stabilize();
    this.armStabilize();
  }

  handleNeighborLeft(nodeId: NodeId, itsNeighbors: readonly NodeId[]): void {
    const { attaches, chord, replication } = this.parts;
    attaches.noteUnreachable(nodeId);
    chord.handleNodeLost(nodeId);
    // §10.6 would route through the informant, which is leaving.
    chord.learn(itsNeighbors, undefined);
    // It left in good order: its place is taken at once, without a hold-down.
    replication.handleNeighborsChanged();
  }

  // Data

  handleStored(resource: ResourceId): void {
    this.parts.replication.handleStored(resource);
    this.parts.admission.handleStored(resource);
  }

  handlePassedOn(resource: ResourceId): void {
    if (this.parts.chord.isInRing) this.parts.replication.noteMisplaced(resource);
  }

  handleOffered(resource: ResourceId, kinds: readonly KindId[], nodeId: NodeId): void {
    this.parts.newerData.fetch(resource, nodeId, kinds);
  }

  noteReplicaStore(from: NodeId): void {
    this.parts.join.noteHandOver(from);
  }

  /** Only while this node is being admitted may its Admitting Peer store whatever it holds. */
  admittingPeer(): NodeId | undefined {
    return this.parts.chord.isInRing ? undefined : this.parts.join.admittingPeer;
  }

  handleNewerElsewhere(resource: ResourceId, nodeId: NodeId): void {
    this.parts.newerData.fetch(resource, nodeId);
  }

  handleDrained(nodeId: NodeId): void {
    this.parts.admission.completeIfDrained(nodeId);
    this.parts.leave.continue();
  }

  keepHouse(): void {
    this.env.after('housekeeping', { type: 'housekeeping' }, HOUSEKEEPING_MS);
    this.parts.storage.retryUnwritten();
    this.parts.retirement.keepHouse();
  }

  // The Peer as a whole

  applyConfiguration(configuration: VerifiedConfiguration): void {
    this.whole.applyConfiguration(configuration);
  }

  mustLeave(reason: string): void {
    this.env.event({ type: 'mustLeave', reason });
    this.env.leaveReason ??= reason;
    this.parts.leave.start(undefined);
  }

  leave(id: CommandId): void {
    this.parts.leave.start(id);
  }

  handleLeft(commands: readonly CommandId[]): void {
    this.whole.finishLeaving(commands);
  }

  private afterPeerLost(): void {
    const { chord, fingers, join } = this.parts;
    fingers.handlePeerLost();
    // RFC 6940 §10.7.1: without any successor this peer behaves as if it were joining.
    if (chord.isInRing && chord.tables.size === 0) {
      join.restart('all neighbours are lost');
      this.env.after('partition', { type: 'partition' }, ISOLATED_CHECK_MS);
    }
  }

  private armStabilize(): void {
    const intervalMs = this.env.configuration.chordUpdateIntervalSeconds * 1000;
    const delayMs = this.env.randomMs(0.75 * intervalMs, 1.25 * intervalMs);
    this.env.after('stabilize', { type: 'stabilize' }, delayMs);
  }
}

/** Who comes and goes at the end of the Neighbor Table need not be attached to again each time. */
const NEIGHBORS_KEPT_BEYOND = 3;
