import { EventHeap } from '../../../sim/world/event-heap.ts';
import { constantLatency } from '../../../sim/world/latency-model.ts';
import { SimClock } from '../../../sim/world/sim-clock.ts';
import { SimDisk } from '../../../sim/world/sim-disk.ts';
import { type NetworkConditions, SimNetwork } from '../../../sim/world/sim-network.ts';
import { SimNode } from '../../../sim/world/sim-node.ts';
import { SimRandom } from '../../../sim/world/sim-random.ts';
import type { Input } from '../../../src/reload/input.ts';
import type { Authenticator } from '../../../src/tls-auth/authenticator.ts';
import { CertificateRefusal } from '../../../src/tls-auth/certificate-refusal.ts';
import type { Signer } from '../../../src/tls-auth/signer.ts';
import type { NodeId } from '../../../src/wire/node-id.ts';

/** An input that a node got, and when. */
export interface Arrival {
  readonly atMs: number;
  readonly node: SimNode;
  readonly input: Input;
}

/** A SimNetwork between nodes that run no Peer: what arrives is written down. */
export class NetworkFixture {
  readonly nodes: SimNode[] = [];
  readonly arrivals: Arrival[] = [];
  readonly network: SimNetwork;
  nowMs = 0;
  /** Node-IDs whose certificates do not pass. */
  readonly refused = new Set<NodeId>();
  private readonly heap = new EventHeap();
  private sequence = 0;
  private nextConnect = 1;

  constructor(change: Partial<NetworkConditions> = {}, seed = 3) {
    this.network = new SimNetwork(this, new SimRandom(seed, 'network'), {
      latency: constantLatency(50),
      jitterShare: 0,
      lossShare: 0,
      duplicateShare: 0,
      reorderShare: 0,
      bandwidthBitsPerSecond: undefined,
      transport: 'stream',
      ...change,
    });
  }

  add(change: { readonly isBehindNat?: boolean } = {}): SimNode {
    const index = this.nodes.length;
    const nodeId = index.toString(16).padStart(32, '0') as NodeId;
    const chain = [Uint8Array.of(index)];
    const signer = { nodeId, node: { userName: `u${index}`, chain } } as unknown as Signer;
    const writes = { writeLowMs: 0, writeHighMs: 0 };
    const node = new SimNode({
      index,
      signer,
      role: 'peer',
      isBehindNat: change.isBehindNat === true,
      clock: new SimClock({ skewMs: 0, driftPpm: 0 }),
      disk: new SimDisk(this, new SimRandom(1, `disk/${index}`), writes),
      makeOptions: () => {
        throw new Error('no Peer runs here');
      },
    });
    node.state = 'up';
    this.nodes.push(node);
    return node;
  }

  /** Two nodes with a link; returns the link as each end names it. */
  linked(a = this.add(), b = this.add()) {
    this.connect(a, b);
    this.run(1_000);
    const [fromA] = [...a.links.keys()].slice(-1) as [number];
    const [fromB] = [...b.links.keys()].slice(-1) as [number];
    this.arrivals.length = 0;
    return { a, b, fromA, fromB };
  }

  connect(from: SimNode, to: SimNode, expectedNodeId?: NodeId): void {
    const connect = this.nextConnect++;
    const { address } = to;
    this.network.connect(from, {
      type: 'connect',
      connect,
      address,
      ...(expectedNodeId === undefined ? {} : { expectedNodeId }),
    });
  }

  /** The process ends; what the World does beside the network. */
  stop(node: SimNode, state: 'down' | 'silent'): void {
    if (state === 'silent') this.network.forgetAll(node);
    else this.network.resetAll(node);
    node.state = state;
    node.incarnation++;
  }

  run(forMs: number): void {
    const untilMs = this.nowMs + forMs;
    for (;;) {
      const first = this.heap.first();
      if (first === undefined || first.atMs > untilMs) break;
      this.heap.pop();
      this.nowMs = first.atMs;
      first.run();
    }
    this.nowMs = untilMs;
  }

  /** What came to a node: the first byte of data, or the type of another input. */
  seenBy(node: SimNode): (number | string)[] {
    return this.arrivals
      .filter((arrival) => arrival.node === node)
      .map(({ input }) => (input.type === 'linkData' ? (input.bytes[0] as number) : input.type));
  }

  schedule(delayMs: number, run: () => void): void {
    this.heap.push({ atMs: this.nowMs + delayMs, sequence: this.sequence++, run });
  }

  handle(node: SimNode, input: Input): void {
    this.arrivals.push({ atMs: this.nowMs, node, input });
  }

  authenticatorOf(): Authenticator {
    const authenticate = (leaf: Uint8Array) => {
      const { nodeId } = this.nodes[leaf[0] as number] as SimNode;
      if (this.refused.has(nodeId))
        return new CertificateRefusal('bad-node', nodeId, 'test', 'refused');
      return { nodeId };
    };
    return { authenticate } as unknown as Authenticator;
  }
}
