import { randomBytes } from 'node:crypto';
import type { LinkCredentials } from '../../src/host/links/link-credentials.ts';
import type { PeerHost } from '../../src/host/peer-host.ts';
import { type NodeId, nodeIdFromBytes } from '../../src/wire/node-id.ts';
import { TestAuthority } from '../../test/host/links/link-identities.ts';
import { knownPeer, startTestPeer } from '../../test/host/peer-host-fixture.ts';

/** A ring of peers in this process, over TLS on loopback, each with a certificate made here. */
export class LoopbackRing {
  readonly hosts: PeerHost[] = [];
  private readonly authority: TestAuthority;
  private lastNumber = 0;

  static async create(): Promise<LoopbackRing> {
    return new LoopbackRing(await TestAuthority.create());
  }

  private constructor(authority: TestAuthority) {
    this.authority = authority;
  }

  get rootCertificates(): readonly Uint8Array[] {
    return this.authority.rootCertificates;
  }

  certify(nodeId: NodeId): Promise<LinkCredentials> {
    this.lastNumber += 1;
    return this.authority.certify(nodeId, `user-${this.lastNumber}@example.org`);
  }

  /** Peers join one after another, until there are `size`. */
  async grow(size: number): Promise<void> {
    while (this.hosts.length < size) {
      this.hosts.push(await this.join(await this.certify(randomNodeId())));
    }
  }

  /** Resolves when the peer is in the ring and its certificate is stored. It is not in `hosts`. */
  async join(credentials: LinkCredentials): Promise<PeerHost> {
    const [first] = this.hosts;
    const { host } = await startTestPeer({
      authority: this.authority,
      credentials,
      first: first === undefined,
      knownPeers: first === undefined ? [] : [knownPeer(first)],
    });
    await host.whenJoined(AbortSignal.timeout(JOIN_MS_MAX));
    return host;
  }

  /** Every own record of every peer is stored. */
  async untilStored(): Promise<void> {
    while (!this.hosts.every((host) => host.status().ownRecordsComplete)) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.hosts.map((host) => host.close()));
  }
}

export function randomNodeId(): NodeId {
  return nodeIdFromBytes(randomBytes(16));
}

/** The middle one; 0 of none. */
export function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}

const JOIN_MS_MAX = 30_000;
const POLL_MS = 20;
