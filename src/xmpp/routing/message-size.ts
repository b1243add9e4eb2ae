import { writeElement, type XmppElement } from '../stanza/xmpp-element.ts';
import { MESSAGE_BYTES_MAX, MESSAGE_DEPTH_MAX, MESSAGE_ELEMENTS_MAX } from './routing-limits.ts';

/** Whether it has more elements within each other than can be kept and sent on. */
export function isTooDeep(message: XmppElement): boolean {
  const size = { depth: 0, elements: 0, characters: 0 };
  measure(message, 1, size);
  return size.depth > MESSAGE_DEPTH_MAX;
}

/** Why a message is too large to be sent on; undefined when it is not. */
export function sizeFault(message: XmppElement): string | undefined {
  const size = { depth: 0, elements: 0, characters: 0 };
  measure(message, 1, size);
  if (size.depth > MESSAGE_DEPTH_MAX) return `elements are ${MESSAGE_DEPTH_MAX} deep at most`;
  if (size.elements > MESSAGE_ELEMENTS_MAX)
    return `it has ${MESSAGE_ELEMENTS_MAX} elements at most`;
  // A character takes six bytes at most (`&quot;`), so the exact size is rarely asked for.
  if (size.characters * 6 <= MESSAGE_BYTES_MAX) return undefined;
  const isTooLong = Buffer.byteLength(writeElement(message)) > MESSAGE_BYTES_MAX;
  return isTooLong ? `it has ${MESSAGE_BYTES_MAX} bytes at most` : undefined;
}

/** Bytes as it is written, and elements, itself counted. */
export function sizeOf(given: XmppElement): { readonly bytes: number; readonly elements: number } {
  const size = { depth: 0, elements: 0, characters: 0 };
  measure(given, 1, size);
  return { bytes: Buffer.byteLength(writeElement(given)), elements: size.elements };
}

/** What `make` makes of as many items as a stream takes; the first ones are left out. */
export function fitting<Item>(
  items: readonly Item[],
  make: (items: readonly Item[]) => XmppElement,
): XmppElement {
  let taken = items;
  let made = make(taken);
  while (taken.length > 0 && sizeFault(made) !== undefined) {
    taken = taken.slice(Math.ceil(taken.length / 2));
    made = make(taken);
  }
  return made;
}

function measure(
  given: XmppElement,
  depth: number,
  size: { depth: number; elements: number; characters: number },
): void {
  size.depth = Math.max(size.depth, depth);
  size.elements += 1;
  size.characters += 2 * given.name.length + given.namespace.length + TAG_CHARACTERS;
  for (const [key, value] of given.attributes) {
    size.characters += key.length + value.length + TAG_CHARACTERS;
  }
  for (const node of given.children) {
    if (typeof node === 'string') size.characters += node.length;
    else measure(node, depth + 1, size);
  }
}

/** Brackets, quotes and a declaration. */
const TAG_CHARACTERS = 20;
