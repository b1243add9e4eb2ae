import type { NodeId } from '../wire/node-id.ts';
import type { AttachManager } from './attach-manager.ts';
import type { ConnectId, KnownPeer } from './input.ts';
import type { LinkManager } from './link-manager.ts';
import { JOIN_CONNECT_STAGGER_MS } from './timing.ts';

/** How far the search for a node of the overlay is. */
export type Contact =
  /** Links are being made; without news it goes on after this time. */
  | { readonly type: 'waiting'; readonly timeoutMs: number }
  | { readonly type: 'reached'; readonly nodeId: NodeId }
  | { readonly type: 'nobody' };

/**
 * Step 1 of RFC 6940 §10.5: a TLS link to one of the known peers, one after the other. A host that
 * is off says nothing for many seconds: the next one is tried meanwhile, and the first link counts.
 */
export class BootstrapContact {
  private readonly links: LinkManager;
  private readonly attaches: AttachManager;
  private readonly connects = new Set<ConnectId>();
  private remaining: KnownPeer[] = [];

  constructor(links: LinkManager, attaches: AttachManager) {
    this.links = links;
    this.attaches = attaches;
  }

  begin(peers: readonly KnownPeer[]): Contact {
    this.connects.clear();
    this.remaining = [...peers];
    return this.next();
  }

  isOurs(connect: ConnectId | undefined): boolean {
    return connect !== undefined && this.connects.has(connect);
  }

  /** undefined: others may still answer. */
  handleConnectFailed(connect: ConnectId): Contact | undefined {
    if (!this.connects.delete(connect)) return undefined;
    return this.remaining.length > 0 || this.connects.size === 0 ? this.next() : undefined;
  }

  handleTimer(): Contact {
    const isFull = this.connects.size >= CONNECTS_MAX;
    if (isFull || this.remaining.length === 0) this.connects.clear();
    return this.next();
  }

  private next(): Contact {
    const next = this.remaining.shift();
    if (next === undefined) return { type: 'nobody' };
    const { address, nodeId } = next;
    if (nodeId !== undefined && this.links.linkTo(nodeId)?.suspect === false) {
      return { type: 'reached', nodeId };
    }
    this.connects.add(this.attaches.connectDirectly(address, nodeId));
    const isLast = this.remaining.length === 0 || this.connects.size >= CONNECTS_MAX;
    return { type: 'waiting', timeoutMs: isLast ? CONNECT_TIMEOUT_MS : JOIN_CONNECT_STAGGER_MS };
  }
}

const CONNECT_TIMEOUT_MS = 10_000;
/** Known peers that are connected to at once. */
const CONNECTS_MAX = 3;
