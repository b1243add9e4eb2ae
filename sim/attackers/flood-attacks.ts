/** Attacks on the resources of others: RFC 6940 §13.5.2 and §13.6.5. */
import { KindIds } from '../../src/overlay-config/kind-definition.ts';
import { advance } from '../../src/reload/ring.ts';
import { resourceIdOf } from '../../src/storage/resource-name.ts';
import { ChordUpdate } from '../../src/wire/chord.ts';
import { encode } from '../../src/wire/codec.ts';
import { nodeDestination } from '../../src/wire/destination.ts';
import { MessageCode } from '../../src/wire/message-contents.ts';
import { type NodeId, nodeIdBytes } from '../../src/wire/node-id.ts';
import { ARRAY_INDEX_END, type KindId } from '../../src/wire/stored-data.ts';
import { JoinReq } from '../../src/wire/topology.ts';
import { Attacker, type SeenMessage } from './attacker.ts';

/** Joins again and again: each time its successor copies to it what it should hold. */
export class FloodJoins extends Attacker {
  override begin(): void {
    super.begin();
    this.repeat(FLOOD_EVERY_MS, () => {
      const [successor] = this.node.peer?.neighbors().successors ?? [];
      const link = this.links().find(({ nodeId }) => nodeId === successor)?.link;
      if (successor === undefined || link === undefined) return;
      const body = encode(JoinReq, {
        joiningPeerId: this.node.nodeId,
        overlaySpecificData: new Uint8Array(0),
      });
      this.sendOver(link, this.sealed([nodeDestination(successor)], MessageCode.joinReq, body));
    });
  }
}

/** Names ever new Node-IDs beside each neighbour, who tries to attach to all of them. */
export class FloodUpdates extends Attacker {
  override begin(): void {
    super.begin();
    this.repeat(FLOOD_EVERY_MS, () => {
      for (const { link, nodeId } of this.links()) {
        if (this.isFriend(nodeId)) continue;
        const update = this.update(nodeId);
        const body = encode(ChordUpdate, update);
        this.sendOver(link, this.sealed([nodeDestination(nodeId)], MessageCode.updateReq, body));
      }
    });
  }

  private update(victim: NodeId): ChordUpdate {
    const successors = [1n, 2n, 3n].map((step) => this.beside(victim, step));
    const predecessors = [-1n, -2n, -3n].map((step) => this.beside(victim, step));
    return { type: 'neighbors', uptime: 1, predecessors, successors };
  }

  private beside(victim: NodeId, step: bigint): NodeId {
    const far = BigInt(this.random.uint32()) << 64n;
    return advance(victim, step * far) as string as NodeId;
  }
}

/** Sends what it has seen again and again, as long as it has seen enough. */
export class Replay extends Attacker {
  private readonly recorded: Uint8Array[] = [];

  protected override watch(seen: SeenMessage): void {
    if (!seen.isRequest || this.recorded.length >= RECORDED_MAX) return;
    this.recorded.push(seen.view.bytes.slice());
  }

  override begin(): void {
    super.begin();
    this.repeat(FLOOD_EVERY_MS, () => {
      for (let count = 0; count < REPLAYED_AT_ONCE; count++) {
        const message = this.random.pick(this.recorded);
        const link = this.random.pick(this.links())?.link;
        if (message !== undefined && link !== undefined) this.sendOver(link, message);
      }
    });
  }
}

/** Stores whatever the limits of the Kinds let it store under its own names, and tries more. */
export class ExhaustQuota extends Attacker {
  override begin(): void {
    super.begin();
    const { userName, nodeId } = this.node;
    this.repeat(STORE_EVERY_MS, () => {
      this.store(KindIds.certificateByUser, resourceIdOf(userName));
      this.store(KindIds.certificateByNode, resourceIdOf(nodeIdBytes(nodeId)));
    });
  }

  private store(kind: KindId, resource: ReturnType<typeof resourceIdOf>): void {
    const values = [0, 1, 2].map(() => ({
      kind,
      place: { model: 'array', index: ARRAY_INDEX_END } as const,
      value: this.random.bytes(VALUE_BYTES),
      lifetimeSeconds: 86_400,
    }));
    const { world } = this.context;
    world.command(this.node, { type: 'store', resource, values }, () => undefined);
  }
}

const FLOOD_EVERY_MS = 250;
const STORE_EVERY_MS = 1_000;
const RECORDED_MAX = 512;
const REPLAYED_AT_ONCE = 8;
/** Just below the default of max-size for certificates. */
const VALUE_BYTES = 8_000;
