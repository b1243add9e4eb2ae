import {
  type CertificateContent,
  makeLeaf,
  makeRoot,
  TEST_UNIX_MS,
  type TestAuthority,
} from '../../sim/certificates/certificate-maker.ts';
import type { ConfigurationContent } from '../../src/overlay-config/configuration-document-builder.ts';
import { trustSettingsOf } from '../../src/overlay-config/configuration-trust-settings.ts';
import type { VerifiedConfiguration } from '../../src/overlay-config/verified-configuration.ts';
import type { Command, CommandOutcome, CommandResult } from '../../src/reload/command.ts';
import type { Input, LinkId } from '../../src/reload/input.ts';
import type { Output } from '../../src/reload/output.ts';
import { Peer } from '../../src/reload/peer.ts';
import type { PeerEvent } from '../../src/reload/peer-event.ts';
import type { PeerOptions, RandomSource } from '../../src/reload/peer-options.ts';
import { ResourceStore } from '../../src/storage/resource-store.ts';
import { Authenticator } from '../../src/tls-auth/authenticator.ts';
import { CertificateRefusal } from '../../src/tls-auth/certificate-refusal.ts';
import { createSigner, type Signer } from '../../src/tls-auth/signer.ts';
import type { IpAddressPort } from '../../src/wire/ip-address-port.ts';
import type { NodeId } from '../../src/wire/node-id.ts';
import { seededRandom } from './seeded-random.ts';
import { sameAddress, virtualAddress } from './virtual-address.ts';
import { OVERLAY, testConfiguration } from './virtual-configuration.ts';
import { nodeSeen, waitForLists } from './virtual-handshake.ts';
import { VirtualWorld } from './virtual-world.ts';

export { OVERLAY };

export interface VirtualPeerOptions extends Partial<PeerOptions> {
  readonly jid?: string;
}

/** One peer of a VirtualOverlay, with all that it has said and stored. */
export class VirtualPeer {
  readonly name: string;
  readonly nodeId: NodeId;
  readonly address: IpAddressPort;
  /** What its links show from now on. */
  signer: Signer;
  readonly records = new Map<string, Uint8Array>();
  readonly events: PeerEvent[] = [];
  readonly outcomes = new Map<number, CommandOutcome>();
  /** Bytes that a test looks at or changes: returns what is delivered instead. */
  intercept: ((bytes: Uint8Array, to: VirtualPeer) => Uint8Array | undefined) | undefined;
  /** Writes are answered only when this is false. */
  diskIsStuck = false;
  diskFails = false;
  isUp = true;
  /** Its host calls back when every revocation list that is wanted was asked for. */
  whenListsSettled: ((then: () => void) => void) | undefined;
  /** Packets to and from it vanish: the host is silent, its links are not closed. */
  isSilent = false;
  peer: Peer;
  readonly options: PeerOptions;

  constructor(name: string, options: PeerOptions, address: IpAddressPort) {
    this.name = name;
    this.options = options;
    this.signer = options.signer;
    this.nodeId = options.signer.nodeId;
    this.address = address;
    this.peer = new Peer(options);
  }
}

interface VirtualLink {
  readonly ends: readonly [End, End];
  open: boolean;
}

interface End {
  readonly peer: VirtualPeer;
  readonly link: LinkId;
}

/**
 * Many peers on virtual time in one process: no sockets, no disk, no waiting. Every message takes
 * `latencyMs`; links deliver in order. Real certificates and signatures.
 */
export class VirtualOverlay extends VirtualWorld<VirtualPeer> {
  readonly root: TestAuthority;
  readonly configuration: VerifiedConfiguration;
  readonly peers: VirtualPeer[] = [];
  readonly latencyMs: number;
  /** Hosts between which no connection can be made, in either direction. */
  isCutOff: (from: VirtualPeer, to: VirtualPeer) => boolean = () => false;
  private readonly links = new Map<VirtualPeer, Map<LinkId, VirtualLink>>();
  private nextLink = 1;
  private nextCommand = 1;
  private readonly random: RandomSource;

  constructor(
    options: {
      readonly latencyMs?: number;
      readonly seed?: number;
      readonly configuration?: Partial<ConfigurationContent>;
      readonly root?: TestAuthority;
    } = {},
  ) {
    super();
    this.latencyMs = options.latencyMs ?? 10;
    this.root = options.root ?? makeRoot();
    this.random = seededRandom(options.seed ?? 1);
    this.configuration = testConfiguration(this.root, options.configuration);
  }

