import type { IpAddressPort } from '../wire/ip-address-port.ts';
import type { NodeId } from '../wire/node-id.ts';
import type { AttachManager } from './attach-manager.ts';
import type { ChordReload } from './chord-reload.ts';
import type { KnownPeer } from './input.ts';
import type { LinkManager } from './link-manager.ts';
import type { PeerEnvironment } from './peer-environment.ts';

/**
 * Where this node can find the overlay again — RFC 6940 §11.4: the bootstrap nodes, and about ten
 * peers that it is, or was, directly connected to. No others are remembered.
 */
export class KnownPeers {
  private readonly env: PeerEnvironment;
  private readonly links: LinkManager;
  private readonly attaches: AttachManager;
  private readonly chord: ChordReload;
  private starting: readonly KnownPeer[] = [];
  /** Those connected now, then earlier ones; each Node-ID once. */
  private remembered: readonly KnownPeer[] = [];

  constructor(
    env: PeerEnvironment,
    links: LinkManager,
    attaches: AttachManager,
    chord: ChordReload,
  ) {
    this.env = env;
    this.links = links;
    this.attaches = attaches;
    this.chord = chord;
  }

  /** What the host knows at the start. Node-IDs have those that a former process remembered. */
  start(peers: readonly KnownPeer[]): void {
    this.starting = peers;
    this.remembered = peers.filter(({ nodeId }) => nodeId !== undefined);
  }

  /** Remembered peers, then bootstrap nodes. */
  all(): readonly KnownPeer[] {
    return this.others([...this.remembered, ...this.bootstrap()]);
  }

  /** What the host named at the start, and the bootstrap nodes of the configuration in force. */
  bootstrap(): readonly KnownPeer[] {
    const nodes = this.env.configuration.bootstrapNodes.map((address) => ({ address }));
    return this.others([...this.starting, ...nodes]);
  }

  /**
   * Remembers who is connected now, and of the others those that were last. Who has lost all its
   * neighbours but one must not forget the rest: that one may be the next to go.
   */
  note(): void {
    const now = this.connected();
    if (now.length === 0) return;
    const isNow = new Set(now.map(({ nodeId }) => nodeId));
    const earlier = this.remembered.filter(({ nodeId }) => !isNow.has(nodeId));
    this.remembered = [...now, ...earlier].slice(0, this.env.limits.knownPeersMax);
    this.env.emit({ type: 'rememberPeers', peers: this.remembered });
  }

  /**
   * Neighbours, fingers, then whoever else this node attached to: a neighbour whose first Update is
   * still on its way is one of the few that can lead back into the overlay.
   */
  private connected(): KnownPeer[] {
    const { links, attaches, chord } = this;
    const asked = links.connectedNodes().filter((nodeId) => attaches.askedFor(nodeId));
    const wanted = new Set([...chord.neighbors(), ...chord.tables.fingers(), ...asked]);
    const found: KnownPeer[] = [];
    for (const nodeId of wanted) {
      const address = this.addressOf(nodeId);
      if (address !== undefined) found.push({ address, nodeId });
      if (found.length >= this.env.limits.knownPeersMax) break;
    }
    return found;
  }

  /** Each once, and not this node itself. */
  private others(peers: readonly KnownPeer[]): KnownPeer[] {
    const { addresses } = this.env.options;
    return peers.filter((peer, index) => {
      if (peer.nodeId === this.env.nodeId) return false;
      if (addresses.some((own) => isSameAddress(own, peer.address))) return false;
      return peers.findIndex((one) => isSame(one, peer)) === index;
    });
  }

  /** Where the other end connected to us, its port is not the one that it listens on. */
  private addressOf(nodeId: NodeId): IpAddressPort | undefined {
    const link = this.links.linkTo(nodeId);
    if (link === undefined) return undefined;
    const connectedTo = link.connect === undefined ? undefined : link.remoteAddress;
    return this.attaches.listeningAddress(nodeId) ?? connectedTo;
  }
}

function isSame(one: KnownPeer, other: KnownPeer): boolean {
  return one.nodeId === other.nodeId && isSameAddress(one.address, other.address);
}

function isSameAddress(a: IpAddressPort, b: IpAddressPort): boolean {
  if (a.type === 'unknown' || b.type === 'unknown' || a.type !== b.type) return false;
  return a.port === b.port && a.address.every((byte, index) => byte === b.address[index]);
}
