import { describe, expect, test } from 'vitest';
import type { Link } from '../../src/reload/link-state.ts';
import { PeerEnvironment } from '../../src/reload/peer-environment.ts';
import { UndecidedMessages } from '../../src/reload/undecided-messages.ts';
import { VirtualOverlay, type VirtualPeer } from './virtual-overlay.ts';
import { VirtualRevocation } from './virtual-revocation.ts';

/** A ring of two, of which the second wants lists, and a third peer of another authority. */
function ringAndStranger(seed: number) {
  const source = new VirtualRevocation(seed);
  const { overlay } = source;
  const join = (peer: VirtualPeer) => {
    overlay.start(peer);
    if (!overlay.runUntil(() => isReady(peer), 60_000)) throw new Error('did not join');
    return peer;
  };
  const first = join(source.add({ digits: '10', policy: 'off' }));
  const strict = join(source.add({ digits: '80', policy: 'require' }));
  const stranger = source.add({ digits: '40', policy: 'require', isBelow: true });
  return { source, overlay, first, strict, stranger };
}

function isReady({ peer }: VirtualPeer): boolean {
  return peer.status().ownRecordsComplete;
}

function refused({ peer }: VirtualPeer): number {
  return peer.status().counters.dropped['bad-signature'];
}

describe('A message whose signer no list held here speaks of (RFC 5280 §6.3)', () => {
  test('waits for the list that it makes wanted: nothing has to be sent twice', () => {
    for (let seed = 1; seed <= 5; seed++) {
      const { overlay, strict, stranger } = ringAndStranger(seed);
      overlay.start(stranger);
      const { overlayReliabilityTimerMs } = overlay.configuration;
      expect(overlay.runUntil(() => isReady(stranger), overlayReliabilityTimerMs)).toBe(true);
      expect(overlay.isConnected(strict, stranger)).toBe(true);
      expect(refused(strict)).toBe(0);
    }
  });

  test('is refused when no list comes, and is not kept', () => {
    const { source, overlay, strict, stranger } = ringAndStranger(1);
    source.fetchMsMax = 3_600_000;
    overlay.start(stranger);
    expect(overlay.runUntil(() => strict.peer.loads().undecidedMessages > 0, 5_000)).toBe(true);
    expect(refused(strict)).toBe(0);
    expect(overlay.runUntil(() => refused(strict) > 0, 10_000)).toBe(true);
    overlay.crash(stranger);
    expect(overlay.runUntil(() => strict.peer.loads().undecidedMessages === 0, 30_000)).toBe(true);
  });
});

describe('UndecidedMessages', () => {
  const bytes = Uint8Array.of(1, 2, 3);

  function newTable(ofLinkMax: number, max: number) {
    const limits = { undecidedMessagesOfLinkMax: ofLinkMax, undecidedMessagesMax: max };
    const { options } = new VirtualOverlay().add('1a');
    const env = new PeerEnvironment({ ...options, limits });
    const table = new UndecidedMessages(env);
    const hold = (from: Link | undefined, transactionId: bigint) =>
      table.hold({ bytes, from, transactionId, sinceMs: env.now.monotonicMs });
    const kept = () => table.takeAll().map(({ transactionId }) => transactionId);
    return { env, table, hold, kept };
  }

  function newLink(closed = false): Link {
    return { closed } as Link;
  }

  test('one link cannot displace what came over others', () => {
    const { hold, kept, env } = newTable(2, 4);
    const [quiet, loud] = [newLink(), newLink()];
    hold(quiet, 1n);
    for (const transaction of [2n, 3n, 4n, 5n]) hold(loud, transaction);
    expect(kept()).toEqual([1n, 4n, 5n]);
    expect(env.dropped.get('overload')).toBe(2);
  });

  test('of all together the oldest goes', () => {
    const { hold, kept } = newTable(2, 3);
    for (const transaction of [1n, 2n, 3n, 4n]) hold(newLink(), transaction);
    expect(kept()).toEqual([2n, 3n, 4n]);
  });

  test('a transmission takes the place of the one before', () => {
    const { hold, kept } = newTable(4, 8);
    const link = newLink();
    for (const transaction of [1n, 2n, 1n]) hold(link, transaction);
    expect(kept()).toEqual([2n, 1n]);
  });

  test('what came over a link that is closed is forgotten', () => {
    const { hold, kept } = newTable(4, 8);
    hold(newLink(true), 1n);
    hold(newLink(false), 2n);
    hold(undefined, 3n);
    expect(kept()).toEqual([2n, 3n]);
  });

  test('the bytes are a copy: the buffer of a link may be used again', () => {
    const { table, env } = newTable(4, 8);
    const shared = Uint8Array.of(7);
    const { monotonicMs } = env.now;
    table.hold({ bytes: shared, from: undefined, transactionId: 1n, sinceMs: monotonicMs });
    shared[0] = 9;
    expect(table.takeAll()[0]?.bytes).toEqual(Uint8Array.of(7));
  });
});