  /** A new peer; it starts through all peers that are there, or as the first one. */
  add(nodeId: string, options: VirtualPeerOptions = {}): VirtualPeer {
    const id = nodeId.padEnd(32, '0') as NodeId;
    const index = this.peers.length + 1;
    const jid = options.jid ?? `user${index}@example.org`;
    const authenticator = new Authenticator(trustSettingsOf(this.configuration));
    const address = virtualAddress(index);
    const peerOptions: PeerOptions = {
      configuration: this.configuration,
      authenticator,
      signer: options.signer ?? this.newSigner(id, jid),
      random: this.random,
      role: 'peer',
      first: this.peers.length === 0,
      addresses: [address],
      store: new ResourceStore({ kinds: this.configuration.kinds }),
      publishLocation: true,
      ...options,
    };
    const peer = new VirtualPeer(nodeId, peerOptions, address);
    this.peers.push(peer);
    this.links.set(peer, new Map());
    return peer;
  }

  /** A key of its own with a certificate of this overlay. */
  newSigner(nodeId: NodeId, jid: string, change: Partial<CertificateContent> = {}): Signer {
    const leaf = makeLeaf(this.root, { jid, nodeId, change: () => change });
    const authenticator = new Authenticator(trustSettingsOf(this.configuration));
    const node = authenticator.authenticate(leaf.certificate, [], TEST_UNIX_MS);
    if (node instanceof CertificateRefusal) throw new Error(node.describe());
    return createSigner(node, nodeId, leaf.key.privateKey);
  }

  /** Adds a peer and runs until it has joined and stored its records. */
  join(nodeId: string, options: VirtualPeerOptions = {}): VirtualPeer {
    const peer = this.add(nodeId, options);
    this.start(peer);
    const done = () => peer.peer.status().ownRecordsComplete;
    if (!this.runUntil(done, 60_000)) throw new Error(`${nodeId} did not join`);
    return peer;
  }

  start(peer: VirtualPeer): void {
    const others = this.peers.filter((other) => other !== peer && other.isUp);
    const knownPeers = others.slice(0, 3).map(({ address }) => ({ address }));
    this.handle(peer, { type: 'start', knownPeers });
  }

  /** The process ends: its neighbours see their links close. */
  crash(peer: VirtualPeer): void {
    peer.isUp = false;
    for (const [id, link] of this.links.get(peer) ?? []) this.closeLink(peer, id, link, 'reset');
  }

  /** The same identity and disk, a new process. */
  restart(peer: VirtualPeer): void {
    peer.isUp = true;
    peer.isSilent = false;
    const store = new ResourceStore({ kinds: this.configuration.kinds });
    const records = [...peer.records].map(([key, value]) => ({ key, value }));
    store.restore(records, peer.options.authenticator, this.now);
    peer.peer = new Peer({ ...peer.options, store });
    this.start(peer);
  }

  command(peer: VirtualPeer, command: Command): () => CommandOutcome | undefined {
    const id = this.nextCommand++;
    this.handle(peer, { type: 'command', id, command });
    return () => peer.outcomes.get(id);
  }

  /** Runs a command to its end. */
  run(peer: VirtualPeer, command: Command, withinMs = 60_000): CommandOutcome {
    const outcome = this.command(peer, command);
    this.runUntil(() => outcome() !== undefined, withinMs);
    const found = outcome();
    if (found === undefined) throw new Error(`${command.type} did not end`);
    return found;
  }

  /** Runs a command that must succeed. */
  result<T extends CommandResult['type']>(
    peer: VirtualPeer,
    command: Command,
    type: T,
  ): Extract<CommandResult, { type: T }> {
    const outcome = this.run(peer, command);
    if (!outcome.ok) throw new Error(`${outcome.failure.code}: ${outcome.failure.detail}`);
    if (outcome.result.type !== type) throw new Error(`got ${outcome.result.type}`);
    return outcome.result as Extract<CommandResult, { type: T }>;
  }

  handle(peer: VirtualPeer, input: Input): void {
    if (!peer.isUp) return;
    for (const output of peer.peer.handle(input, this.now)) this.perform(peer, output);
  }

  /** Delivers bytes to `peer` as if they came over the link from `from`. */
  inject(peer: VirtualPeer, from: VirtualPeer, bytes: Uint8Array): void {
    for (const [id, { ends }] of this.links.get(peer) ?? []) {
      const other = ends.find((end) => end.peer !== peer);
      if (other?.peer === from) this.handle(peer, { type: 'linkData', link: id, bytes });
    }
  }

  isConnected(a: VirtualPeer, b: VirtualPeer): boolean {
    return a.peer.status().links.some(({ nodeId }) => nodeId === b.nodeId);
  }

  protected parties(): readonly VirtualPeer[] {
    return this.peers;
  }

  protected deadlineOf({ peer }: VirtualPeer): number | undefined {
    return peer.nextDeadline();
  }

  protected tick(peer: VirtualPeer): void {
    this.handle(peer, { type: 'tick' });
  }

