import { AddressFault } from '../../xmpp-address/address-fault.ts';
import { parseJid } from '../../xmpp-address/jid.ts';
import type { RosterItem } from './roster.ts';
import { isTime, jsonOf, type StoredRecord } from './routing-records.ts';
import type { Subscription } from './subscription-state.ts';

/** A contact out of its record, or undefined when it is damaged. */
export function readRosterRecord(stored: StoredRecord): RosterItem | undefined {
  const value = jsonOf(stored);
  if (!isObject(value) || typeof value.jid !== 'string') return undefined;
  const address = parseJid(value.jid);
  if (address instanceof AddressFault) return undefined;
  const { subscription, ask, pendingIn, name, groups, isListed, changedUnixMs } = value;
  const known = SUBSCRIPTIONS.find((one) => one === subscription);
  const hasFlags = isFlag(ask) && isFlag(pendingIn) && isFlag(isListed);
  const hasTexts = (name === null || typeof name === 'string') && isTextList(groups);
  if (known === undefined || !hasFlags || !hasTexts || !isTime(changedUnixMs)) return undefined;
  return {
    jid: address.bare,
    subscription: known,
    ask,
    pendingIn,
    name: name ?? undefined,
    groups,
    isListed,
    changedUnixMs,
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isFlag(value: unknown): value is boolean {
  return typeof value === 'boolean';
}

function isTextList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

const SUBSCRIPTIONS: readonly Subscription[] = ['none', 'to', 'from', 'both'];
