import { der } from '../../src/tls-auth/der-writer.ts';

/**
 * The elements of well-formed DER as a tree, so that a mutation of one of them keeps the lengths
 * around it right and is met by the reader that is meant to meet it.
 */
export interface DerNode {
  readonly tag: number;
  /** Tag, length and contents. */
  readonly der: Uint8Array;
  readonly contents: Uint8Array;
  /** What lies inside: of constructed elements, and of OCTET STRINGs that hold elements. */
  readonly children: readonly DerNode[];
  readonly parent: DerNode | undefined;
}

/** All elements of `der`, the outermost first; empty where it is no single element. */
export function derNodes(der: Uint8Array): DerNode[] {
  const nodes: DerNode[] = [];
  const outer = elementAt(der, 0);
  if (outer === undefined || outer.end !== der.length) return nodes;
  addNode(nodes, der, outer, undefined, 0);
  return nodes;
}

/** The outermost element with `bytes` in the place of `node`, all lengths around it corrected. */
export function withReplaced(node: DerNode, bytes: Uint8Array): Uint8Array {
  let changed = node;
  let replacement = bytes;
  while (changed.parent !== undefined) {
    const { parent } = changed;
    const parts = parent.children.map((child) => (child === changed ? replacement : child.der));
    replacement = element(parent.tag, parts);
    changed = parent;
  }
  return replacement;
}

/** One element of these parts. */
export function element(tag: number, parts: readonly Uint8Array[]): Uint8Array {
  return der(tag, Buffer.concat(parts));
}

export function lengthOctets(length: number): number[] {
  if (length < 0x80) return [length];
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return [0x80 | octets.length, ...octets];
}

interface Extent {
  readonly start: number;
  readonly contents: number;
  readonly end: number;
}

function addNode(
  nodes: DerNode[],
  bytes: Uint8Array,
  extent: Extent,
  parent: DerNode | undefined,
  depth: number,
): DerNode {
  const tag = bytes[extent.start] ?? 0;
  const children: DerNode[] = [];
  const node: DerNode = {
    tag,
    der: bytes.subarray(extent.start, extent.end),
    contents: bytes.subarray(extent.contents, extent.end),
    children,
    parent,
  };
  nodes.push(node);
  const mayHold = (tag & 0x20) !== 0 || tag === OCTET_STRING;
  const inside = mayHold && depth < DEPTH_MAX ? elementsOf(bytes, extent) : [];
  for (const one of inside) children.push(addNode(nodes, bytes, one, node, depth + 1));
  return node;
}

/** The elements that fill the contents; empty where they do not. */
function elementsOf(bytes: Uint8Array, { contents, end }: Extent): Extent[] {
  const found: Extent[] = [];
  let at = contents;
  while (at < end) {
    const one = elementAt(bytes, at);
    if (one === undefined || one.end > end) return [];
    found.push(one);
    at = one.end;
  }
  return found;
}

function elementAt(bytes: Uint8Array, start: number): Extent | undefined {
  const first = bytes[start + 1];
  if (first === undefined || first === 0x80 || first > 0x84) return undefined;
  const count = first < 0x80 ? 0 : first & 0x7f;
  let length = count === 0 ? first : 0;
  for (let i = 0; i < count; i++) length = length * 256 + (bytes[start + 2 + i] ?? 0);
  const contents = start + 2 + count;
  const end = contents + length;
  return end > bytes.length ? undefined : { start, contents, end };
}

const OCTET_STRING = 0x04;
const DEPTH_MAX = 20;
