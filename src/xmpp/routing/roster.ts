import { createHash } from 'node:crypto';
import type { PersistRecord } from '../../storage/persist-record.ts';
import type { BareJid } from '../../xmpp-address/jid.ts';
import { type Removal, Removals } from './removals.ts';
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
  /**
   * When it changed last, at whichever own device: of two that differ the later one counts. Always
   * later than the change before it, whatever clocks say.
   */
  readonly changedUnixMs: number;
}

/** An item before it is known when it changed. */
export type RosterChange = Omit<RosterItem, 'changedUnixMs'>;

export const ROSTER_PREFIX = 'roster/';

/** The contacts of the user, in memory and as records. */
export class Roster {
  /** Contacts that were removed. */
  readonly removals: Removals;
  private readonly unixMs: () => number;
  private readonly items = new Map<BareJid, RosterItem>();
  private currentVersion: string | undefined;

  constructor(
    unixMs: () => number,
    restored: { readonly roster: readonly RosterItem[]; readonly removals: readonly Removal[] },
  ) {
    this.unixMs = unixMs;
    this.removals = new Removals('roster', restored.removals);
    for (const item of restored.roster) this.items.set(item.jid, item);
  }

  /**
   * RFC 6121 §2.6: changes whenever a client would see a change, and is the same at all own devices
   * that have the same.
   */
  get version(): string {
    this.currentVersion ??= versionOf(this.listed());
    return this.currentVersion;
  }

  get(jid: BareJid): RosterItem | undefined {
    return this.items.get(jid);
  }

  /** As `get`; somebody unknown has no subscription and is not listed. */
  stateOf(jid: BareJid): RosterItem {
    const nothing = { name: undefined, groups: [], isListed: false, changedUnixMs: 0 };
    return this.items.get(jid) ?? { ...NO_SUBSCRIPTION, jid, ...nothing };
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

  /** Those who only ask to become contacts leave half of the room to those who are. */
  hasRoomForRequestOf(jid: BareJid): boolean {
    if (this.items.has(jid)) return true;
    const asking = this.items.size - this.listed().length;
    return this.hasRoomFor(jid) && asking < ROSTER_ITEMS_MAX / 2;
  }

  /** Changes a contact; the records are what has to be written. */
  set(item: RosterChange): PersistRecord[] {
    return this.adopt({ ...item, changedUnixMs: this.nextChange(item.jid) });
  }

  remove(jid: BareJid): PersistRecord[] {
    return this.adoptRemoval(jid, this.nextChange(jid));
  }

  /** As `set`, with the time at which another own device changed it. */
  adopt(item: RosterItem): PersistRecord[] {
    const { jid, name = null } = item;
    this.items.set(jid, item);
    this.currentVersion = undefined;
    return [jsonRecord(keyOf(jid), { ...item, name }), ...this.removals.forget(jid)];
  }

  adoptRemoval(jid: BareJid, changedUnixMs: number): PersistRecord[] {
    this.items.delete(jid);
    this.currentVersion = undefined;
    return [removal(keyOf(jid)), ...this.removals.add(jid, changedUnixMs, this.unixMs())];
  }

  /** When it was changed or removed last; 0: never. */
  changedAt(jid: BareJid): number {
    return Math.max(this.items.get(jid)?.changedUnixMs ?? 0, this.removals.of(jid) ?? 0);
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

  private nextChange(jid: BareJid): number {
    return Math.max(this.unixMs(), this.changedAt(jid) + 1);
  }
}

function versionOf(listed: readonly RosterItem[]): string {
  const sorted = [...listed].sort((a, b) => (a.jid < b.jid ? -1 : 1));
  const seen = sorted.map(({ jid, name = null, groups, subscription, ask }) => [
    ...[jid, name, subscription, ask],
    groups,
  ]);
  return createHash('sha256').update(JSON.stringify(seen)).digest('base64url');
}

/** An address may be longer than a key of the store. */
function keyOf(jid: BareJid): string {
  return ROSTER_PREFIX + createHash('sha256').update(jid).digest('base64url');
}
