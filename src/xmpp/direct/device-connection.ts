import type { CommandOutcome } from '../../reload/command.ts';
import type { AuthenticatedNode } from '../../tls-auth/authenticated-node.ts';
import type { Destination } from '../../wire/destination.ts';
import type { IpAddressPort } from '../../wire/ip-address-port.ts';
import type { NodeId } from '../../wire/node-id.ts';
import type { BareJid } from '../../xmpp-address/jid.ts';
import type { LocatedDevice } from '../location/device-lookup.ts';
import type { XmppEnvironment } from '../xmpp-environment.ts';
import type { AttemptId, DirectLinkId } from '../xmpp-input.ts';
import { certifiedUser } from './certified-user.ts';
import {
  ASKED_LINK_MS_MAX,
  BROKEN_SOON_FREE,
  BROKEN_SOON_PAUSE_MS_MAX,
  HELD_OFFER_MS,
  RECONNECT_MS_MIN,
  RECONNECT_OTHER_END_MS,
  RESUMPTION_MS_MAX,
  SIMULTANEOUS_MS,
  STEADY_MS,
  XMPP_APPLICATION,
} from './direct-limits.ts';
import { DirectStream, type StreamRole } from './direct-stream.ts';

/** What the ways to one device ask of, and tell, whoever keeps them all. */
export interface ConnectionOwner {
  readonly env: XmppEnvironment;
  readonly ownNodeId: NodeId;
  readonly ownUser: BareJid;
  /** Begins to connect there; undefined: too many attempts are under way. */
  beginAttempt(connection: DeviceConnection, address: IpAddressPort): AttemptId | undefined;
  /** Why a device of this user gets no connection more; undefined: it may. */
  refusalOf(user: BareJid, nodeId: NodeId): string | undefined;
  /** Nothing of this connection is for anybody any more. */
  linkOver(link: DirectLinkId): void;
  /** A try to connect is over: there is a stream, or the reason why not. */
  settled(connection: DeviceConnection, failure: string | undefined): void;
}

/** The stanzas side of a device, which outlives its connections. */
export interface StreamUser {
  /** A session waits to be resumed, with a device of this user. */
  readonly waitingUser: BareJid | undefined;
  readonly streamOwner: ConstructorParameters<typeof DirectStream>[2];
  /** It was not resumed in time, or cannot be. */
  giveUp(reason: string): void;
}

/**
 * The way to one device: AppAttach in either direction, the connection that follows, and again
 * when it breaks. Whoever sent the AppAttach waits as the TLS server (RFC 6940 §6.5.1.13) and opens
 * the XMPP stream (XEP-0415 §1).
 */
export class DeviceConnection {
  readonly nodeId: NodeId;
  stream: DirectStream | undefined;
  private readonly owner: ConnectionOwner;
  private readonly userOf: () => StreamUser;
  /** What lookups say of it, by user, the latest last. Empty for one that came by itself. */
  private readonly located = new Map<BareJid, LocatedDevice>();
  /** Those that were not tried yet. */
  private ways: (readonly Destination[])[] = [];
  /** Counts the own AppAttach requests; `isAsking` while the last one may bring a connection. */
  private asks = 0;
  private isAsking = false;
  /** The other end has accepted the request, and is to connect. */
  private isAwaited = false;
  private attempt: Attempt | undefined;
  /** A request of the other end that waits for the outcome of the own one. */
  private heldOffer: readonly IpAddressPort[] | undefined;
  private failures = 0;
  /** Connections in a row that broke as soon as they were there. */
  private brokenSoon = 0;

  constructor(nodeId: NodeId, owner: ConnectionOwner, user: () => StreamUser) {
    this.nodeId = nodeId;
    this.owner = owner;
    this.userOf = user;
  }

  private get user(): StreamUser {
    return this.userOf();
  }

  /** A connection is being made, or its stream is not open yet. */
  get isUnderWay(): boolean {
    const isNegotiating = this.stream !== undefined && !this.stream.isOpen;
    return this.isAsking || this.attempt !== undefined || isNegotiating;
  }

  /** The smallest priority value of it that was ever looked up; undefined: it came by itself. */
  get priority(): number | undefined {
    const priorities = [...this.located.values()].map(({ priority }) => priority);
    return priorities.length === 0 ? undefined : Math.min(...priorities);
  }

  /** A lookup named this device. Several users may claim it: its certificate says whose it is. */
  expect(device: LocatedDevice): void {
    this.located.delete(device.user);
    this.located.set(device.user, device);
    const [oldest] = this.located.keys();
    if (this.located.size > CLAIMS_MAX && oldest !== undefined) this.located.delete(oldest);
  }

  /** Sends an AppAttach request unless something is under way already; `settled` follows. */
  connect(): void {
    if (this.isUnderWay || this.stream !== undefined) return;
    const located = [...this.located.values()].at(-1);
    this.ways = located === undefined ? [] : [located.destinationList, ...located.otherWays];
    this.owner.env.cancelDeadline(this.retryDeadline);
    this.ask();
  }

