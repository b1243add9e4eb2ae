import type { ConnectId, Input, LinkId } from '../../src/reload/input.ts';
import type { Output } from '../../src/reload/output.ts';
import type { Authenticator } from '../../src/tls-auth/authenticator.ts';
import { CertificateRefusal } from '../../src/tls-auth/certificate-refusal.ts';
import type { LatencyModel } from './latency-model.ts';
import { indexOf, type LinkEnd, type SimLink, type SimNode } from './sim-node.ts';
import type { SimRandom } from './sim-random.ts';

/** How the network behaves; shares are in [0, 1]. */
export interface NetworkConditions {
  readonly latency: LatencyModel;
  /** Each packet takes up to this share of the latency longer. */
  readonly jitterShare: number;
  /** Packets that are lost. */
  readonly lossShare: number;
  /** Packets that come twice; over `stream` TCP hides it. */
  readonly duplicateShare: number;
  /** Packets that come late, after others; over `stream` TCP makes those others wait. */
  readonly reorderShare: number;
  /** Of each direction of each link; undefined: no limit. */
  readonly bandwidthBitsPerSecond: number | undefined;
  /**
   * `stream`: links are TLS over TCP, in order and complete; a lost packet costs time.
   * `datagram`: what a Peer sends at once is one datagram, and loss, duplication and reordering
   * reach it.
   */
  readonly transport: 'stream' | 'datagram';
}

/** What the network needs of its World. */
export interface NetworkWorld {
  readonly nodes: readonly SimNode[];
  readonly nowMs: number;
  schedule(delayMs: number, run: () => void): void;
  handle(node: SimNode, input: Input): void;
  authenticatorOf(node: SimNode): Authenticator;
}

/** Links between nodes: connecting, authenticating, delivering, closing, and what goes wrong. */
export class SimNetwork {
  conditions: NetworkConditions;
  private readonly world: NetworkWorld;
  private readonly random: SimRandom;
  private nextLink = 1;
  /** Which side of a partition a node is on; undefined: the network is whole. */
  private sideOf: ((node: SimNode) => number) | undefined;
  /** Since when, for how long TCP has backed off. */
  private dividedAtMs = 0;
  /** What TCP goes on sending while the network is divided, in order. */
  private held: HeldSending[] = [];

  constructor(world: NetworkWorld, random: SimRandom, conditions: NetworkConditions) {
    this.world = world;
    this.random = random;
    this.conditions = conditions;
  }

  connect(from: SimNode, output: Extract<Output, { type: 'connect' }>): void {
    const { connect } = output;
    const incarnation = from.incarnation;
    const index = indexOf(output.address);
    const to = index === undefined ? undefined : this.world.nodes[index];
    const fail = (delayMs: number, reason: string) =>
      this.world.schedule(delayMs, () => {
        if (from.incarnation !== incarnation) return;
        this.world.handle(from, { type: 'connectFailed', connect, reason });
      });
    if (to === undefined || !this.canReach(from, to) || to.isBehindNat) {
      fail(CONNECT_TIMEOUT_MS, 'no answer');
      return;
    }
    const roundTripMs = this.delayMs(from, to) + this.delayMs(to, from);
    if (to.state !== 'up') {
      fail(roundTripMs, 'connection refused');
      return;
    }
    // One round trip for TCP and one for TLS 1.3.
    this.world.schedule(2 * roundTripMs, () => {
      if (from.incarnation !== incarnation || !from.isUp) return;
      if (!this.canReach(from, to)) fail(CONNECT_TIMEOUT_MS, 'no answer');
      else if (to.state !== 'up') fail(0, 'connection reset');
      else this.establish(from, to, connect, output.expectedNodeId);
    });
  }

  send(from: SimNode, id: LinkId, bytes: Uint8Array): void {
    const link = from.links.get(id);
    if (link === undefined) return;
    const [own, other] = endsFrom(link, from, id);
    const { conditions, random } = this;
    if (conditions.transport === 'datagram') {
      if (random.chance(conditions.lossShare)) return;
      this.carry(link, own, other, bytes);
      if (random.chance(conditions.duplicateShare)) this.carry(link, own, other, bytes);
      return;
    }
    this.carry(link, own, other, bytes);
  }

  /** The Peer closed it: what was sent before is delivered first. */
  close(from: SimNode, id: LinkId, reason: string): void {
    const link = from.links.get(id);
    if (link === undefined) return;
    from.links.delete(id);
    const [own, other] = endsFrom(link, from, id);
    own.open = false;
    this.tellDown(link, own, other, reason);
  }

