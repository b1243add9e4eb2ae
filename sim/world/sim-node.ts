import type { VerifiedConfiguration } from '../../src/overlay-config/verified-configuration.ts';
import type { CommandOutcome } from '../../src/reload/command.ts';
import type { CommandId, Input, KnownPeer, LinkId } from '../../src/reload/input.ts';
import type { Output } from '../../src/reload/output.ts';
import type { Peer } from '../../src/reload/peer.ts';
import type { PeerOptions } from '../../src/reload/peer-options.ts';
import type { Signer } from '../../src/tls-auth/signer.ts';
import type { IpAddressPort } from '../../src/wire/ip-address-port.ts';
import type { NodeId } from '../../src/wire/node-id.ts';
import type { SimClock } from './sim-clock.ts';
import type { SimDisk } from './sim-disk.ts';

/**
 * What a host does: `up` runs a Peer; `down` runs none, and refuses connections; `silent` is
 * unplugged or crashed, so whoever talks to it hears nothing at all.
 */
export type HostState = 'up' | 'down' | 'silent';

/** Bends what a Peer does: an attacker, or a deliberately broken peer that a checker must catch. */
export interface NodeBehavior {
  /** What the Peer gets to see instead of `input`; undefined: nothing. */
  bendInput?(input: Input, node: SimNode): Input | undefined;
  /** What leaves the node instead of `outputs`. */
  bendOutputs?(outputs: Output[], node: SimNode): Output[];
}

/** A connection between two nodes. End 0 connected, end 1 accepted. */
export interface SimLink {
  readonly ends: readonly [LinkEnd, LinkEnd];
}

/** One end of a SimLink. */
export interface LinkEnd {
  readonly node: SimNode;
  readonly link: LinkId;
  /** Of the process that held this end. */
  readonly incarnation: number;
  /** The Peer at this end still has the link. */
  open: boolean;
  /** Nothing that leaves this end arrives before this. */
  arrivesAfterMs: number;
  /** When the line is free for what this end sends next. */
  freeAtMs: number;
}

/** What makes a new Peer of a node each time that its process starts. */
export type PeerFactory = (node: SimNode) => PeerOptions;

/** One host of a World: an identity, clocks, a disk, links, and at times a running Peer. */
export class SimNode {
  /** Counts from 0 in the order of adding. */
  readonly index: number;
  /** What it has signed with, the present one last: each renewed certificate brings another. */
  readonly signers: Signer[];
  readonly nodeId: NodeId;
  readonly userName: string;
  readonly role: 'peer' | 'client';
  readonly address: IpAddressPort;
  /** Behind a NAT that lets no connection in. */
  readonly isBehindNat: boolean;
  readonly clock: SimClock;
  readonly disk: SimDisk;
  readonly links = new Map<LinkId, SimLink>();
  state: HostState = 'down';
  peer: Peer | undefined;
  /** Counts the processes: events meant for an earlier one are not delivered. */
  incarnation = 0;
  /**
   * What the Peer said last of its next deadline, ms of its clock. Most wakes find that it moved
   * on, and need not look into the Peer for that.
   */
  deadlineMs: number | undefined;
  /** When the World will send the next tick; undefined: none is planned. */
  wakeAtMs: number | undefined;
  /** When this process started, ms of the World. */
  startedMs = 0;
  behavior: NodeBehavior | undefined;
  /** What its disk holds is gone once it has left. */
  leavesForGood = false;
  /** A configuration names it as a bad-node: it is no part of the overlay any more. */
  isRevoked = false;
  /** As the Peer asked to remember them; kept with the disk. */
  rememberedPeers: readonly KnownPeer[] = [];
  /** The one that its Peer adopted last; kept with the disk. */
  configuration: VerifiedConfiguration | undefined;
  readonly makeOptions: PeerFactory;
  readonly waiting = new Map<CommandId, (outcome: CommandOutcome) => void>();

  constructor(
    options: Pick<SimNode, 'index' | 'signer' | 'role' | 'isBehindNat' | 'clock' | 'disk'> & {
      readonly makeOptions: PeerFactory;
    },
  ) {
    this.index = options.index;
    this.signers = [options.signer];
    this.nodeId = options.signer.nodeId;
    this.userName = options.signer.node.userName;
    this.role = options.role;
    this.isBehindNat = options.isBehindNat;
    this.clock = options.clock;
    this.disk = options.disk;
    this.makeOptions = options.makeOptions;
    this.address = addressOf(options.index);
  }

  get signer(): Signer {
    return this.signers.at(-1) as Signer;
  }

  get isUp(): boolean {
    return this.state === 'up';
  }

  /** Up and in the ring, as it says itself. */
  get isJoined(): boolean {
    return this.peer?.state === 'joined';
  }

  /** `n12`: how reports and violations name it. */
  get name(): string {
    return `n${this.index}`;
  }
}

/** Each node has its own address in 10.0.0.0/8. */
export function addressOf(index: number): IpAddressPort {
  const address = Uint8Array.of(10, index >>> 16, (index >>> 8) & 0xff, index & 0xff);
  return { type: 'ipv4', address, port: RELOAD_PORT };
}

/** The inverse of `addressOf`; undefined for an address that no node has. */
export function indexOf(address: IpAddressPort): number | undefined {
  if (address.type !== 'ipv4' || address.address[0] !== 10 || address.port !== RELOAD_PORT) {
    return undefined;
  }
  const [, high = 0, middle = 0, low = 0] = address.address;
  return (high << 16) | (middle << 8) | low;
}

const RELOAD_PORT = 6084;