  /** By the next of the ways that lookups named; without any, to the node itself. */
  private ask(): void {
    this.asks += 1;
    this.isAsking = true;
    const ask = this.asks;
    const destinationList = this.ways.shift();
    const way = destinationList === undefined ? {} : { destinationList };
    const { nodeId } = this;
    const what = { type: 'appAttach', nodeId, application: XMPP_APPLICATION, ...way } as const;
    this.owner.env.command(what, (outcome) => {
      if (ask === this.asks && this.isAsking) this.handleAttached(outcome);
    });
  }

  /** The device sent an AppAttach request, and waits at these addresses. */
  handleOffer(addresses: readonly IpAddressPort[]): void {
    // Both asked at once: the request of the smaller Node-ID is the one that both ends follow.
    if (this.isAsking && this.owner.ownNodeId < this.nodeId) {
      this.heldOffer = addresses;
      const { env } = this.owner;
      env.setDeadline(this.heldOfferDeadline, HELD_OFFER_MS, () => this.followHeldOffer());
      return;
    }
    this.tryAddresses(addresses);
  }

  handleAttemptFailed(attempt: AttemptId, reason: string): void {
    if (this.attempt?.id === attempt) this.tryNext(reason);
  }

  /** The own attempt is up: the device asked for this connection, so it opens the stream. */
  handleAttemptUp(attempt: AttemptId, link: DirectLinkId, node: AuthenticatedNode): void {
    if (this.attempt?.id !== attempt) {
      this.refuseLink(link, 'another attempt was faster');
      return;
    }
    this.attempt = undefined;
    this.take(link, 'receiver', node);
  }

  /** The device has connected. */
  handleIncoming(link: DirectLinkId, node: AuthenticatedNode): void {
    if (!this.isAsking) {
      this.refuseLink(link, 'nobody asked for this connection');
      return;
    }
    this.endAsking();
    this.take(link, 'initiator', node);
  }

  /** The stream is gone; `isResumable`: its session waits. */
  handleStreamEnded(role: StreamRole, reason: string, isResumable: boolean): void {
    const { env } = this.owner;
    const upSinceMs = this.stream?.upSinceMs ?? env.now.monotonicMs;
    this.stream = undefined;
    if (!isResumable) {
      env.cancelDeadline(this.giveUpDeadline);
      env.cancelDeadline(this.retryDeadline);
      if (!this.isUnderWay) this.fail(reason);
      return;
    }
    env.setDeadline(this.giveUpDeadline, RESUMPTION_MS_MAX, () => {
      env.cancelDeadline(this.retryDeadline);
      this.user.giveUp(`${reason}; not resumed within ${RESUMPTION_MS_MAX} ms`);
      if (!this.isUnderWay) this.fail(reason);
    });
    const isSoon = env.now.monotonicMs - upSinceMs < STEADY_MS;
    this.brokenSoon = isSoon ? this.brokenSoon + 1 : 0;
    if (this.isUnderWay) return;
    this.retryAfter(Math.max(this.pauseMs, role === 'initiator' ? 0 : RECONNECT_OTHER_END_MS));
  }

  /** A device that breaks each connection at once gets no new one as fast as it can break it. */
  private get pauseMs(): number {
    const beyond = this.brokenSoon - BROKEN_SOON_FREE;
    return beyond <= 0 ? 0 : Math.min(RECONNECT_MS_MIN * 2 ** beyond, BROKEN_SOON_PAUSE_MS_MAX);
  }

  /** The stream is open, anew or again. */
  handleStreamOpen(): void {
    this.failures = 0;
    this.owner.env.cancelDeadline(this.retryDeadline);
    this.owner.env.cancelDeadline(this.giveUpDeadline);
    this.owner.settled(this, undefined);
  }

  /** Nothing is tried any more. */
  stop(): void {
    const { env } = this.owner;
    this.endAsking();
    this.attempt = undefined;
    env.cancelDeadline(this.retryDeadline);
    env.cancelDeadline(this.giveUpDeadline);
  }

  private handleAttached(outcome: CommandOutcome): void {
    if (!outcome.ok) {
      this.failAsking(outcome.failure.detail);
      return;
    }
    if (outcome.result.type !== 'appAttached') return;
    const mismatch = this.mismatch(outcome.result.node);
    if (mismatch !== undefined) {
      this.failAsking(mismatch);
      return;
    }
    this.isAwaited = true;
    this.awaitLink(ASKED_LINK_MS_MAX);
  }

  private awaitLink(withinMs: number): void {
    this.owner.env.setDeadline(this.askDeadline, withinMs, () =>
      this.failAsking(`node ${this.nodeId} did not connect within ${withinMs} ms`),
    );
  }

  private failAsking(reason: string): void {
    const { heldOffer } = this;
    this.endAsking();
    if (heldOffer !== undefined) this.tryAddresses(heldOffer);
    else if (this.isUnderWay || this.stream !== undefined) return;
    else if (this.ways.length > 0) this.ask();
    else this.fail(reason);
  }

