import type { NodeId } from '../wire/node-id.ts';
import type { LinkManager } from './link-manager.ts';

/**
 * Which of the connected nodes a joining node asks for the way into the overlay, and what came of
 * it. At most two tries in a row go through such nodes: whoever connects, or says that it is in the
 * ring, and then is silent must not keep this node from its known peers.
 */
export class JoinLeads {
  private readonly links: LinkManager;
  /** What those said that were asked; entries go with the connection. */
  private readonly verdicts = new Map<NodeId, Verdict>();
  /** Those whose Update has led to a try: one for each connection. */
  private readonly woken = new Set<NodeId>();
  /** Tries through connected nodes since the last one through known peers. */
  private inARow = 0;
  private turn = 0;

  constructor(links: LinkManager) {
    this.links = links;
  }

  /** The node to ask in the next try; undefined: it is the known peers' turn. */
  next(): NodeId | undefined {
    const all = this.reachable();
    const untried = all.filter((nodeId) => this.isUntried(nodeId));
    const choice = untried.length > 0 ? untried : all;
    const chosen = this.inARow > 0 ? undefined : choice[this.turn++ % choice.length];
    this.inARow = chosen === undefined ? 0 : 1;
    return chosen;
  }

  /** A link came up during a pause: whether its node may be asked at once. */
  mayAskAtOnce(): boolean {
    if (this.inARow > 0) return false;
    this.inARow = 1;
    return true;
  }

  /** Its Update says so; what it said before, or did not say, counts no more. */
  noteInRing(nodeId: NodeId): void {
    this.verdicts.delete(nodeId);
  }

  /** Whether the Update of this node may end a pause. */
  mayFollow(nodeId: NodeId): boolean {
    if (this.woken.has(nodeId) || this.inARow > 1) return false;
    this.woken.add(nodeId);
    this.inARow++;
    return true;
  }

  /** It has led nowhere, or says itself that it is `outside` the ring. */
  noteVerdict(nodeId: NodeId, verdict: 'silent' | 'outside'): void {
    if (this.links.linkTo(nodeId) === undefined) return;
    const before = this.verdicts.get(nodeId);
    this.verdicts.set(nodeId, before === 'outside' || before === 'asking' ? 'outside' : verdict);
  }

  /** It asks for the way itself: at most it is in a ring of its own. */
  noteAsking(nodeId: NodeId): void {
    if (this.verdicts.get(nodeId) !== 'outside') this.verdicts.set(nodeId, 'asking');
  }

  forget(nodeId: NodeId): void {
    this.verdicts.delete(nodeId);
    this.woken.delete(nodeId);
  }

  /** Whether somebody is connected who was not asked yet. */
  get hasUntried(): boolean {
    return this.reachable().some((nodeId) => this.isUntried(nodeId));
  }

  /** Whether nobody is connected but nodes that are in no ring with others. */
  get areAllOutside(): boolean {
    const verdicts = this.links.connectedNodes().map((nodeId) => this.verdicts.get(nodeId));
    return verdicts.every((verdict) => verdict === 'outside' || verdict === 'asking');
  }

  private isUntried(nodeId: NodeId): boolean {
    const verdict = this.verdicts.get(nodeId);
    return verdict === undefined || verdict === 'asking';
  }

  private reachable(): NodeId[] {
    const { links } = this;
    return links.connectedNodes().filter((nodeId) => links.linkTo(nodeId)?.suspect === false);
  }
}

type Verdict = 'silent' | 'outside' | 'asking';