  /** The process ended, its operating system closes what it held. */
  resetAll(node: SimNode): void {
    for (const id of [...node.links.keys()]) this.close(node, id, 'connection reset');
  }

  /** The host ended: nobody is told. */
  forgetAll(node: SimNode): void {
    for (const [id, link] of node.links) endsFrom(link, node, id)[0].open = false;
    node.links.clear();
    if (this.held.length > 0) this.held = this.held.filter(({ own }) => own.node !== node);
  }

  /** Packets between nodes of different sides are lost until `heal`. */
  divide(sideOf: (node: SimNode) => number): void {
    this.sideOf = sideOf;
    this.dividedAtMs = this.world.nowMs;
  }

  /**
   * The network is whole; TCP sends again what it held, once its back-off is over. Each direction
   * of a link has its own, and what is sent on it meanwhile waits its turn.
   */
  heal(): void {
    const { nowMs } = this.world;
    const backOffMs = Math.min(nowMs - this.dividedAtMs, TCP_BACKOFF_MAX_MS);
    this.sideOf = undefined;
    const { held } = this;
    this.held = [];
    const waiting = new Set<LinkEnd>();
    for (const { own, send } of held) {
      if (!waiting.has(own)) {
        waiting.add(own);
        const readyMs = quantized(nowMs + this.random.share() * backOffMs);
        own.arrivesAfterMs = Math.max(own.arrivesAfterMs, readyMs);
      }
      send();
    }
  }

  get isDivided(): boolean {
    return this.sideOf !== undefined;
  }

  /** Whether packets of one reach the other's host now. */
  canReach(a: SimNode, b: SimNode): boolean {
    if (a.state === 'silent' || b.state === 'silent') return false;
    return this.sideOf === undefined || this.sideOf(a) === this.sideOf(b);
  }

  private establish(
    from: SimNode,
    to: SimNode,
    connect: ConnectId,
    expectedNodeId: string | undefined,
  ): void {
    const refuse = (reason: string) =>
      this.world.handle(from, { type: 'connectFailed', connect, reason });
    const acceptor = this.authenticate(from, to);
    if (acceptor instanceof CertificateRefusal) return refuse(acceptor.describe());
    if (expectedNodeId !== undefined && acceptor.nodeId !== expectedNodeId) {
      return refuse(`expected ${expectedNodeId}, found ${acceptor.nodeId}`);
    }
    const link: SimLink = { ends: [this.newEnd(from), this.newEnd(to)] };
    const [own, other] = link.ends;
    from.links.set(own.link, link);
    to.links.set(other.link, link);
    const arrivalMs = this.arrivalMs(own, other, 0);
    this.world.schedule(arrivalMs - this.world.nowMs, () => this.accept(link));
    const node = acceptor;
    this.world.handle(from, {
      type: 'linkUp',
      link: own.link,
      node,
      remoteAddress: to.address,
      connect,
    });
  }

  /** The accepting end knows who connected once the client's certificate is there. */
  private accept(link: SimLink): void {
    const [connector, acceptor] = link.ends;
    if (!isLive(acceptor)) return;
    const node = this.authenticate(acceptor.node, connector.node);
    if (node instanceof CertificateRefusal) {
      this.close(acceptor.node, acceptor.link, node.describe());
      return;
    }
    const remoteAddress = connector.node.address;
    const linkUp = { type: 'linkUp', link: acceptor.link, node, remoteAddress } as const;
    this.world.handle(acceptor.node, linkUp);
  }

  private authenticate(asking: SimNode, other: SimNode) {
    const [leaf = NO_BYTES, ...pool] = other.signer.node.chain;
    const { unixMs } = asking.clock.now(this.world.nowMs);
    return this.world.authenticatorOf(asking).authenticate(leaf, pool, unixMs);
  }

  private newEnd(node: SimNode): LinkEnd {
    const { nowMs } = this.world;
    const link = this.nextLink++;
    const { incarnation } = node;
    return { node, link, incarnation, open: true, arrivesAfterMs: nowMs, freeAtMs: nowMs };
  }

  private carry(link: SimLink, own: LinkEnd, other: LinkEnd, bytes: Uint8Array): void {
    if (!this.canReach(own.node, other.node)) {
      // TCP tries again after the partition; to a silent host in vain.
      if (this.sideOf === undefined || this.conditions.transport === 'datagram') return;
      this.hold(own, () => this.carry(link, own, other, bytes));
      return;
    }
    const arrivalMs = this.arrivalMs(own, other, bytes.length);
    this.world.schedule(arrivalMs - this.world.nowMs, () => this.deliver(own, other, bytes));
  }

