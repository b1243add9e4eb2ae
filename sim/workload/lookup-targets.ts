import { KindIds } from '../../src/overlay-config/kind-definition.ts';
import type { Input } from '../../src/reload/input.ts';
import type { Output } from '../../src/reload/output.ts';
import type { PeerEvent } from '../../src/reload/peer-event.ts';
import { OWN_CERTIFICATE_LIFETIME_SECONDS } from '../../src/reload/timing.ts';
import type { SimNode } from '../world/sim-node.ts';
import type { SimRandom } from '../world/sim-random.ts';
import type { World } from '../world/world.ts';
import type { WorldObserver } from '../world/world-observer.ts';
import { NodeList } from './node-list.ts';
import type { Popularity } from './popularity.ts';

/**
 * Who can ask and who can be asked for, from what Peers say of themselves. No draw looks through
 * all nodes.
 */
export class LookupTargets implements WorldObserver {
  /** Nodes in the overlay now, clients included. */
  readonly joined = new NodeList();
  /** Nodes in the overlay whose location was acknowledged as stored. */
  readonly located = new NodeList();
  /** Called when a node begins to leave on purpose: its location goes. */
  onLeaving: (node: SimNode) => void = () => undefined;
  private readonly world: World;
  private readonly random: SimRandom;
  private readonly popularity: Popularity;
  /** Nodes with both certificates stored; the place in the list is the rank of popularity. */
  private readonly certified: SimNode[] = [];
  private readonly acknowledged = new Map<SimNode, Acknowledged>();

  constructor(world: World, random: SimRandom, popularity: Popularity) {
    this.world = world;
    this.random = random;
    this.popularity = popularity;
    world.observers.push(this);
  }

  get certifiedCount(): number {
    return this.certified.length;
  }

  /**
   * A node whose certificates are in the overlay, by Node-ID and by user name: both were
   * acknowledged and live on whether or not the node does. undefined where none was found.
   */
  pickCertified(isWanted: (node: SimNode) => boolean): SimNode | undefined {
    const { certified, popularity, random } = this;
    for (let tries = 0; tries < TRIES_MAX && certified.length > 0; tries++) {
      const node = certified[popularity.place(certified.length, random)] as SimNode;
      if (this.isStillStored(node) && isWanted(node)) return node;
    }
    return undefined;
  }

  pickFrom(list: NodeList, isWanted: (node: SimNode) => boolean): SimNode | undefined {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const node = this.random.pick(list.nodes);
      if (node === undefined || isWanted(node)) return node;
    }
    return undefined;
  }

  handled(node: SimNode, input: Input, outputs: readonly Output[]): void {
    for (const output of outputs) {
      if (output.type === 'event') this.handleEvent(node, output.event);
    }
    if (input.type === 'command' && input.command.type === 'leave') this.handleLeaving(node);
  }

  stopped(node: SimNode): void {
    this.joined.remove(node);
    this.located.remove(node);
  }

  private handleEvent(node: SimNode, event: PeerEvent): void {
    switch (event.type) {
      case 'stateChanged':
        if (event.state === 'joined') this.joined.add(node);
        else this.joined.remove(node);
        if (event.state === 'leaving') this.handleLeaving(node);
        return;
      case 'ownDataStored':
        if (event.kind === KindIds.xmppLocation) this.located.add(node);
        else this.handleCertificate(node, event.kind === KindIds.certificateByNode);
        return;
      default:
    }
  }

  private handleLeaving(node: SimNode): void {
    this.joined.remove(node);
    this.located.remove(node);
    this.onLeaving(node);
  }

  private handleCertificate(node: SimNode, isByNode: boolean): void {
    const known = this.acknowledged.get(node) ?? { byNodeMs: undefined, byUserMs: undefined };
    const wasComplete = known.byNodeMs !== undefined && known.byUserMs !== undefined;
    if (isByNode) known.byNodeMs = this.world.nowMs;
    else known.byUserMs = this.world.nowMs;
    this.acknowledged.set(node, known);
    const isComplete = known.byNodeMs !== undefined && known.byUserMs !== undefined;
    if (isComplete && !wasComplete) this.rank(node);
  }

  /** At a random rank: who joined early, bootstrap nodes above all, is not asked for more often. */
  private rank(node: SimNode): void {
    const place = this.random.index(this.certified.length + 1);
    const moved = this.certified[place];
    if (moved !== undefined) this.certified.push(moved);
    this.certified[place] = node;
  }

  private isStillStored(node: SimNode): boolean {
    const { byNodeMs = 0, byUserMs = 0 } = this.acknowledged.get(node) ?? {};
    const ageMs = this.world.nowMs - Math.min(byNodeMs, byUserMs);
    return ageMs < OWN_CERTIFICATE_LIFETIME_SECONDS * 1000;
  }
}

/** When each was last acknowledged, ms of the World. */
interface Acknowledged {
  byNodeMs: number | undefined;
  byUserMs: number | undefined;
}

/** Where nearly nobody is wanted, a draw ends without anybody. */
const TRIES_MAX = 50;
