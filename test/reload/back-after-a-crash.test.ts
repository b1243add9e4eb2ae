import { expect, it } from 'vitest';
import { VirtualOverlay } from './virtual-overlay.ts';

/**
 * Found by restarts over TLS: a Store to the process that was killed is transmitted again only
 * after the overlay-reliability-timer, and its node was not admitted before that was answered.
 */
it('who is back after a crash is admitted at once, also while Stores to it were on their way', () => {
  const overlay = new VirtualOverlay();
  const to = overlay.join('8');
  const back = overlay.add('2');
  overlay.start(back);
  overlay.runUntil(() => back.peer.state === 'joined', 60_000);
  back.isSilent = true;
  overlay.runFor(50);
  expect(to.peer.loads().replicationsInFlight).toBeGreaterThan(0);
  overlay.crash(back);
  overlay.runFor(100);
  overlay.restart(back);
  expect(overlay.runUntil(() => back.peer.state === 'joined', 1_000)).toBe(true);
});