  private hold(own: LinkEnd, send: () => void): void {
    if (this.held.length < HELD_MAX) this.held.push({ own, send });
  }

  private deliver(own: LinkEnd, other: LinkEnd, bytes: Uint8Array): void {
    if (other.node.state === 'silent') return;
    if (isLive(other)) {
      this.world.handle(other.node, { type: 'linkData', link: other.link, bytes });
      return;
    }
    // Nobody has this connection any more: a reset comes back.
    const backMs = this.delayMs(other.node, own.node);
    this.world.schedule(backMs, () => this.linkDown(own, 'connection reset'));
  }

  private tellDown(link: SimLink, own: LinkEnd, other: LinkEnd, reason: string): void {
    if (!this.canReach(own.node, other.node)) {
      if (this.sideOf !== undefined) {
        this.hold(own, () => this.tellDown(link, own, other, reason));
      }
      return;
    }
    const arrivalMs = this.arrivalMs(own, other, 0);
    this.world.schedule(arrivalMs - this.world.nowMs, () => this.linkDown(other, reason));
  }

  private linkDown(end: LinkEnd, reason: string): void {
    if (!isLive(end)) return;
    end.open = false;
    end.node.links.delete(end.link);
    this.world.handle(end.node, { type: 'linkDown', link: end.link, reason });
  }

  /** When what is sent now arrives; over a stream never before what was sent earlier. */
  private arrivalMs(own: LinkEnd, other: LinkEnd, bytes: number): number {
    const { conditions, random, world } = this;
    const { bandwidthBitsPerSecond: bandwidth, transport } = conditions;
    let sentMs = world.nowMs;
    if (bandwidth !== undefined) {
      sentMs = Math.max(sentMs, own.freeAtMs) + (bytes * 8000) / bandwidth;
      own.freeAtMs = sentMs;
    }
    let arrivalMs = sentMs + this.delayMs(own.node, other.node);
    if (transport === 'datagram') {
      if (random.chance(conditions.reorderShare)) arrivalMs += random.between(0, REORDER_MS);
      return quantized(arrivalMs);
    }
    arrivalMs += this.retransmissionMs(arrivalMs - sentMs);
    if (random.chance(conditions.reorderShare)) arrivalMs += random.between(0, REORDER_MS);
    arrivalMs = quantized(Math.max(arrivalMs, own.arrivesAfterMs));
    own.arrivesAfterMs = arrivalMs;
    return arrivalMs;
  }

  /** RFC 6298: what TCP waits before it sends a lost packet again, doubled each time. */
  private retransmissionMs(oneWayMs: number): number {
    let waitedMs = 0;
    let timeoutMs = Math.max(TCP_TIMEOUT_MIN_MS, 3 * oneWayMs);
    for (let tries = 0; tries < TCP_LOSSES_MAX; tries++) {
      if (!this.random.chance(this.conditions.lossShare)) break;
      waitedMs += timeoutMs;
      timeoutMs *= 2;
    }
    return waitedMs;
  }

  private delayMs(from: SimNode, to: SimNode): number {
    const { latency, jitterShare } = this.conditions;
    const oneWayMs = latency.oneWayMs(from.index, to.index);
    return jitterShare === 0 ? oneWayMs : oneWayMs * (1 + this.random.share() * jitterShare);
  }
}

/** Something that was sent on a link while its other end could not be reached. */
interface HeldSending {
  readonly own: LinkEnd;
  readonly send: () => void;
}

/** Whether the process that held this end still runs and still has it. */
function isLive(end: LinkEnd): boolean {
  return end.open && end.node.isUp && end.incarnation === end.node.incarnation;
}

function endsFrom(link: SimLink, node: SimNode, id: LinkId): readonly [own: LinkEnd, LinkEnd] {
  const [connector, acceptor] = link.ends;
  const isConnector = connector.node === node && connector.link === id;
  return isConnector ? [connector, acceptor] : [acceptor, connector];
}

/** A multiple of 2^-10 ms: sums are exact, and no run depends on the last bit of a logarithm. */
function quantized(ms: number): number {
  return Math.ceil(ms * 1024) / 1024;
}

const NO_BYTES = new Uint8Array(0);
/** As the host's links give up a handshake. */
const CONNECT_TIMEOUT_MS = 10_000;
const TCP_TIMEOUT_MIN_MS = 200;
const TCP_LOSSES_MAX = 6;
const TCP_BACKOFF_MAX_MS = 60_000;
const REORDER_MS = 100;
/** What links hold back during a partition, all together. */
const HELD_MAX = 1_000_000;
