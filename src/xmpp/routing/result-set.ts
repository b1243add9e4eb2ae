import { childElement, element, textOf, type XmppElement } from '../stanza/xmpp-element.ts';

export const RESULT_SET_NAMESPACE = 'http://jabber.org/protocol/rsm';

/** Which part of a list is wanted (XEP-0059). */
export interface PageRequest {
  readonly max: number;
  /** Behind the item with this id. */
  readonly after: string | undefined;
  /** Before the item with this id; empty: the last ones of all. */
  readonly before: string | undefined;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  /** Place of the first one in the whole list, from 0. */
  readonly firstIndex: number;
  readonly count: number;
  /** There is nothing further in the direction of paging. */
  readonly isComplete: boolean;
}

/** The `set` inside `parent`; `itemsMax` where it asks for more, or does not say. */
export function pageRequest(parent: XmppElement, itemsMax: number): PageRequest | undefined {
  const set = childElement(parent, 'set', RESULT_SET_NAMESPACE);
  const text = (name: string) => {
    const child = set && childElement(set, name, RESULT_SET_NAMESPACE);
    return child && textOf(child);
  };
  const max = text('max');
  if (max !== undefined && !/^\d{1,9}$/.test(max)) return undefined;
  const wanted = Math.min(max === undefined ? itemsMax : Number(max), itemsMax);
  return { max: wanted, after: text('after'), before: text('before') };
}

/**
 * The page of `all` that is wanted, or undefined when its anchor is not there. It ends before the
 * weights of its items are more than `weightMax` together, but has one item at least.
 */
export function pageOf<Item extends { readonly id: string }>(
  all: readonly Item[],
  { max, after, before }: PageRequest,
  weightMax: number,
  weightOf: (item: Item) => number,
): Page<Item> | undefined {
  let from = 0;
  let to = all.length;
  if (after !== undefined) from = all.findIndex(({ id }) => id === after) + 1;
  if (before !== undefined && before !== '') to = all.findIndex(({ id }) => id === before);
  if ((after !== undefined && from === 0) || to === -1) return undefined;
  const isBackward = before !== undefined;
  const wanted = isBackward
    ? all.slice(Math.max(from, to - max), to).reverse()
    : all.slice(from, Math.min(to, from + max));
  const items = wanted.slice(0, countWithin(wanted.map(weightOf), weightMax));
  if (isBackward) items.reverse();
  const firstIndex = isBackward ? Math.max(from, to - items.length) : from;
  const isComplete = isBackward ? firstIndex === from : firstIndex + items.length >= to;
  return { items, firstIndex, count: all.length, isComplete };
}

/** How many of these together weigh `max` at most; one in any case. */
function countWithin(weights: readonly number[], max: number): number {
  let sum = 0;
  const end = weights.findIndex((weight) => {
    sum += weight;
    return sum > max;
  });
  return end === -1 ? weights.length : Math.max(1, end);
}

/** What tells the other side which page it got. */
export function pageElement<Item extends { readonly id: string }>(page: Page<Item>): XmppElement {
  const children = [element('count', RESULT_SET_NAMESPACE, {}, [String(page.count)])];
  const [first, last] = [page.items[0], page.items.at(-1)];
  if (first !== undefined && last !== undefined) {
    const index = String(page.firstIndex);
    children.unshift(
      element('first', RESULT_SET_NAMESPACE, { index }, [first.id]),
      element('last', RESULT_SET_NAMESPACE, {}, [last.id]),
    );
  }
  return element('set', RESULT_SET_NAMESPACE, {}, children);
}