  private perform(peer: VirtualPeer, output: Output): void {
    switch (output.type) {
      case 'connect':
        this.later(2 * this.latencyMs, () => this.connect(peer, output));
        return;
      case 'send':
        this.send(peer, output.link, output.bytes);
        return;
      case 'close': {
        const link = this.links.get(peer)?.get(output.link);
        if (link !== undefined) this.closeLink(peer, output.link, link, output.reason);
        return;
      }
      case 'persist':
        this.persist(peer, output);
        return;
      case 'completed':
        peer.outcomes.set(output.id, output.outcome);
        return;
      case 'event':
        peer.events.push(output.event);
        return;
      case 'rememberPeers':
      case 'configurationAdopted':
      case 'stopped':
    }
  }

  private persist(peer: VirtualPeer, output: Extract<Output, { type: 'persist' }>): void {
    if (peer.diskIsStuck) return;
    const { ticket } = output;
    if (peer.diskFails) {
      this.later(1, () =>
        this.handle(peer, { type: 'persistFailed', ticket, reason: 'disk full' }),
      );
      return;
    }
    this.later(1, () => {
      for (const { key, value } of output.records) {
        if (value === undefined) peer.records.delete(key);
        else peer.records.set(key, value);
      }
      this.handle(peer, { type: 'persisted', ticket });
    });
  }

  private connect(
    from: VirtualPeer,
    output: Extract<Output, { type: 'connect' }>,
    isLast = false,
  ): void {
    const to = this.peers.find(({ address }) => sameAddress(address, output.address));
    const expected = output.expectedNodeId;
    const isOther = expected !== undefined && expected !== to?.nodeId;
    const isReached = to?.isUp === true && !to.isSilent && !from.isSilent;
    if (to === undefined || !isReached || isOther || this.isCutOff(from, to)) {
      this.failConnect(from, output.connect, 'connection refused');
      return;
    }
    const { unixMs } = this.now;
    const waiting = [waitForLists(from, to, unixMs), waitForLists(to, from, unixMs)].find(Boolean);
    if (waiting !== undefined && !isLast) {
      waiting(() => this.connect(from, output, true));
      return;
    }
    const ends: [End, End] = [
      { peer: from, link: this.nextLink++ },
      { peer: to, link: this.nextLink++ },
    ];
    const link: VirtualLink = { ends, open: true };
    const ofServer = nodeSeen(from, to, unixMs);
    const ofClient = nodeSeen(to, from, unixMs);
    if (!(ofClient instanceof CertificateRefusal)) this.bringUp(ends[1], link, undefined);
    if (ofServer instanceof CertificateRefusal) {
      this.failConnect(from, output.connect, ofServer.describe());
    } else this.bringUp(ends[0], link, output.connect);
    // As with TLS 1.3: each end is done with the handshake before it hears the other one's verdict.
    if (ofServer instanceof CertificateRefusal) this.closeLink(from, ends[0].link, link, 'refused');
    if (ofClient instanceof CertificateRefusal) this.closeLink(to, ends[1].link, link, 'refused');
  }

  private failConnect(peer: VirtualPeer, connect: number, reason: string): void {
    this.handle(peer, { type: 'connectFailed', connect, reason });
  }

  private bringUp(end: End, link: VirtualLink, connect: number | undefined): void {
    const other = link.ends.find(({ peer }) => peer !== end.peer);
    this.links.get(end.peer)?.set(end.link, link);
    if (other !== undefined) this.tellUp(end, other.peer, connect);
  }

  private tellUp(end: End, other: VirtualPeer, connect: number | undefined): void {
    const node = nodeSeen(end.peer, other, this.now.unixMs);
    if (node instanceof CertificateRefusal) throw new Error(node.describe());
    const { link } = end;
    const own = connect === undefined ? {} : { connect };
    this.handle(end.peer, { type: 'linkUp', link, node, remoteAddress: other.address, ...own });
  }

  private send(from: VirtualPeer, id: LinkId, bytes: Uint8Array): void {
    const link = this.links.get(from)?.get(id);
    const to = link?.ends.find((end) => end.peer !== from);
    if (link === undefined || to === undefined) return;
    const delivered = from.intercept === undefined ? bytes : from.intercept(bytes, to.peer);
    if (delivered === undefined || from.isSilent) return;
    this.later(this.latencyMs, () => {
      if (!link.open || to.peer.isSilent) return;
      this.handle(to.peer, { type: 'linkData', link: to.link, bytes: delivered });
    });
  }

  private closeLink(by: VirtualPeer, id: LinkId, link: VirtualLink, reason: string): void {
    this.links.get(by)?.delete(id);
    const other = link.ends.find((end) => end.peer !== by);
    if (other === undefined) return;
    // What was sent before still arrives.
    this.later(this.latencyMs, () => {
      link.open = false;
      if (!this.links.get(other.peer)?.delete(other.link)) return;
      this.handle(other.peer, { type: 'linkDown', link: other.link, reason });
    });
  }
}
