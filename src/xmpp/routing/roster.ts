import { createHash } from 'node:crypto';
import type { PersistRecord } from '../../storage/persist-record.ts';
import type { BareJid } from '../../xmpp-address/jid.ts';
import { ROSTER_ITEMS_MAX } from './routing-limits.ts';
import { jsonRecord, removal } from './routing-records.ts';
import { hasFrom, hasTo, NO_SUBSCRIPTION, type SubscriptionState } from './subscription-state.ts';

/** One contact (RFC 6121 §2.1.2). */
export interface RosterItem extends SubscriptionState {
  readonly jid: BareJid;
  readonly name: string | undefined;
  readonly groups: readonly string[];
  /** Clients see it; a contact that only asked for a subscription is not in the roster yet. */
  readonly isListed: boolean;
}

export const ROSTER_PREFIX = 'roster/';
export const ROSTER_VERSION_KEY = 'roster-version';

export interface RestoredRoster {
  readonly items: readonly RosterItem[];
  readonly version: number;
}

/** The contacts of the user, in memory and as records. */
export class Roster {
  private readonly items = new Map<BareJid, RosterItem>();
  private currentVersion: number;

  constructor(restored: RestoredRoster) {
    for (const item of restored.items) this.items.set(item.jid, item);
    this.currentVersion = restored.version;
  }

  /** RFC 6121 §2.6: changes whenever a client would see a change. */
  get version(): string {
    return String(this.currentVersion);
  }

  get(jid: BareJid): RosterItem | undefined {
    return this.items.get(jid);
  }

  /** As `get`; somebody unknown has no subscription and is not listed. */
  stateOf(jid: BareJid): RosterItem {
    const unknown = { ...NO_SUBSCRIPTION, jid, name: undefined, groups: [], isListed: false };
    return this.items.get(jid) ?? unknown;
  }

  listed(): RosterItem[] {
    return [...this.items.values()].filter(({ isListed }) => isListed);
  }

  all(): IterableIterator<RosterItem> {
    return this.items.values();
  }

  hasRoomFor(jid: BareJid): boolean {
    return this.items.has(jid) || this.items.size < ROSTER_ITEMS_MAX;
  }

  /** Changes a contact; the records are what has to be written. */
  set(item: RosterItem): PersistRecord[] {
    const { jid, subscription, ask, pendingIn, name = null, groups, isListed } = item;
    this.items.set(jid, item);
    const value = { jid, subscription, ask, pendingIn, name, groups, isListed };
    return [jsonRecord(keyOf(jid), value), this.nextVersion()];
  }

  remove(jid: BareJid): PersistRecord[] {
    this.items.delete(jid);
    return [removal(keyOf(jid)), this.nextVersion()];
  }

  /** The contact may see the user's presence. */
  hasSubscriber(jid: BareJid): boolean {
    const item = this.items.get(jid);
    return item !== undefined && hasFrom(item.subscription);
  }

  /** The user sees the contact's presence. */
  isSubscribedTo(jid: BareJid): boolean {
    const item = this.items.get(jid);
    return item !== undefined && hasTo(item.subscription);
  }

  /** One of both sees the other's presence. */
  isContact(jid: BareJid): boolean {
    return (this.items.get(jid)?.subscription ?? 'none') !== 'none';
  }

  private nextVersion(): PersistRecord {
    this.currentVersion += 1;
    return jsonRecord(ROSTER_VERSION_KEY, this.currentVersion);
  }
}

/** An address may be longer than a key of the store. */
function keyOf(jid: BareJid): string {
  return ROSTER_PREFIX + createHash('sha256').update(jid).digest('base64url');
}
