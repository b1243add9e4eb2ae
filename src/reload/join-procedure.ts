import type { ChordUpdate } from '../wire/chord.ts';
import { encode } from '../wire/codec.ts';
import { type Destination, nodeDestination, resourceDestination } from '../wire/destination.ts';
import { ErrorCode } from '../wire/error-response.ts';
import { MessageCode } from '../wire/message-contents.ts';
import type { NodeId } from '../wire/node-id.ts';
import { JoinReq } from '../wire/topology.ts';
import { type AttachManager, routedThrough } from './attach-manager.ts';
import { BootstrapContact, type Contact } from './bootstrap-contact.ts';
import type { ChordReload } from './chord-reload.ts';
import type { ConnectId, KnownPeer } from './input.ts';
import { JoinLeads } from './join-leads.ts';
import type { LinkManager } from './link-manager.ts';
import type { MessageTransport } from './message-transport.ts';
import type { PeerEnvironment } from './peer-environment.ts';
import { describeOutcome, type RequestOutcome } from './request-owner.ts';
import { isInRange, successorPoint } from './ring.ts';
import { FIRST_PEER_PATIENCE_MS, JOIN_RETRY_MAX_MS, JOIN_RETRY_MIN_MS } from './timing.ts';

/** Where joining stands — the steps of RFC 6940 §10.5. */
export type JoinStep =
  | { readonly step: 'idle' }
  /** Step 1: a TLS link to a bootstrap node or a remembered peer. */
  | { readonly step: 'connecting' }
  /** Step 2: an Attach to Resource-ID n+1 through the bootstrap node finds the Admitting Peer. */
  | { readonly step: 'attaching'; readonly bootstrap: NodeId }
  /** Step 2: its Update, asked for by send_update, tells who will be our neighbours. */
  | { readonly step: 'awaitingUpdate'; readonly admittingPeer: NodeId }
  /** Step 3: links to every neighbour-to-be. */
  | {
      readonly step: 'connectingNeighbors';
      readonly admittingPeer: NodeId;
      readonly pending: Set<NodeId>;
    }
  /** Step 5: the Join is sent. */
  | { readonly step: 'joining'; readonly admittingPeer: NodeId }
  /** Steps 6 and 7: the Admitting Peer stores our share and then names us its predecessor. */
  | { readonly step: 'awaitingAdmission'; readonly admittingPeer: NodeId }
  /** Step 9, or attached as a client. */
  | { readonly step: 'done'; readonly admittingPeer: NodeId | undefined }
  /** It did not work; the next try comes after a pause. */
  | { readonly step: 'pausing'; readonly reason: string };

/** What joining tells the rest of the Peer. */
export interface JoinListener {
  /** This node is in the ring (or, a client, attached). */
  handleJoined(): void;
  /** This try failed; the next one follows by itself. */
  handleJoinFailed(reason: string): void;
  /** Whom to try: remembered peers first, then the bootstrap nodes; never this node itself. */
  knownPeers(): readonly KnownPeer[];
}

/**
 * Brings a node into the overlay — RFC 6940 §10.5 and §11.4 — and again whenever it has lost the
 * overlay. A client stops after step 2 (§3.2.1). If the Admitting Peer cannot connect to it, it
 * stays with the bootstrap node: a client may have its connection "with an arbitrary peer in the
 * overlay (perhaps based on network proximity or an inability to establish a direct connection
 * with the responsible peer)".
 */
export class JoinProcedure {
  private readonly env: PeerEnvironment;
  private readonly links: LinkManager;
  private readonly transport: MessageTransport;
  private readonly attaches: AttachManager;
  private readonly chord: ChordReload;
  private readonly listener: JoinListener;
  private state: JoinStep = { step: 'idle' };
  private readonly contact: BootstrapContact;
  private readonly leads: JoinLeads;
  private failures = 0;
  private lastUpdate: ChordUpdate | undefined;
  /** The bootstrap node, once this client attaches to it: its Admitting Peer does not connect. */
  private substitute: NodeId | undefined;

  constructor(
    env: PeerEnvironment,
    links: LinkManager,
    transport: MessageTransport,
    attaches: AttachManager,
    chord: ChordReload,
    listener: JoinListener,
  ) {
    this.env = env;
    this.links = links;
    this.transport = transport;
    this.attaches = attaches;
    this.chord = chord;
    this.listener = listener;
    this.contact = new BootstrapContact(links, attaches);
    this.leads = new JoinLeads(links);
  }

