import { describe, expect, test } from 'vitest';
import {
  inboundSubscription,
  outboundSubscription,
  type Subscription,
  type SubscriptionState,
  type SubscriptionType,
} from '../../../src/xmpp/routing/subscription-state.ts';

/** Existing state, whether it goes on, new state (`=` for none), as the tables of the RFC have them. */
type Row = readonly [state: string, goesOn: boolean, next: string];

describe('RFC 6121 Appendix A.2: outbound', () => {
  test.each(
    rows('subscribe', [
      ['None', true, 'None + Pending Out'],
      ['None + Pending Out', true, '='],
      ['None + Pending In', true, 'None + Pending Out+In'],
      ['None + Pending Out+In', true, '='],
      ['To', true, '='],
      ['To + Pending In', true, '='],
      ['From', true, 'From + Pending Out'],
      ['From + Pending Out', true, '='],
      ['Both', true, '='],
    ]),
  )('A.2.1 %s: %s', checkOutbound);

  test.each(
    rows('unsubscribe', [
      ['None', true, '='],
      ['None + Pending Out', true, 'None'],
      ['None + Pending In', true, '='],
      ['None + Pending Out+In', true, 'None + Pending In'],
      ['To', true, 'None'],
      ['To + Pending In', true, 'None + Pending In'],
      ['From', true, '='],
      ['From + Pending Out', true, 'From'],
      ['Both', true, 'From'],
    ]),
  )('A.2.2 %s: %s', checkOutbound);

  test.each(
    rows('subscribed', [
      ['None', false, '='],
      ['None + Pending Out', false, '='],
      ['None + Pending In', true, 'From'],
      ['None + Pending Out+In', true, 'From + Pending Out'],
      ['To', false, '='],
      ['To + Pending In', true, 'Both'],
      ['From', false, '='],
      ['From + Pending Out', false, '='],
      ['Both', false, '='],
    ]),
  )('A.2.3 %s: %s', checkOutbound);

  test.each(
    rows('unsubscribed', [
      ['None', false, '='],
      ['None + Pending Out', false, '='],
      ['None + Pending In', true, 'None'],
      ['None + Pending Out+In', true, 'None + Pending Out'],
      ['To', false, '='],
      ['To + Pending In', true, 'To'],
      ['From', true, 'None'],
      ['From + Pending Out', true, 'None + Pending Out'],
      ['Both', true, 'To'],
    ]),
  )('A.2.4 %s: %s', checkOutbound);
});

describe('RFC 6121 Appendix A.3: inbound', () => {
  test.each(
    rows('subscribe', [
      ['None', true, 'None + Pending In'],
      ['None + Pending Out', true, 'None + Pending Out+In'],
      ['None + Pending In', false, '='],
      ['None + Pending Out+In', false, '='],
      ['To', true, 'To + Pending In'],
      ['To + Pending In', false, '='],
      ['From', false, '='],
      ['From + Pending Out', false, '='],
      ['Both', false, '='],
    ]),
  )('A.3.1 %s: %s', checkInbound);

  test.each(
    rows('unsubscribe', [
      ['None', false, '='],
      ['None + Pending Out', false, '='],
      ['None + Pending In', true, 'None'],
      ['None + Pending Out+In', true, 'None + Pending Out'],
      ['To', false, '='],
      ['To + Pending In', true, 'To'],
      ['From', true, 'None'],
      ['From + Pending Out', true, 'None + Pending Out'],
      ['Both', true, 'To'],
    ]),
  )('A.3.2 %s: %s', checkInbound);

  test.each(
    rows('subscribed', [
      ['None', false, '='],
      ['None + Pending Out', true, 'To'],
      ['None + Pending In', false, '='],
      ['None + Pending Out+In', true, 'To + Pending In'],
      ['To', false, '='],
      ['To + Pending In', false, '='],
      ['From', false, '='],
      ['From + Pending Out', true, 'Both'],
      ['Both', false, '='],
    ]),
  )('A.3.3 %s: %s', checkInbound);

  test.each(
    rows('unsubscribed', [
      ['None', false, '='],
      ['None + Pending Out', true, 'None'],
      ['None + Pending In', false, '='],
      ['None + Pending Out+In', true, 'None + Pending In'],
      ['To', true, 'None'],
      ['To + Pending In', true, 'None + Pending In'],
      ['From', false, '='],
      ['From + Pending Out', true, 'From'],
      ['Both', true, 'From'],
    ]),
  )('A.3.4 %s: %s', checkInbound);

  test.each(['From', 'From + Pending Out', 'Both'])(
    'A.3.1 note 2: who may see the presence already is told so again: %s',
    (state) => {
      expect(inboundSubscription(stateOf(state), 'subscribe').answer).toBe('subscribed');
    },
  );
});

function rows(type: SubscriptionType, table: readonly Row[]) {
  return table.map((row) => [type, row[0], row] as const);
}

function checkOutbound(type: SubscriptionType, _name: string, [state, goesOn, next]: Row): void {
  const outcome = outboundSubscription(stateOf(state), type);
  expect([outcome.isRouted, nameOf(outcome.next)]).toEqual([goesOn, next === '=' ? state : next]);
}

function checkInbound(type: SubscriptionType, _name: string, [state, goesOn, next]: Row): void {
  const outcome = inboundSubscription(stateOf(state), type);
  const named = [outcome.isDelivered, nameOf(outcome.next)];
  expect(named).toEqual([goesOn, next === '=' ? state : next]);
}

function stateOf(name: string): SubscriptionState {
  const subscription = name.split(' ')[0]?.toLowerCase() as Subscription;
  return { subscription, ask: name.includes('Out'), pendingIn: /\bIn\b/.test(name) };
}

function nameOf(state: SubscriptionState): string {
  const name = state.subscription.charAt(0).toUpperCase() + state.subscription.slice(1);
  const pending = [state.ask ? 'Out' : '', state.pendingIn ? 'In' : ''].filter((one) => one !== '');
  return pending.length === 0 ? name : `${name} + Pending ${pending.join('+')}`;
}
