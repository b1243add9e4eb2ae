import type { PersistRecord } from '../../../storage/persist-record.ts';
import type { NodeId } from '../../../wire/node-id.ts';
import { childElements, type XmppElement } from '../../stanza/xmpp-element.ts';
import {
  deletedElement,
  type PersonalEvents,
  publishedElement,
  retractedElement,
} from '../personal-events.ts';
import {
  isAccessModel,
  itemOf,
  type NodeOptions,
  type PersonalItem,
  type PersonalNode,
  type PersonalNodes,
  payloadOf,
  removalKey,
} from '../personal-nodes.ts';
import type { RoutingContext } from '../routing-context.ts';
import { PEP_ITEMS_MAX, PEP_NAME_CHARACTERS_MAX } from '../routing-limits.ts';
import { digestOf } from './device-sync.ts';
import { type SyncEntry, type SynchronizedPart, syncElement, timeOf } from './synchronized-part.ts';

export const PERSONAL_PART = 'personal-events';

/**
 * The personal events at all own devices: of each node and of each item the latest change counts,
 * and a removal is one. Contacts hear of a change from the device at which it was made.
 */
export class PersonalSync implements SynchronizedPart {
  readonly name = PERSONAL_PART;
  private readonly context: RoutingContext;
  private readonly nodes: PersonalNodes;
  private readonly events: PersonalEvents;

  constructor(context: RoutingContext, nodes: PersonalNodes, events: PersonalEvents) {
    this.context = context;
    this.nodes = nodes;
    this.events = events;
  }

  digest(): string {
    return digestOf(this);
  }

  positionAt(): undefined {
    return undefined;
  }

  /** What was removed first, then each node before its items. */
  *entries(): Generator<SyncEntry> {
    const removals = [...this.nodes.removals.all()].sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [key, changed] of removals) {
      yield { key: `removed ${key}`, element: () => removalEntry(key, changed) };
    }
    const nodes = [...this.nodes.all()].sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const node of nodes) {
      yield { key: removalKey(node.name), element: () => nodeEntry(node) };
      const items = [...node.items].sort((a, b) => (a.id < b.id ? -1 : 1));
      for (const item of items) {
        const key = removalKey(node.name, item.id);
        yield { key, element: () => itemEntry(node.name, item) };
      }
    }
  }

  take(_device: NodeId, entries: readonly XmppElement[], _last: string, then: () => void): void {
    for (const entry of entries) this.takeOne(entry);
    this.context.writes.write([], then);
  }

  private takeOne(entry: XmppElement): void {
    const changed = timeOf(entry, 'changed');
    const name = entry.attributes.get('node');
    const id = entry.attributes.get('id');
    if (changed === undefined || !isName(name) || (id !== undefined && !isName(id))) return;
    const isRemoved = entry.attributes.get('removed') === 'true';
    if (id === undefined) {
      if (isRemoved) this.removeNode(name, changed);
      else this.takeNode(name, entry, changed);
    } else if (isRemoved) this.removeItem(name, id, changed);
    else this.takeItem(name, itemOf(id, childElements(entry)[0], changed));
  }

  private takeNode(name: string, entry: XmppElement, changedUnixMs: number): void {
    const known = this.nodes.get(name);
    const options = optionsOf(entry);
    const isOld = changedUnixMs <= (known?.changedUnixMs ?? -1);
    if (isOld || options === undefined || changedUnixMs <= this.removedAt(name)) return;
    const items = (known?.items ?? []).slice(-options.itemsMax);
    this.write(this.nodes.set({ name, options, changedUnixMs, items }));
  }

  private removeNode(name: string, changedUnixMs: number): void {
    if (changedUnixMs <= this.removedAt(name)) return;
    const known = this.nodes.get(name);
    if (known !== undefined && known.changedUnixMs > changedUnixMs) {
      const items = known.items.filter((item) => item.changedUnixMs > changedUnixMs);
      this.write(this.nodes.noteRemoval(changedUnixMs, name));
      return this.write(this.nodes.set({ ...known, items }));
    }
    const records = this.nodes.remove(name, changedUnixMs);
    this.write(records, known && { node: known, what: deletedElement(name) });
  }

  private takeItem(name: string, item: PersonalItem): void {
    const node = this.nodes.get(name);
    const known = node?.items.find(({ id }) => id === item.id);
    const removed = Math.max(this.removedAt(name), this.removedAt(name, item.id));
    const isOld = item.changedUnixMs <= Math.max(known?.changedUnixMs ?? -1, removed);
    if (node === undefined || isOld) return;
    const all = [...node.items.filter(({ id }) => id !== item.id), item];
    all.sort((a, b) => a.changedUnixMs - b.changedUnixMs || (a.id < b.id ? -1 : 1));
    const items = all.slice(-node.options.itemsMax);
    if (!items.includes(item)) return;
    const what = publishedElement(name, [item]);
    this.write(this.nodes.set({ ...node, items }), { node, what });
  }

  private removeItem(name: string, id: string, changedUnixMs: number): void {
    if (changedUnixMs <= this.removedAt(name, id)) return;
    const records = this.nodes.noteRemoval(changedUnixMs, name, id);
    const node = this.nodes.get(name);
    const known = node?.items.find((item) => item.id === id);
    const isGone = known !== undefined && known.changedUnixMs <= changedUnixMs;
    if (node === undefined || !isGone) return this.write(records);
    const items = node.items.filter((item) => item.id !== id);
    const changed = this.nodes.set({ ...node, items });
    if (typeof changed !== 'string') records.push(...changed);
    this.write(records, { node, what: retractedElement(name, id) });
  }

  private removedAt(name: string, id?: string): number {
    return this.nodes.removals.of(removalKey(name, id)) ?? 0;
  }

  /** What has no room here stays away. */
  private write(
    records: readonly PersistRecord[] | string,
    change?: { readonly node: PersonalNode; readonly what: XmppElement },
  ): void {
    if (typeof records === 'string') return;
    this.context.writes.write(records, () => {
      if (change !== undefined) this.events.tellClients(change.node.name, change.what);
    });
  }
}