  get current(): JoinStep {
    return this.state;
  }

  /** The peer that admits us, or has admitted us. */
  get admittingPeer(): NodeId | undefined {
    return 'admittingPeer' in this.state ? this.state.admittingPeer : undefined;
  }

  /** The peer through which alone messages find this client; undefined: its Node-ID is enough. */
  get accessPoint(): NodeId | undefined {
    return this.state.step === 'done' ? this.substitute : undefined;
  }

  start(): void {
    this.failures = 0;
    if (this.listener.knownPeers().length === 0 && this.env.options.first) {
      this.finish(undefined);
      return;
    }
    this.beginTry();
  }

  /** The overlay was lost; the nodes that we are still connected to may lead back. */
  restart(reason: string): void {
    if (this.env.state === 'leaving' || this.env.state === 'stopped') return;
    this.fail(reason);
  }

  stop(): void {
    this.enter({ step: 'idle' });
  }

  /** Others found us while we looked for them: the search is over. */
  handleNeighborsFound(): void {
    if (this.env.state !== 'joined' || this.state.step !== 'pausing') return;
    this.failures = 0;
    this.enter({ step: 'done', admittingPeer: undefined });
  }

  handleLinkUp(nodeId: NodeId, connect: ConnectId | undefined): void {
    const { step } = this.state;
    if (step === 'connecting' && this.contact.isOurs(connect)) {
      this.attachThrough(nodeId);
    } else if (step === 'pausing' && this.leads.mayAskAtOnce()) {
      // Whoever connects may know the way, so the pause is over.
      this.beginTry(nodeId);
    }
  }

  handleConnectFailed(connect: ConnectId): void {
    if (this.state.step !== 'connecting') return;
    const contact = this.contact.handleConnectFailed(connect);
    if (contact !== undefined) this.goOn(contact);
  }

  /** An Attach of ours was answered with an error. */
  noteRefusal(nodeId: NodeId, errorCode: number): void {
    const isAsked = this.state.step === 'attaching' && this.state.bootstrap === nodeId;
    if (isAsked && errorCode === ErrorCode.Error_Not_Found) {
      this.leads.noteVerdict(nodeId, 'outside');
    }
  }

  /** A connected node looks for its Admitting Peer through this one, which is in no ring. */
  noteAsking(nodeId: NodeId): void {
    this.leads.noteAsking(nodeId);
  }

  /** The Admitting Peer is found and connected. */
  handleAttached(nodeId: NodeId): void {
    if (this.state.step !== 'attaching') return;
    this.enter({ step: 'awaitingUpdate', admittingPeer: nodeId }, UPDATE_TIMEOUT_MS);
    // Where a link was there already its Update may have come before the answer.
    if (this.chord.tables.has(nodeId) && this.lastUpdate !== undefined) this.useUpdate();
  }

  /** `nodeId`: who answered the Attach and did not connect, if anybody did. */
  handleAttachFailed(nodeId: NodeId | undefined, reason: string): void {
    if (this.state.step !== 'attaching') return;
    const { bootstrap } = this.state;
    const isClient = this.env.options.role === 'client';
    if (isClient && nodeId !== undefined && this.links.linkTo(bootstrap) !== undefined) {
      if (this.substitute === undefined) {
        this.substitute = bootstrap;
        this.attachOver(bootstrap, [nodeDestination(bootstrap)]);
        return;
      }
    }
    this.fail(`no Admitting Peer found: ${reason}`);
  }

  handleUpdate(from: NodeId, update: ChordUpdate): void {
    if (this.state.step === 'attaching' && update.type === 'full') this.lastUpdate = update;
    this.leads.noteInRing(from);
    if (this.env.state !== 'joined' && this.state.step === 'pausing') {
      // There is the way in: it need not be waited for.
      if (this.leads.mayFollow(from)) this.beginTry(from);
    }
    if (from !== this.admittingPeer) return;
    this.lastUpdate = update;
    if (this.state.step === 'awaitingUpdate') this.useUpdate();
    else if (this.isAdmission(update)) this.finish(from);
    else if (this.isTakenByAnother(from, update)) this.fail('another node joined at our place');
  }

