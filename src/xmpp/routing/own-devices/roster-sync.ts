import type { NodeId } from '../../../wire/node-id.ts';
import type { BareJid } from '../../../xmpp-address/jid.ts';
import type { XmppElement } from '../../stanza/xmpp-element.ts';
import { childElements, textOf } from '../../stanza/xmpp-element.ts';
import type { Roster, RosterItem } from '../roster.ts';
import { contactTextFault } from '../roster-text.ts';
import type { RoutingContext } from '../routing-context.ts';
import { isSubscription } from '../subscription-state.ts';
import { digestOf } from './device-sync.ts';
import { type SyncEntry, type SynchronizedPart, syncElement, timeOf } from './synchronized-part.ts';

export const ROSTER_PART = 'roster';

/** Whoever changes contacts, and tells those here whom it concerns. */
export interface ContactAdoption {
  adopt(item: RosterItem): void;
  adoptRemoval(jid: BareJid, changedUnixMs: number): void;
}

/**
 * The roster at all own devices: of each contact the latest change counts, and a removal is one. So
 * a device that was off brings nobody back.
 */
export class RosterSync implements SynchronizedPart {
  readonly name = ROSTER_PART;
  private readonly context: RoutingContext;
  private readonly roster: Roster;
  private readonly adoption: ContactAdoption;

  constructor(context: RoutingContext, roster: Roster, adoption: ContactAdoption) {
    this.context = context;
    this.roster = roster;
    this.adoption = adoption;
  }

  digest(): string {
    return digestOf(this);
  }

  positionAt(): undefined {
    return undefined;
  }

  *entries(): Generator<SyncEntry> {
    const removed = [...this.roster.removals.all()].map(([jid]) => jid);
    const all = [...[...this.roster.all()].map(({ jid }) => jid), ...removed];
    for (const jid of all.sort()) {
      yield { key: jid, element: () => contactEntry(this.roster, jid) };
    }
  }

  take(_device: NodeId, entries: readonly XmppElement[], _last: string, then: () => void): void {
    const { writes } = this.context;
    for (const entry of entries) this.takeOne(entry);
    writes.write([], then);
  }

  private takeOne(entry: XmppElement): void {
    const jid = this.context.addresses.parseIfValid(entry.attributes.get('jid'));
    const changedUnixMs = timeOf(entry, 'changed');
    if (jid === undefined || jid.resourcepart !== undefined || changedUnixMs === undefined) return;
    if (changedUnixMs <= this.roster.changedAt(jid.bare)) return;
    if (entry.attributes.get('removed') === 'true') {
      return this.adoption.adoptRemoval(jid.bare, changedUnixMs);
    }
    const item = itemOf(jid.bare, entry, changedUnixMs);
    if (item === undefined || !this.roster.hasRoomFor(jid.bare)) return;
    this.adoption.adopt(item);
  }
}

/** What other own devices are told of a contact; undefined: nothing is known of it. */
export function contactEntry(roster: Roster, address: string): XmppElement | undefined {
  const item = roster.get(address as BareJid);
  if (item === undefined) {
    const removed = roster.removals.of(address);
    if (removed === undefined) return undefined;
    return syncElement('contact', { jid: address, changed: String(removed), removed: 'true' });
  }
  const { jid, name, subscription, groups, changedUnixMs } = item;
  const attributes = {
    ...{ jid, name, subscription, changed: String(changedUnixMs) },
    ask: item.ask ? 'true' : undefined,
    pending: item.pendingIn ? 'true' : undefined,
    listed: item.isListed ? 'true' : undefined,
  };
  const shown = groups.map((group) => ({ ...syncElement('group', {}), children: [group] }));
  return syncElement('contact', attributes, shown);
}

function itemOf(jid: BareJid, entry: XmppElement, changedUnixMs: number): RosterItem | undefined {
  const { attributes } = entry;
  const subscription = attributes.get('subscription');
  const name = attributes.get('name');
  const groups = [...new Set(childElements(entry).map(textOf))];
  if (!isSubscription(subscription) || contactTextFault(name, groups) !== undefined) {
    return undefined;
  }
  return {
    ...{ jid, name, groups, subscription, changedUnixMs },
    ask: attributes.get('ask') === 'true',
    pendingIn: attributes.get('pending') === 'true',
    isListed: attributes.get('listed') === 'true',
  };
}
