import type { XmppElement, XmppNode } from '../stanza/xmpp-element.ts';
import { STANZA_DEPTH_MAX } from './routing-limits.ts';

/**
 * An element as the text that records hold: JSON `[name, namespace, [key, value, …], [node, …]]`.
 * Unlike XML it is read back without a parser of streams and its rules, exactly as it was.
 */
export function stanzaText(given: XmppElement): string {
  return JSON.stringify(plain(given));
}

/** The element that was parsed from such a text, or undefined when it is none. */
export function elementOf(value: unknown, depth = 0): XmppElement | undefined {
  if (!Array.isArray(value) || value.length !== 4 || depth > STANZA_DEPTH_MAX) return undefined;
  const [name, namespace, pairs, nodes] = value as readonly unknown[];
  if (typeof name !== 'string' || typeof namespace !== 'string') return undefined;
  if (!Array.isArray(pairs) || !Array.isArray(nodes)) return undefined;
  const attributes = attributesOf(pairs);
  if (attributes === undefined) return undefined;
  const children: XmppNode[] = [];
  for (const node of nodes) {
    const child = typeof node === 'string' ? node : elementOf(node, depth + 1);
    if (child === undefined) return undefined;
    children.push(child);
  }
  return { name, namespace, attributes, children };
}

/** `elementOf` of the text itself. */
export function elementOfText(text: string): XmppElement | undefined {
  try {
    return elementOf(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function plain(given: XmppElement): unknown[] {
  const pairs: string[] = [];
  for (const [key, value] of given.attributes) pairs.push(key, value);
  const nodes = given.children.map((node) => (typeof node === 'string' ? node : plain(node)));
  return [given.name, given.namespace, pairs, nodes];
}

function attributesOf(pairs: readonly unknown[]): Map<string, string> | undefined {
  if (pairs.length % 2 !== 0) return undefined;
  const attributes = new Map<string, string>();
  for (let i = 0; i < pairs.length; i += 2) {
    const [key, value] = [pairs[i], pairs[i + 1]];
    if (typeof key !== 'string' || typeof value !== 'string') return undefined;
    attributes.set(key, value);
  }
  return attributes;
}
