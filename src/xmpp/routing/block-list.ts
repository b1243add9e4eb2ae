import { createHash } from 'node:crypto';
import type { PersistRecord } from '../../storage/persist-record.ts';
import { AddressFault } from '../../xmpp-address/address-fault.ts';
import { type BareJid, type Jid, parseJid } from '../../xmpp-address/jid.ts';
import { type Removal, Removals } from './removals.ts';
import { BLOCKED_ADDRESSES_MAX } from './routing-limits.ts';
import { isTime, jsonOf, jsonRecord, removal, type StoredRecord } from './routing-records.ts';

export const BLOCKED_PREFIX = 'blocked/';

/** An address that the user blocks: of somebody, of a client of somebody, or of a domain. */
export interface BlockedAddress {
  readonly jid: string;
  /** When, at whichever own device. */
  readonly changedUnixMs: number;
}

/** Whom the user blocks (XEP-0191), in memory and as records. */
export class BlockList {
  /** Who was blocked and is no more. */
  readonly removals: Removals;
  private readonly unixMs: () => number;
  private readonly blocked = new Map<string, number>();

  constructor(
    unixMs: () => number,
    restored: {
      readonly blocked: readonly BlockedAddress[];
      readonly removals: readonly Removal[];
    },
  ) {
    this.unixMs = unixMs;
    this.removals = new Removals('blocked', restored.removals);
    for (const { jid, changedUnixMs } of restored.blocked) this.blocked.set(jid, changedUnixMs);
  }

  /** XEP-0191 §3: the address itself, its account, its domain, or a resource of the domain. */
  blocks(jid: Jid): boolean {
    if (this.blocked.size === 0) return false;
    const { bare, domainpart, resourcepart, text } = jid;
    if ([text, bare, domainpart].some((one) => this.blocked.has(one))) return true;
    return resourcepart !== undefined && this.blocked.has(`${domainpart}/${resourcepart}`);
  }

  /** Whether all stanzas of a user are refused. */
  blocksUser(user: BareJid): boolean {
    return this.blocked.has(user) || this.blocked.has(user.slice(user.lastIndexOf('@') + 1));
  }

  all(): BlockedAddress[] {
    return [...this.blocked].map(([jid, changedUnixMs]) => ({ jid, changedUnixMs }));
  }

  has(jid: string): boolean {
    return this.blocked.has(jid);
  }

  hasRoomFor(count: number): boolean {
    return this.blocked.size + count <= BLOCKED_ADDRESSES_MAX;
  }

  /** The time of a change that is made now. */
  nextChange(jid: string): number {
    return Math.max(this.unixMs(), this.changedAt(jid) + 1);
  }

  /** When it was blocked or unblocked last; 0: never. */
  changedAt(jid: string): number {
    return Math.max(this.blocked.get(jid) ?? 0, this.removals.of(jid) ?? 0);
  }

  block({ jid, changedUnixMs }: BlockedAddress): PersistRecord[] {
    this.blocked.set(jid, changedUnixMs);
    return [jsonRecord(keyOf(jid), [jid, changedUnixMs]), ...this.removals.forget(jid)];
  }

  unblock({ jid, changedUnixMs }: BlockedAddress): PersistRecord[] {
    this.blocked.delete(jid);
    return [removal(keyOf(jid)), ...this.removals.add(jid, changedUnixMs, this.unixMs())];
  }
}

/** A blocked address out of its record, or undefined when it is damaged. */
export function readBlockedAddress(stored: StoredRecord): BlockedAddress | undefined {
  const value = jsonOf(stored);
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  const [jid, changedUnixMs] = value as readonly unknown[];
  if (typeof jid !== 'string' || !isTime(changedUnixMs)) return undefined;
  const address = parseJid(jid);
  return address instanceof AddressFault ? undefined : { jid: address.text, changedUnixMs };
}

function keyOf(jid: string): string {
  return BLOCKED_PREFIX + createHash('sha256').update(jid).digest('base64url');
}
