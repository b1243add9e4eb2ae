import { createHash } from 'node:crypto';
import type { PersistRecord } from '../../storage/persist-record.ts';
import type { XmppElement } from '../stanza/xmpp-element.ts';
import { PEP_BYTES_MAX, PEP_NODES_MAX } from './routing-limits.ts';
import { jsonOf, jsonRecord, removal, type StoredRecord } from './routing-records.ts';
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
  /** Text of `stanza-text.ts`; undefined: nothing is inside. */
  readonly payload: string | undefined;
}

/** One node of the user's account, with its items, the oldest first. */
export interface PersonalNode {
  readonly name: string;
  readonly options: NodeOptions;
  readonly items: readonly PersonalItem[];
}

export const PEP_PREFIX = 'pep/';

/** The user's personal events (XEP-0163), in memory and as one record for each node. */
export class PersonalNodes {
  private readonly nodes = new Map<string, PersonalNode>();
  private bytes = 0;

  constructor(restored: readonly PersonalNode[]) {
    for (const node of restored) this.keep(node);
  }

  get(name: string): PersonalNode | undefined {
    return this.nodes.get(name);
  }

  all(): IterableIterator<PersonalNode> {
    return this.nodes.values();
  }

  /** Replaces a node; the record is what has to be written, or why there is no room. */
  set(node: PersonalNode): PersistRecord | string {
    const before = this.nodes.get(node.name);
    if (before === undefined && this.nodes.size >= PEP_NODES_MAX) {
      return `there are ${PEP_NODES_MAX} nodes already`;
    }
    const grown = this.bytes + sizeOf(node) - (before === undefined ? 0 : sizeOf(before));
    if (grown > PEP_BYTES_MAX) return `all items together have ${PEP_BYTES_MAX} bytes at most`;
    this.drop(node.name);
    this.keep(node);
    const { access, itemsMax, sendsLast } = node.options;
    const items = node.items.map(({ id, payload = null }) => [id, payload]);
    return jsonRecord(keyOf(node.name), [node.name, access, itemsMax, sendsLast, items]);
  }

  remove(name: string): PersistRecord {
    this.drop(name);
    return removal(keyOf(name));
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

export function itemOf(id: string, payload: XmppElement | undefined): PersonalItem {
  return { id, payload: payload && stanzaText(payload) };
}

/** A node out of its record, or undefined when it is damaged. */
export function readPersonalNode(stored: StoredRecord): PersonalNode | undefined {
  const value = jsonOf(stored);
  if (!Array.isArray(value) || value.length !== 5) return undefined;
  const [name, access, itemsMax, sendsLast, plain] = value as readonly unknown[];
  const known = ACCESS_MODELS.find((one) => one === access);
  if (typeof name !== 'string' || known === undefined || typeof sendsLast !== 'boolean') {
    return undefined;
  }
  if (!Number.isSafeInteger(itemsMax) || !Array.isArray(plain)) return undefined;
  const items: PersonalItem[] = [];
  for (const pair of plain) {
    if (!Array.isArray(pair)) return undefined;
    const [id, payload] = pair as readonly unknown[];
    const isText = typeof payload === 'string' && elementOfText(payload) !== undefined;
    if (typeof id !== 'string' || (payload !== null && !isText)) return undefined;
    items.push({ id, payload: payload ?? undefined });
  }
  return { name, options: { access: known, itemsMax: Number(itemsMax), sendsLast }, items };
}

function keyOf(name: string): string {
  return PEP_PREFIX + createHash('sha256').update(name).digest('base64url');
}

function sizeOf(node: PersonalNode): number {
  return node.items.reduce((sum, item) => sum + item.id.length + (item.payload?.length ?? 0), 200);
}

export const ACCESS_MODELS: readonly AccessModel[] = ['open', 'presence', 'whitelist'];
