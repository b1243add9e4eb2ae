import type { SimNode } from '../world/sim-node.ts';

/** A set of nodes from which a random one is taken at no cost; in the same order in each run. */
export class NodeList {
  readonly nodes: SimNode[] = [];
  private readonly places = new Map<SimNode, number>();

  has(node: SimNode): boolean {
    return this.places.has(node);
  }

  add(node: SimNode): void {
    if (this.places.has(node)) return;
    this.places.set(node, this.nodes.length);
    this.nodes.push(node);
  }

  /** The last one takes its place. */
  remove(node: SimNode): void {
    const place = this.places.get(node);
    if (place === undefined) return;
    this.places.delete(node);
    const last = this.nodes.pop() as SimNode;
    if (last === node) return;
    this.nodes[place] = last;
    this.places.set(last, place);
  }
}