  handleNeighborAttached(nodeId: NodeId): void {
    this.settleNeighbor(nodeId);
  }

  handleNeighborFailed(nodeId: NodeId | undefined): void {
    if (nodeId !== undefined) this.settleNeighbor(nodeId);
  }

  handleOutcome(outcome: RequestOutcome): void {
    if (this.state.step !== 'joining') return;
    const { admittingPeer } = this.state;
    if (outcome.type !== 'answer') {
      this.fail(`the Join failed: ${describeOutcome(outcome)}`);
      return;
    }
    this.enter({ step: 'awaitingAdmission', admittingPeer }, ADMISSION_TIMEOUT_MS);
  }

  /** Data that the Admitting Peer hands over shows that it is still at work. */
  noteHandOver(from: NodeId): void {
    if (this.state.step !== 'awaitingAdmission' || from !== this.state.admittingPeer) return;
    this.env.after('join', { type: 'join' }, ADMISSION_TIMEOUT_MS);
  }

  handleNodeDisconnected(nodeId: NodeId): void {
    const { step } = this.state;
    this.leads.forget(nodeId);
    if (step === 'connectingNeighbors') this.settleNeighbor(nodeId);
    if (step === 'attaching' && nodeId === this.state.bootstrap) {
      this.fail('the node that was asked for the way is gone');
    }
    if (nodeId !== this.admittingPeer) return;
    if (step !== 'done') this.fail('the Admitting Peer is gone');
    else if (this.env.options.role === 'client') this.fail('the peer we were attached to is gone');
  }

  handleTimer(): void {
    switch (this.state.step) {
      case 'connecting':
        this.goOn(this.contact.handleTimer());
        return;
      case 'awaitingUpdate':
        this.useUpdate();
        return;
      case 'connectingNeighbors':
        this.sendJoin(this.state.admittingPeer);
        return;
      case 'pausing':
        this.beginTry();
        return;
      case 'attaching':
      case 'joining':
      case 'awaitingAdmission':
        this.fail(`no progress in the step "${this.state.step}"`);
        return;
      case 'idle':
      case 'done':
    }
  }

  /** Through `lead`, or else through a connected node and the known peers by turns. */
  private beginTry(lead = this.leads.next()): void {
    if (this.env.state !== 'joined') this.env.enter('joining');
    this.lastUpdate = undefined;
    this.substitute = undefined;
    if (lead !== undefined) this.attachThrough(lead);
    else this.goOn(this.contact.begin(this.listener.knownPeers()));
  }

  private goOn(contact: Contact): void {
    if (contact.type === 'waiting') this.enter({ step: 'connecting' }, contact.timeoutMs);
    else if (contact.type === 'reached') this.attachThrough(contact.nodeId);
    else this.fail('no bootstrap node and no remembered peer can be reached');
  }

  private attachThrough(bootstrap: NodeId): void {
    const target = resourceDestination(successorPoint(this.env.nodeId));
    this.attachOver(bootstrap, routedThrough(target, bootstrap));
  }

  private attachOver(bootstrap: NodeId, path: readonly Destination[]): void {
    this.enter({ step: 'attaching', bootstrap }, ATTACH_TIMEOUT_MS);
    if (!this.attaches.attach(path, { type: 'admittingPeer' }, { anySigner: true })) {
      this.fail('too many Attaches are under way');
    }
  }

  /** RFC 6940 §10.5: from the Admitting Peer's table the neighbours-to-be are known. */
  private useUpdate(): void {
    if (this.state.step !== 'awaitingUpdate') return;
    const { admittingPeer } = this.state;
    if (this.env.options.role === 'client') {
      this.finish(admittingPeer);
      return;
    }
    const pending = new Set<NodeId>();
    for (const nodeId of this.neighborsToBe()) {
      if (nodeId === this.env.nodeId || this.links.linkTo(nodeId) !== undefined) continue;
      if (this.attaches.isUnreachable(nodeId)) continue;
      const path = routedThrough(nodeDestination(nodeId), admittingPeer);
      if (this.attaches.attach(path, { type: 'neighbor' })) pending.add(nodeId);
    }
    if (pending.size === 0) this.sendJoin(admittingPeer);
    else {
      const step = { step: 'connectingNeighbors', admittingPeer, pending } as const;
      this.enter(step, NEIGHBORS_TIMEOUT_MS);
    }
  }

