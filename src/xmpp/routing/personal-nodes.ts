import { createHash } from 'node:crypto';
import type { PersistRecord } from '../../storage/persist-record.ts';
import type { XmppElement } from '../stanza/xmpp-element.ts';
import { type Removal, Removals } from './removals.ts';
import { PEP_BYTES_MAX, PEP_NODES_MAX } from './routing-limits.ts';
import { isTime, jsonOf, jsonRecord, removal, type StoredRecord } from './routing-records.ts';
import { elementOfText, stanzaText } from './stanza-text.ts';

/** Who reads a node beside the user's own clients (XEP-0060 §4.5). */
export type AccessModel = 'open' | 'presence' | 'whitelist';

export interface NodeOptions {
  readonly access: AccessModel;
  readonly itemsMax: number;
  /** The last item is sent to whoever comes. */
  readonly sendsLast: boolean;
}

export interface PersonalItem {
  readonly id: string;
  /** When it was published last, at whichever own device; always later than before. */
  readonly changedUnixMs: number;
  /** Text of `stanza-text.ts`; undefined: nothing is inside. */
  readonly payload: string | undefined;
}

/** One node of the user's account, with its items, the oldest first. */
export interface PersonalNode {
  readonly name: string;
  readonly options: NodeOptions;
  /** When it was made or configured last. */
  readonly changedUnixMs: number;
  readonly items: readonly PersonalItem[];
}

export const PEP_PREFIX = 'pep/';

/** The user's personal events (XEP-0163), in memory and as one record for each node. */
export class PersonalNodes {
  /** Nodes that were deleted, and items that were retracted, by `removalKey`. */
  readonly removals: Removals;
  private readonly unixMs: () => number;
  private readonly nodes = new Map<string, PersonalNode>();
  private bytes = 0;

  constructor(
    unixMs: () => number,
    restored: { readonly nodes: readonly PersonalNode[]; readonly removals: readonly Removal[] },
  ) {
    this.unixMs = unixMs;
    this.removals = new Removals('pep', restored.removals);
    for (const node of restored.nodes) this.keep(node);
  }

  get(name: string): PersonalNode | undefined {
    return this.nodes.get(name);
  }

  all(): IterableIterator<PersonalNode> {
    return this.nodes.values();
  }

  /** The time of a change that is made now of a node, or of an item in it. */
  nextChange(name: string, id?: string): number {
    const node = this.nodes.get(name);
    const known = id === undefined ? node : node?.items.find((item) => item.id === id);
    const removed = this.removals.of(removalKey(name, id)) ?? 0;
    const deleted = this.removals.of(removalKey(name)) ?? 0;
    return Math.max(this.unixMs(), (known?.changedUnixMs ?? 0) + 1, removed + 1, deleted + 1);
  }

  /** Replaces a node; the records are what has to be written, or why there is no room. */
  set(node: PersonalNode): PersistRecord[] | string {
    const before = this.nodes.get(node.name);
    if (before === undefined && this.nodes.size >= PEP_NODES_MAX) {
      return `there are ${PEP_NODES_MAX} nodes already`;
    }
    const grown = this.bytes + sizeOf(node) - (before === undefined ? 0 : sizeOf(before));
    if (grown > PEP_BYTES_MAX) return `all items together have ${PEP_BYTES_MAX} bytes at most`;
    this.drop(node.name);
    this.keep(node);
    const { access, itemsMax, sendsLast } = node.options;
    const items = node.items.map(({ id, payload = null, changedUnixMs }) => [
      ...[id, payload, changedUnixMs],
    ]);
    const plain = [node.name, access, itemsMax, sendsLast, items, node.changedUnixMs];
    return [jsonRecord(keyOf(node.name), plain)];
  }

  remove(name: string, changedUnixMs: number): PersistRecord[] {
    this.drop(name);
    return [removal(keyOf(name)), ...this.noteRemoval(changedUnixMs, name)];
  }

  /** An item is not there any more; the node without it is set apart from this. */
  noteRemoval(changedUnixMs: number, name: string, id?: string): PersistRecord[] {
    return this.removals.add(removalKey(name, id), changedUnixMs, this.unixMs());
  }

  private keep(node: PersonalNode): void {
    this.nodes.set(node.name, node);
    this.bytes += sizeOf(node);
  }

  private drop(name: string): void {
    const node = this.nodes.get(name);
    if (node === undefined) return;
    this.nodes.delete(name);
    this.bytes -= sizeOf(node);
  }
}

/** An item as it is published; undefined when its payload cannot be read. */
export function payloadOf(item: PersonalItem): XmppElement | undefined {
  return item.payload === undefined ? undefined : elementOfText(item.payload);
}

export function itemOf(
  id: string,
  payload: XmppElement | undefined,
  changedUnixMs: number,
): PersonalItem {
  return { id, changedUnixMs, payload: payload && stanzaText(payload) };
}

export function isAccessModel(text: string | undefined): text is AccessModel {
  return ACCESS_MODELS.some((one) => one === text);
}

/** Of a node, or of an item in it. */
export function removalKey(name: string, id?: string): string {
  return JSON.stringify(id === undefined ? [name] : [name, id]);
}

/** A node out of its record, or undefined when it is damaged. */
export function readPersonalNode(stored: StoredRecord): PersonalNode | undefined {
  const value = jsonOf(stored);
  if (!Array.isArray(value) || value.length !== 6) return undefined;
  const [name, access, itemsMax, sendsLast, plain, changedUnixMs] = value as readonly unknown[];
  const known = ACCESS_MODELS.find((one) => one === access);
  if (typeof name !== 'string' || known === undefined || typeof sendsLast !== 'boolean') {
    return undefined;
  }
  if (!Number.isSafeInteger(itemsMax) || !Array.isArray(plain)) return undefined;
  if (!isTime(changedUnixMs)) return undefined;
  const items: PersonalItem[] = [];
  for (const one of plain) {
    const item = readItem(one);
    if (item === undefined) return undefined;
    items.push(item);
  }
  const options = { access: known, itemsMax: Number(itemsMax), sendsLast };
  return { name, options, changedUnixMs, items };
}

function readItem(value: unknown): PersonalItem | undefined {
  if (!Array.isArray(value) || value.length !== 3) return undefined;
  const [id, payload, changedUnixMs] = value as readonly unknown[];
  const isText = typeof payload === 'string' && elementOfText(payload) !== undefined;
  if (typeof id !== 'string' || !isTime(changedUnixMs)) return undefined;
  if (payload === null) return { id, changedUnixMs, payload: undefined };
  return isText ? { id, changedUnixMs, payload } : undefined;
}

function keyOf(name: string): string {
  return PEP_PREFIX + createHash('sha256').update(name).digest('base64url');
}

function sizeOf(node: PersonalNode): number {
  return node.items.reduce((sum, item) => sum + item.id.length + (item.payload?.length ?? 0), 200);
}

export const ACCESS_MODELS: readonly AccessModel[] = ['open', 'presence', 'whitelist'];
