import { encode } from '../wire/codec.ts';
import { nodeDestination, resourceDestination } from '../wire/destination.ts';
import { MessageCode } from '../wire/message-contents.ts';
import type { NodeId } from '../wire/node-id.ts';
import { PingReq } from '../wire/topology.ts';
import { type AttachManager, routedThrough } from './attach-manager.ts';
import type { ChordReload } from './chord-reload.ts';
import type { ConnectId, KnownPeer } from './input.ts';
import type { LinkManager } from './link-manager.ts';
import type { MessageTransport } from './message-transport.ts';
import type { PeerEnvironment } from './peer-environment.ts';
import type { RequestOutcome } from './request-owner.ts';
import { successorPoint } from './ring.ts';
import { ISOLATED_CHECK_MS, PARTITION_CHECK_MS } from './timing.ts';

/** What the search asks of the rest of the Peer. */
export interface PartitionListener {
  /** Bootstrap nodes and the peers that this one is or was connected to. */
  knownPeers(): readonly KnownPeer[];
  /** Those of the discovery alone: who is connected to us is in our part of a divided ring. */
  bootstrapPeers(): readonly KnownPeer[];
}

/**
 * Finds out whether the overlay has fallen apart — RFC 6940 §10.7.4.4 with erratum 5530: a Ping to
 * Resource-ID n+1 through a bootstrap node is answered by our successor, or the ring is divided.
 */
export class PartitionSearch {
  private readonly env: PeerEnvironment;
  private readonly links: LinkManager;
  private readonly transport: MessageTransport;
  private readonly attaches: AttachManager;
  private readonly chord: ChordReload;
  private readonly listener: PartitionListener;
  private connecting: ConnectId | undefined;
  private nextPeer = 0;

  constructor(
    env: PeerEnvironment,
    links: LinkManager,
    transport: MessageTransport,
    attaches: AttachManager,
    chord: ChordReload,
    listener: PartitionListener,
  ) {
    this.env = env;
    this.links = links;
    this.transport = transport;
    this.attaches = attaches;
    this.chord = chord;
    this.listener = listener;
  }

  arm(): void {
    const { isInRing, tables } = this.chord;
    const isIsolated = isInRing && tables.size === 0 && this.listener.knownPeers().length > 0;
    const pauseMs = isIsolated ? ISOLATED_CHECK_MS : PARTITION_CHECK_MS;
    const delayMs = this.env.randomMs(0.75 * pauseMs, 1.25 * pauseMs);
    this.env.after('partition', { type: 'partition' }, delayMs);
  }

  handleTimer(): void {
    this.arm();
    if (!this.chord.isInRing) return;
    const isAlone = this.chord.tables.size === 0;
    const peers = isAlone ? this.listener.knownPeers() : this.listener.bootstrapPeers();
    const peer = peers[this.nextPeer++ % Math.max(peers.length, 1)];
    if (peer === undefined) return;
    if (peer.nodeId !== undefined && this.links.linkTo(peer.nodeId) !== undefined) {
      this.ping(peer.nodeId);
    } else {
      this.connecting = this.attaches.connectDirectly(peer.address, peer.nodeId);
    }
  }

  handleLinkUp(nodeId: NodeId, connect: ConnectId | undefined): void {
    if (connect === undefined || connect !== this.connecting) return;
    this.connecting = undefined;
    this.ping(nodeId);
  }

  handlePingOutcome(through: NodeId, outcome: RequestOutcome): void {
    if (outcome.type !== 'answer' || !this.chord.isInRing) return;
    const found = outcome.signer.nodeId;
    if (found === this.env.nodeId || this.chord.tables.has(found)) return;
    const path = routedThrough(nodeDestination(found), through);
    if (!this.attaches.attach(path, { type: 'partition' })) return;
    this.env.event({ type: 'partitionHealed', through });
  }

  private ping(through: NodeId): void {
    const target = resourceDestination(successorPoint(this.env.nodeId));
    this.transport.request({
      destinationList: routedThrough(target, through),
      code: MessageCode.pingReq,
      body: encode(PingReq, { padding: new Uint8Array(0) }),
      owner: { type: 'partitionPing', through },
      anySigner: true,
      transmissionsMax: 2,
    });
  }
}
