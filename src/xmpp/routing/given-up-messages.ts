import { type StanzaErrorCondition, stanzaError } from '../stanza/stanza.ts';
import type { OfflineQueue } from './offline-queue.ts';
import type { RoutingContext } from './routing-context.ts';
import type { OutboxRecord } from './routing-records.ts';

/** Tells the sender of a message that it could not be delivered, now or when it logs in again. */
export function giveUp(
  context: RoutingContext,
  offline: OfflineQueue,
  entry: OutboxRecord,
  condition: StanzaErrorCondition,
  reason: string,
): void {
  context.environment.event({ type: 'messageGivenUp', to: entry.to, reason });
  if (entry.stanza.name !== 'message') return;
  const error = stanzaError(entry.stanza, condition, reason);
  const sender = context.clients.at(entry.stanza.attributes.get('from') ?? '');
  const there = sender === undefined ? context.clients.receiving() : [sender];
  for (const client of there) context.sessions.send(client.session, error);
  if (there.length === 0) offline.keep(error, context.environment.unixMs);
}
