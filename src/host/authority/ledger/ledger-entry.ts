import { createHash } from 'node:crypto';
import { canonicalEventText, type LedgerEvent, readLedgerEvent } from '../../../ca/ledger-event.ts';

/** An event in its place: the ledger is a chain of these and nothing in it is ever changed. */
export interface LedgerEntry {
  /** From 1 on, without a gap. */
  readonly sequence: number;
  /** `canonicalEventText` of the event, as it was hashed. */
  readonly text: string;
  /** Of this entry and, by the one before, of all entries up to here; lower-case hex. */
  readonly hash: string;
}

/** The last entry of a ledger; whoever noted it down can prove later what was there then. */
export interface LedgerHead {
  /** 0: the ledger is empty. */
  readonly sequence: number;
  readonly hash: string;
}

export const EMPTY_LEDGER_HEAD: LedgerHead = { sequence: 0, hash: '0'.repeat(64) };

/** The entry that follows `head`. */
export function nextEntry(head: LedgerHead, event: LedgerEvent): LedgerEntry {
  const text = canonicalEventText(event);
  const sequence = head.sequence + 1;
  return { sequence, text, hash: entryHash(head.hash, sequence, text) };
}

/** The event of the entry that follows `head`, or what is wrong with it as a sentence. */
export function readEntry(head: LedgerHead, entry: LedgerEntry): LedgerEvent | string {
  if (entry.sequence !== head.sequence + 1) {
    return `entry ${head.sequence + 1} is missing: entry ${entry.sequence} follows`;
  }
  if (entryHash(head.hash, entry.sequence, entry.text) !== entry.hash) {
    return `entry ${entry.sequence} was changed: its hash is not that of its contents`;
  }
  const event = readLedgerEvent(parseJson(entry.text));
  return typeof event === 'string' ? `entry ${entry.sequence} cannot be read: ${event}` : event;
}

/**
 * SHA-256 over a label, the hash before as 32 bytes, the sequence as 8 bytes and the text as UTF-8.
 * All before the text has a fixed length, so no two entries are hashed as the same bytes.
 */
function entryHash(previousHash: string, sequence: number, text: string): string {
  const position = Buffer.alloc(SEQUENCE_BYTES);
  position.writeBigUInt64BE(BigInt(sequence));
  return createHash('sha256')
    .update(HASH_LABEL)
    .update(Buffer.from(previousHash, 'hex'))
    .update(position)
    .update(text, 'utf8')
    .digest('hex');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const HASH_LABEL = 'xor ca ledger entry 1\n';
const SEQUENCE_BYTES = 8;
