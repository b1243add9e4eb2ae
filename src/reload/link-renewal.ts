import type { IpAddressPort } from '../wire/ip-address-port.ts';
import type { AttachManager } from './attach-manager.ts';
import type { LinkId } from './input.ts';
import type { LinkManager } from './link-manager.ts';
import type { Link } from './link-state.ts';
import type { PeerEnvironment } from './peer-environment.ts';
import { LINK_RENEWAL_ANSWER_MS, LINK_RENEWAL_PACE_MS } from './timing.ts';

/**
 * Makes links again whose certificates, of either end, will not last: one after another, the new
 * link before the old one goes, so that no table ever lacks the node at the other end. Both ends
 * then send over the newer link; what is on its way over the older one still arrives.
 */
export class LinkRenewal {
  private readonly env: PeerEnvironment;
  private readonly links: LinkManager;
  private readonly attaches: AttachManager;
  private readonly former = new Map<LinkId, Attempt>();

  constructor(env: PeerEnvironment, links: LinkManager, attaches: AttachManager) {
    this.env = env;
    this.links = links;
    this.attaches = attaches;
  }

  /** Links that are to be made again. */
  get waiting(): number {
    for (const id of this.former.keys()) {
      if (this.links.link(id) === undefined) this.former.delete(id);
    }
    return this.former.size;
  }

  /** The own certificate is another one now; with the former one each other end goes on until. */
  start(untilUnixMs: number): void {
    const { links, env } = this;
    const leftMs = Math.max(0, untilUnixMs - env.now.unixMs) / 2;
    const paceMs = Math.min(LINK_RENEWAL_PACE_MS, leftMs / Math.max(1, links.size));
    let dueMs = env.now.monotonicMs;
    for (const { id } of links.all()) {
      this.former.set(id, { attempts: 0, dueMs, answerByMs: 0 });
      dueMs += env.randomMs(paceMs / 2, paceMs * 1.5);
    }
    this.handleTimer();
  }

  /** The certificate at the other end will not last: it may have another one by now. */
  add(id: LinkId): void {
    if (this.former.has(id)) return;
    const dueMs = this.env.now.monotonicMs + this.env.randomMs(0, LINK_RENEWAL_PACE_MS);
    this.former.set(id, { attempts: 0, dueMs, answerByMs: 0 });
    this.arm();
  }

  handleTimer(): void {
    const nowMs = this.env.now.monotonicMs;
    for (const [id, attempt] of this.former) {
      if (attempt.dueMs > nowMs) continue;
      const link = this.links.link(id);
      attempt.dueMs = nowMs + LINK_RENEWAL_PACE_MS;
      const isLeft =
        link === undefined || !(this.links.retire(link) || this.makeAgain(link, attempt));
      if (isLeft) this.former.delete(id);
    }
    this.arm();
  }

  /** Returns false where it cannot be: then it goes on until the certificate ends. */
  private makeAgain(link: Link, attempt: Attempt): boolean {
    const nowMs = this.env.now.monotonicMs;
    if (attempt.answerByMs > nowMs) return true;
    const address = this.addressOf(link);
    if (address === undefined || attempt.attempts >= ATTEMPTS_MAX) return false;
    if (this.attaches.loads.connecting >= this.env.limits.attachesMax) return true;
    attempt.attempts++;
    attempt.answerByMs = nowMs + LINK_RENEWAL_ANSWER_MS;
    const { nodeId } = link;
    this.attaches.connectDirectly(address, nodeId, this.attaches.askedFor(nodeId));
    return true;
  }

  /** Where the other end listens, as it said, or where this node connected to. */
  private addressOf(link: Link): IpAddressPort | undefined {
    const connectedTo = link.connect === undefined ? undefined : link.remoteAddress;
    return this.attaches.listeningAddress(link.nodeId) ?? connectedTo;
  }

  private arm(): void {
    let nextMs = Number.POSITIVE_INFINITY;
    for (const { dueMs } of this.former.values()) nextMs = Math.min(nextMs, dueMs);
    if (nextMs === Number.POSITIVE_INFINITY) return;
    this.env.deadlines.set('linkRenewal', { type: 'linkRenewal' }, nextMs);
  }
}

interface Attempt {
  attempts: number;
  /** When it is looked at again: there may be the newer link by then, or this one is gone. */
  dueMs: number;
  /** Until then the newer link is waited for. */
  answerByMs: number;
}

const ATTEMPTS_MAX = 3;