/** What other own devices are told of a node. */
export function nodeEntry({ name, options, changedUnixMs }: PersonalNode): XmppElement {
  return syncElement('node', {
    node: name,
    access: options.access,
    max: String(options.itemsMax),
    last: options.sendsLast ? 'true' : undefined,
    changed: String(changedUnixMs),
  });
}

export function itemEntry(node: string, item: PersonalItem): XmppElement {
  const payload = payloadOf(item);
  const attributes = { node, id: item.id, changed: String(item.changedUnixMs) };
  return syncElement('item', attributes, payload === undefined ? [] : [payload]);
}

/** Of a node, or of the item with this id in it. */
export function removedEntry(changedUnixMs: number, node: string, id?: string): XmppElement {
  return syncElement('item', { node, id, changed: String(changedUnixMs), removed: 'true' });
}

function removalEntry(key: string, changedUnixMs: number): XmppElement | undefined {
  const [name, id] = JSON.parse(key) as readonly [string, string?];
  return removedEntry(changedUnixMs, name, id);
}

function optionsOf(entry: XmppElement): NodeOptions | undefined {
  const access = entry.attributes.get('access');
  const itemsMax = Number(entry.attributes.get('max'));
  const isCount = Number.isSafeInteger(itemsMax) && itemsMax >= 1 && itemsMax <= PEP_ITEMS_MAX;
  if (!isAccessModel(access) || !isCount) return undefined;
  return { access, itemsMax, sendsLast: entry.attributes.get('last') === 'true' };
}

function isName(text: string | undefined): text is string {
  return text !== undefined && text !== '' && text.length <= PEP_NAME_CHARACTERS_MAX;
}
