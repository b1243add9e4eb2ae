import type { RevocationLists } from '../../src/tls-auth/revocation-lists.ts';
import { CRL_URI, type SimAuthority } from '../identity/sim-authority.ts';
import { WORLD_START_UNIX_MS } from '../world/sim-clock.ts';
import type { SimNode } from '../world/sim-node.ts';
import type { SimRandom } from '../world/sim-random.ts';
import type { World } from '../world/world.ts';

/**
 * The distribution point of a simulated authority and what the hosts of nodes do with it: each
 * fetches the newest list when it starts, and again within the time that a fault gives. Hosts of
 * revoked nodes fetch none: those do all to stay.
 */
export class RevocationSource {
  private readonly world: World;
  private readonly authority: SimAuthority;
  private readonly random: SimRandom;
  private readonly lists = new Map<SimNode, RevocationLists>();
  private readonly revoked = new Set<SimNode>();
  private newest: Uint8Array | undefined;
  private number = 0;

  constructor(world: World, authority: SimAuthority) {
    this.world = world;
    this.authority = authority;
    this.random = world.stream('revocation lists');
  }

  /** Lists for a node's Peer that starts now. */
  listsOf(node: SimNode): RevocationLists {
    const lists = this.authority.newRevocationLists();
    if (this.newest !== undefined && !this.revoked.has(node)) lists.remember(CRL_URI, this.newest);
    this.lists.set(node, lists);
    return lists;
  }

  /** A list that names these nodes and all before; `complete` is called when all have it. */
  publish(nodes: readonly SimNode[], withinMs: number, complete: () => void): void {
    for (const node of nodes) this.revoked.add(node);
    const certificates = [...this.revoked].map(({ signer }) => signer.node.certificate);
    const unixMs = WORLD_START_UNIX_MS + Math.round(this.world.nowMs);
    const list = this.authority.revocationList(++this.number, certificates, unixMs);
    this.newest = list;
    for (const node of this.world.nodes) {
      if (!node.isUp || this.revoked.has(node)) continue;
      const { incarnation } = node;
      this.world.schedule(Math.floor(this.random.share() * withinMs), () => {
        if (node.isUp && node.incarnation === incarnation) this.deliver(node, list);
      });
    }
    this.world.schedule(withinMs, complete);
  }

  private deliver(node: SimNode, list: Uint8Array): void {
    const { unixMs } = node.clock.now(this.world.nowMs);
    const lists = this.lists.get(node);
    // A node that has met nobody yet takes it in as soon as somebody's certificate names its URL.
    if (lists?.wants(CRL_URI) === true) lists.offer(CRL_URI, list, unixMs);
    else lists?.remember(CRL_URI, list);
    this.world.handle(node, { type: 'trustChanged' });
  }
}
