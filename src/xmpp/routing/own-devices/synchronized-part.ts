import type { NodeId } from '../../../wire/node-id.ts';
import { element, type XmppElement } from '../../stanza/xmpp-element.ts';

/** Between the own devices of a user: what one has is asked for, and changes are told. */
export const SYNC_NAMESPACE = 'urn:xmpp-over-reload:own-devices:0';

/** What own devices keep the same: the archive, the roster and the like. */
export interface SynchronizedPart {
  readonly name: string;
  /** Equal where two devices have the same; undefined: that is not known beforehand. */
  digest(): string | undefined;
  /** Behind which entry a device is asked for more; undefined: from the first one on. */
  positionAt(device: NodeId): string | undefined;
  /** In the order in which they are to be taken. */
  entries(): Iterable<SyncEntry>;
  /** Takes what is new of a page of another own device; `then` when it is durable. */
  take(device: NodeId, entries: readonly XmppElement[], last: string, then: () => void): void;
}

export interface SyncEntry {
  /** Names it among the entries of its part. */
  readonly key: string;
  /** Undefined: it stays here. */
  readonly element: () => XmppElement | undefined;
}

/** Tells the other own devices of changes. */
export type TellOwnDevices = (part: string, entries: readonly XmppElement[]) => void;

export function syncElement(
  name: string,
  attributes: Readonly<Record<string, string | undefined>>,
  children: readonly XmppElement[] = [],
): XmppElement {
  return element(name, SYNC_NAMESPACE, attributes, children);
}

/** Whole ms since 1970 out of an attribute, or undefined. */
export function timeOf(entry: XmppElement, attribute: string): number | undefined {
  const text = entry.attributes.get(attribute) ?? '';
  return TIME.test(text) ? Number(text) : undefined;
}

const TIME = /^\d{1,15}$/;
