import type { PersistRecord } from '../../storage/persist-record.ts';
import { AddressFault } from '../../xmpp-address/address-fault.ts';
import { type BareJid, parseJid } from '../../xmpp-address/jid.ts';
import type { XmppElement } from '../stanza/xmpp-element.ts';
import { elementOf } from './stanza-text.ts';

/** A record as it lies in the store. */
export interface StoredRecord {
  readonly key: string;
  readonly value: Uint8Array;
}

/** One message of the archive, or, without `stanza`, that it has been here (XEP-0334). */
export interface ArchiveRecord {
  readonly sequence: number;
  /** Its stanza-id (XEP-0359). */
  readonly id: string;
  readonly unixMs: number;
  /** The bare JID of the other side. */
  readonly with: string;
  /** What makes it recognised when it comes again. */
  readonly duplicateKey: string | undefined;
  /** Text of `stanza-text.ts`. */
  readonly stanza: string | undefined;
}

export interface OutboxRecord {
  readonly sequence: number;
  readonly to: BareJid;
  readonly unixMs: number;
  readonly stanza: XmppElement;
  /** Length of its text. */
  readonly bytes: number;
}

export interface OfflineRecord {
  readonly sequence: number;
  readonly unixMs: number;
  readonly stanza: XmppElement;
  readonly bytes: number;
}

export const ARCHIVE_PREFIX = 'archive/';
export const OUTBOX_PREFIX = 'outbox/';
export const OFFLINE_PREFIX = 'offline/';

export function archiveKey(sequence: number): string {
  return ARCHIVE_PREFIX + padded(sequence);
}

export function outboxKey(sequence: number): string {
  return OUTBOX_PREFIX + padded(sequence);
}

export function offlineKey(sequence: number): string {
  return OFFLINE_PREFIX + padded(sequence);
}

export function archiveRecord(entry: ArchiveRecord): PersistRecord {
  const { sequence, id, unixMs, duplicateKey = null, stanza = 'null' } = entry;
  const head = JSON.stringify([unixMs, id, entry.with, duplicateKey]);
  return record(archiveKey(sequence), `${head.slice(0, -1)},${stanza}]`);
}

/** `text` is the stanza's, of `stanza-text.ts`. */
export function outboxRecord(
  sequence: number,
  to: BareJid,
  unixMs: number,
  text: string,
): PersistRecord {
  return record(outboxKey(sequence), `[${unixMs},${JSON.stringify(to)},${text}]`);
}

export function offlineRecord(sequence: number, unixMs: number, text: string): PersistRecord {
  return record(offlineKey(sequence), `[${unixMs},${text}]`);
}

/** Any other record: a key and what JSON makes of the value. */
export function jsonRecord(key: string, value: unknown): PersistRecord {
  return record(key, JSON.stringify(value));
}

export function removal(key: string): PersistRecord {
  return { key, value: undefined };
}

/** The value of a record, or undefined when it is not JSON in UTF-8. */
export function jsonOf(stored: StoredRecord): unknown {
  try {
    return JSON.parse(UTF8.decode(stored.value));
  } catch {
    return undefined;
  }
}

export function readArchiveRecord(stored: StoredRecord): ArchiveRecord | undefined {
  const value = jsonOf(stored);
  const sequence = sequenceOf(stored.key, ARCHIVE_PREFIX);
  if (sequence === undefined || !Array.isArray(value) || value.length !== 5) return undefined;
  const [unixMs, id, other, duplicateKey, stanza] = value as readonly unknown[];
  if (!isTime(unixMs) || typeof id !== 'string' || typeof other !== 'string') return undefined;
  if (duplicateKey !== null && typeof duplicateKey !== 'string') return undefined;
  if (stanza !== null && elementOf(stanza) === undefined) return undefined;
  return {
    sequence,
    id,
    unixMs,
    with: other,
    duplicateKey: duplicateKey ?? undefined,
    stanza: stanza === null ? undefined : JSON.stringify(stanza),
  };
}

export function readOutboxRecord(stored: StoredRecord): OutboxRecord | undefined {
  const value = jsonOf(stored);
  const sequence = sequenceOf(stored.key, OUTBOX_PREFIX);
  if (sequence === undefined || !Array.isArray(value) || value.length !== 3) return undefined;
  const [unixMs, to, plain] = value as readonly unknown[];
  const stanza = elementOf(plain);
  if (!isTime(unixMs) || typeof to !== 'string' || stanza === undefined) return undefined;
  const address = parseJid(to);
  if (address instanceof AddressFault || address.bare !== to) return undefined;
  return { sequence, to: address.bare, unixMs, stanza, bytes: stored.value.length };
}

export function readOfflineRecord(stored: StoredRecord): OfflineRecord | undefined {
  const value = jsonOf(stored);
  const sequence = sequenceOf(stored.key, OFFLINE_PREFIX);
  if (sequence === undefined || !Array.isArray(value) || value.length !== 2) return undefined;
  const [unixMs, plain] = value as readonly unknown[];
  const stanza = elementOf(plain);
  if (!isTime(unixMs) || stanza === undefined) return undefined;
  return { sequence, unixMs, stanza, bytes: stored.value.length };
}

export function isTime(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function record(key: string, text: string): PersistRecord {
  return { key, value: Buffer.from(text) };
}

function sequenceOf(key: string, prefix: string): number | undefined {
  const digits = key.slice(prefix.length);
  return digits.length === SEQUENCE_DIGITS && DIGITS.test(digits) ? Number(digits) : undefined;
}

/** Keys in the order of their numbers are in the order of their bytes. */
function padded(sequence: number): string {
  return String(sequence).padStart(SEQUENCE_DIGITS, '0');
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });
const DIGITS = /^\d+$/;
const SEQUENCE_DIGITS = 15;