  private neighborsToBe(): NodeId[] {
    const update = this.lastUpdate;
    if (update === undefined || update.type === 'peerReady') return [];
    return [...new Set([...update.predecessors, ...update.successors])].slice(
      0,
      NEIGHBORS_TO_BE_MAX,
    );
  }

  private settleNeighbor(nodeId: NodeId): void {
    if (this.state.step !== 'connectingNeighbors') return;
    this.state.pending.delete(nodeId);
    if (this.state.pending.size === 0) this.sendJoin(this.state.admittingPeer);
  }

  private sendJoin(admittingPeer: NodeId): void {
    this.enter({ step: 'joining', admittingPeer }, JOIN_TIMEOUT_MS);
    this.transport.request({
      destinationList: [nodeDestination(admittingPeer)],
      code: MessageCode.joinReq,
      body: encode(JoinReq, { joiningPeerId: this.env.nodeId, overlaySpecificData: NO_BYTES }),
      owner: { type: 'join' },
    });
  }

  /** RFC 6940 §10.5 step 7: the Update that names us its first predecessor. */
  private isAdmission(update: ChordUpdate): boolean {
    const { step } = this.state;
    if (step !== 'joining' && step !== 'awaitingAdmission') return false;
    return update.type !== 'peerReady' && update.predecessors[0] === this.env.nodeId;
  }

  private isTakenByAnother(from: NodeId, update: ChordUpdate): boolean {
    if (update.type === 'peerReady') return false;
    const { step } = this.state;
    const waits = step === 'joining' || step === 'awaitingAdmission';
    const isClient = this.env.options.role === 'client';
    const attachedClient = step === 'done' && isClient && this.substitute === undefined;
    const nearest = update.predecessors[0];
    if (nearest === undefined || !(waits || attachedClient)) return false;
    return !isInRange(this.env.nodeId, nearest, from);
  }

  private finish(admittingPeer: NodeId | undefined): void {
    this.failures = 0;
    this.enter({ step: 'done', admittingPeer });
    this.env.enter('joined');
    this.listener.handleJoined();
  }

  private fail(reason: string): void {
    if (this.state.step === 'attaching') this.leads.noteVerdict(this.state.bootstrap, 'silent');
    this.failures++;
    this.transport.forget((owner) => owner.type === 'join');
    this.attaches.giveUp('admittingPeer');
    if (this.mayBeFirst()) {
      this.finish(undefined);
      return;
    }
    // Each connected node is asked once soon: it may know the way.
    const doublings = this.leads.hasUntried ? 0 : Math.min(this.failures - 1, 8);
    const pauseMs = Math.min(JOIN_RETRY_MIN_MS * 2 ** doublings, JOIN_RETRY_MAX_MS);
    this.enter({ step: 'pausing', reason }, this.env.randomMs(pauseMs / 2, pauseMs));
    this.listener.handleJoinFailed(reason);
  }

  /**
   * The first peer of the overlay came back, and nobody that it can reach is in the ring: they wait
   * for it. Who says nothing at all cannot keep it from that for ever.
   */
  private mayBeFirst(): boolean {
    if (!this.env.options.first || this.env.state === 'joined') return false;
    if (this.failures <= FIRST_PEER_TRIES_MAX || this.chord.tables.size > 0) return false;
    const waitedMs = this.env.now.monotonicMs - this.env.startedMonotonicMs;
    return this.leads.areAllOutside || waitedMs >= FIRST_PEER_PATIENCE_MS;
  }

  private enter(step: JoinStep, timeoutMs?: number): void {
    this.state = step;
    if (timeoutMs === undefined) this.env.deadlines.cancel('join');
    else this.env.after('join', { type: 'join' }, timeoutMs);
  }
}

const NO_BYTES = new Uint8Array(0);
const ATTACH_TIMEOUT_MS = 26_000;
const UPDATE_TIMEOUT_MS = 3_000;
const NEIGHBORS_TIMEOUT_MS = 12_000;
const JOIN_TIMEOUT_MS = 16_000;
const ADMISSION_TIMEOUT_MS = 10_000;
const NEIGHBORS_TO_BE_MAX = 32;
const FIRST_PEER_TRIES_MAX = 2;
