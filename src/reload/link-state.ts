import type { AuthenticatedNode } from '../tls-auth/authenticated-node.ts';
import type { IpAddressPort } from '../wire/ip-address-port.ts';
import type { NodeId } from '../wire/node-id.ts';
import { FrameCutter } from './frame-cutter.ts';
import type { ConnectId, LinkId } from './input.ts';
import type { PeerEnvironment } from './peer-environment.ts';
import type { LinkStatus } from './peer-options.ts';
import { ReceivedWindow } from './received-window.ts';
import { RoundTripEstimator } from './round-trip-estimator.ts';

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
  /** It is in no table any more. */
  readonly closed: boolean;
}

/** How soon it must be noticed that the other end of a link has fallen silent. */
export type LinkUse =
  /** The next successor or predecessor, or the peer that a client is attached to. */
  | 'nearest'
  /** Another member of the Neighbor Table. */
  | 'neighbor'
  /** A finger, a client, whoever else is connected. */
  | 'other'
  /** Nothing, and it was this end that asked for the link: it may be closed. */
  | 'none';

/** What the LinkManager keeps of a link: its framing, and when what came and went. */
export class LinkState implements Link {
  readonly id: LinkId;
  readonly node: AuthenticatedNode;
  /** That of `node`, here because it is read for every message. */
  readonly nodeId: NodeId;
  readonly remoteAddress: IpAddressPort;
  readonly connect: ConnectId | undefined;
  readonly cutter: FrameCutter;
  readonly window = new ReceivedWindow();
  suspect = false;
  closed = false;
  /** Its other end is a peer of the ring by an Update over this very link. */
  isPeer = false;
  lastReceivedMs: number;
  sentBytes = 0;
  receivedBytes = 0;
  private readonly roundTrip = new RoundTripEstimator();
  /** The oldest frame that `forgetSent` forgot, until it is acknowledged after all. */
  private late: SentFrame | undefined;
  /** Frames on their way, oldest first: those from place `oldest` on. */
  private readonly frames: SentFrame[] = [];
  private oldest = 0;
  private nextSequence = 0;
  /** The first sequence that left after a newer link to the same node came up. */
  private firstBesideNewer: number | undefined;

  constructor(
    env: PeerEnvironment,
    id: LinkId,
    node: AuthenticatedNode,
    remoteAddress: IpAddressPort,
    connect: ConnectId | undefined,
  ) {
    this.id = id;
    this.node = node;
    this.nodeId = node.nodeId;
    this.remoteAddress = remoteAddress;
    this.connect = connect;
    const presentMax = () => env.configuration.maxMessageSizeBytes + OVERSIZE_READ_BYTES;
    // Where the limit falls, what was sent under the former one may still arrive.
    let bytesMax = presentMax();
    this.cutter = new FrameCutter(() => {
      bytesMax = Math.max(bytesMax, presentMax());
      return bytesMax;
    });
    this.lastReceivedMs = env.now.monotonicMs;
  }

  get roundTripMs(): number | undefined {
    return this.roundTrip.roundTripMs;
  }

  get lastUsedMs(): number {
    return Math.max(this.lastReceivedMs, this.frames.at(-1)?.sentMs ?? 0);
  }

  /** Frames that are not acknowledged yet. */
  get unacknowledged(): number {
    return this.frames.length - this.oldest;
  }

  /** When the acknowledgement of the oldest frame is overdue; undefined: none is waited for. */
  get acknowledgementDueMs(): number | undefined {
    const frame = this.frames[this.oldest];
    return frame && frame.sentMs + this.roundTrip.timeoutMs(LINK_TIMEOUT_FLOOR_MS);
  }

  /** There is a newer link to the same node from now on. */
  noteNewer(): void {
    this.firstBesideNewer ??= this.nextSequence;
  }

  /**
   * Whether this acknowledgement shows that the link still leads to a process when a newer one was
   * there: then both lead to the same.
   */
  outlives(ackSequence: number): boolean {
    const first = this.firstBesideNewer;
    return first !== undefined && ((ackSequence - first) | 0) >= 0;
  }

  status(routable: boolean): LinkStatus {
    return {
      link: this.id,
      nodeId: this.nodeId,
      userName: this.node.userName,
      remoteAddress: this.remoteAddress,
      routable,
      suspect: this.suspect,
      roundTripMs: this.roundTripMs,
      sentBytes: this.sentBytes,
      receivedBytes: this.receivedBytes,
    };
  }

  /** Returns the sequence of a frame that leaves now. */
  noteSent(nowMs: number): number {
    const sequence = this.nextSequence;
    this.nextSequence = (sequence + 1) >>> 0;
    this.frames.push({ sequence, sentMs: nowMs });
    return sequence;
  }

  /** TLS delivers in order: what is acknowledged acknowledges everything before it. */
  handleAcknowledgement(ackSequence: number, nowMs: number): void {
    const { frames } = this;
    this.measureLate(ackSequence, nowMs);
    for (;;) {
      const oldest = frames[this.oldest];
      if (oldest === undefined || ((ackSequence - oldest.sequence) | 0) < 0) break;
      if (oldest.sequence === ackSequence) this.roundTrip.addSample(nowMs - oldest.sentMs);
      this.oldest++;
    }
    if (this.oldest < FRAMES_KEPT && this.oldest < frames.length) return;
    frames.splice(0, this.oldest);
    this.oldest = 0;
  }

  /** The link serves again: what was sent while it did not says nothing about it now. */
  forgetSent(): void {
    this.late ??= this.frames[this.oldest];
    this.frames.length = 0;
    this.oldest = 0;
  }

  /**
   * A round trip that takes longer than the timeout would never be measured, since such a link is
   * suspect each time before. Much longer ones are pauses of a host and no round trips.
   */
  private measureLate(ackSequence: number, nowMs: number): void {
    const { late } = this;
    if (late === undefined || ((ackSequence - late.sequence) | 0) < 0) return;
    const sampleMs = nowMs - late.sentMs;
    const isOfLate = ackSequence === late.sequence && sampleMs <= LATE_SAMPLE_MS_MAX;
    if (isOfLate) this.roundTrip.addSample(sampleMs);
    this.late = undefined;
  }
}

interface SentFrame {
  readonly sequence: number;
  readonly sentMs: number;
}

/**
 * RFC 6298 §2.4 rounds the RTO up to one second at least. Ours is longer: nothing is retransmitted
 * by it, it only takes a neighbour out of the Routing Table, and a busy host may pause for longer
 * than a second. It is shorter than the default overlay-reliability-timer: the first
 * retransmission of a request that a dead link swallowed goes another way.
 */
const LINK_TIMEOUT_FLOOR_MS = 2_500;
/** The longest round trip over one of the Internet's slow paths, with room. */
const LATE_SAMPLE_MS_MAX = 6_000;
/** So many acknowledged frames at most are kept before the list is cut. */
const FRAMES_KEPT = 64;
/** A message may be this much over max-message-size and still be read, to answer with an error. */
const OVERSIZE_READ_BYTES = 16_384;