  /** The own request goes on: if two connections come up, `isPreferred` decides. */
  private followHeldOffer(): void {
    const { heldOffer } = this;
    this.heldOffer = undefined;
    if (heldOffer !== undefined) this.tryAddresses(heldOffer);
  }

  private endAsking(): void {
    this.isAsking = false;
    this.isAwaited = false;
    this.heldOffer = undefined;
    this.owner.env.cancelDeadline(this.askDeadline);
    this.owner.env.cancelDeadline(this.heldOfferDeadline);
  }

  /** One connection at a time: whoever asks again has the newer addresses tried after that. */
  private tryAddresses(addresses: readonly IpAddressPort[]): void {
    if (this.attempt !== undefined) {
      this.attempt.rest = [...addresses];
      return;
    }
    this.attempt = { id: undefined, rest: [...addresses] };
    this.tryNext('node offered no address that can be connected to from here');
  }

  private tryNext(failure: string): void {
    const address = this.attempt?.rest.shift();
    const id = address === undefined ? undefined : this.owner.beginAttempt(this, address);
    if (this.attempt !== undefined && id !== undefined) {
      this.attempt.id = id;
      return;
    }
    this.attempt = undefined;
    // What keeps this end from the other one has kept the other one from this end, too.
    if (this.isAwaited) this.awaitLink(HELD_OFFER_MS);
    const tooMany = address !== undefined;
    if (!this.isUnderWay && this.stream === undefined) {
      this.fail(tooMany ? 'too many connections are being made' : failure);
    }
  }

  /** A connection with this device is up, in one of the two directions. */
  private take(link: DirectLinkId, role: StreamRole, node: AuthenticatedNode): void {
    const user = certifiedUser(node);
    const refusal =
      this.mismatch(node) ??
      (user === undefined ? 'its certificate names no XMPP address' : undefined) ??
      (user === undefined ? undefined : this.owner.refusalOf(user, this.nodeId));
    if (refusal !== undefined || user === undefined) {
      this.refuseLink(link, refusal ?? '');
      if (!this.isUnderWay && this.stream === undefined) this.fail(refusal ?? '');
      return;
    }
    if (this.stream !== undefined && this.isPreferred(this.stream, role)) {
      this.refuseLink(link, 'both ends connected at once, the other connection is kept');
      return;
    }
    this.stream?.drop('another connection took its place');
    const { env, ownUser } = this.owner;
    const over = () => this.owner.linkOver(link);
    const connection = { link, role, node, user, ownUser, over };
    this.stream = new DirectStream(env, connection, this.user.streamOwner);
    this.stream.begin();
  }

  /**
   * Whether the connection that is there stays although another one came: both ends asked at once,
   * and the smaller Node-ID asked for this one. Whoever asks later has lost the former one.
   */
  private isPreferred(held: DirectStream, newRole: StreamRole): boolean {
    if (held.role === newRole) return false;
    if (this.owner.env.now.monotonicMs - held.upSinceMs > SIMULTANEOUS_MS) return false;
    const ownIsSmaller = this.owner.ownNodeId < this.nodeId;
    return (held.role === 'initiator') === ownIsSmaller;
  }

  private mismatch(node: AuthenticatedNode): string | undefined {
    const { waitingUser } = this.user;
    const expected: string[] = [...this.located.keys()];
    if (waitingUser !== undefined) expected.push(waitingUser);
    const found = node.xmppAddr ?? 'nobody';
    if (expected.length === 0 || expected.includes(found)) return undefined;
    return `expected a device of ${expected.join(' or ')}, the certificate names ${found}`;
  }

  private refuseLink(link: DirectLinkId, reason: string): void {
    this.owner.env.output({ type: 'directClose', link, reason });
  }

  private fail(reason: string): void {
    if (this.user.waitingUser !== undefined) {
      this.retryAfter(RECONNECT_MS_MIN * 2 ** Math.min(this.failures, 8));
      this.failures += 1;
    }
    this.owner.settled(this, reason);
  }

  private retryAfter(pauseMs: number): void {
    const { env } = this.owner;
    const jittered = pauseMs * (0.5 + randomShare(env));
    env.setDeadline(this.retryDeadline, jittered, () => this.connect());
  }

  private get askDeadline(): string {
    return `direct ask ${this.nodeId}`;
  }

  private get heldOfferDeadline(): string {
    return `direct offer ${this.nodeId}`;
  }

  private get retryDeadline(): string {
    return `direct retry ${this.nodeId}`;
  }

  private get giveUpDeadline(): string {
    return `direct resumption ${this.nodeId}`;
  }
}

/** The addresses of one request that are tried one after another. */
interface Attempt {
  id: AttemptId | undefined;
  rest: IpAddressPort[];
}

/** Users that may claim one device; more are a mistake or worse. */
const CLAIMS_MAX = 4;

/** 0 to 1, so that not all try again at the same moment. */
export function randomShare(env: XmppEnvironment): number {
  const [byte = 0] = env.random.bytes(1);
  return byte / 255;
}
