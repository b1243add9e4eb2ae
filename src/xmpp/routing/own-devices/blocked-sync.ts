import type { NodeId } from '../../../wire/node-id.ts';
import type { XmppElement } from '../../stanza/xmpp-element.ts';
import type { BlockedAddress, BlockList } from '../block-list.ts';
import type { RoutingContext } from '../routing-context.ts';
import { digestOf } from './device-sync.ts';
import { type SyncEntry, type SynchronizedPart, syncElement, timeOf } from './synchronized-part.ts';

export const BLOCKED_PART = 'blocked';

/** Whoever takes over what another own device changed. */
export interface BlockAdoption {
  adopt(changes: readonly (BlockedAddress & { readonly isBlocked: boolean })[]): void;
}

/** Whom the user blocks, at all own devices: of each address the latest change counts. */
export class BlockedSync implements SynchronizedPart {
  readonly name = BLOCKED_PART;
  private readonly context: RoutingContext;
  private readonly adoption: BlockAdoption;

  constructor(context: RoutingContext, adoption: BlockAdoption) {
    this.context = context;
    this.adoption = adoption;
  }

  digest(): string {
    return digestOf(this);
  }

  positionAt(): undefined {
    return undefined;
  }

  *entries(): Generator<SyncEntry> {
    const { blocked } = this.context;
    const removed = [...blocked.removals.all()].map(([jid]) => jid);
    for (const jid of [...blocked.all().map((one) => one.jid), ...removed].sort()) {
      yield { key: jid, element: () => blockedEntry(blocked, jid) };
    }
  }

  take(_device: NodeId, entries: readonly XmppElement[], _last: string, then: () => void): void {
    const { addresses, own, writes } = this.context;
    const changes = entries.flatMap((entry) => {
      const jid = addresses.parseIfValid(entry.attributes.get('jid'));
      const changedUnixMs = timeOf(entry, 'changed');
      if (jid === undefined || changedUnixMs === undefined || jid.bare === own.bare) return [];
      const isBlocked = entry.attributes.get('removed') !== 'true';
      return [{ jid: jid.text, changedUnixMs, isBlocked }];
    });
    this.adoption.adopt(changes);
    writes.write([], then);
  }
}

/** What other own devices are told of an address; undefined: it was never blocked. */
export function blockedEntry(blocked: BlockList, jid: string): XmppElement | undefined {
  const changed = blocked.changedAt(jid);
  if (changed === 0) return undefined;
  const removed = blocked.has(jid) ? undefined : 'true';
  return syncElement('address', { jid, changed: String(changed), removed });
}
