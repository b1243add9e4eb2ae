import { describe, expect, test } from 'vitest';
import { LinkState } from '../../src/reload/link-state.ts';
import { PeerEnvironment } from '../../src/reload/peer-environment.ts';
import { VirtualOverlay } from './virtual-overlay.ts';

function newLink(): LinkState {
  const { options, signer, address } = new VirtualOverlay().add('1a');
  return new LinkState(new PeerEnvironment(options), 1, signer.node, address, undefined);
}

// Found by `xor sim run --scenario revocation --set peers=100 --set hours=0.8 --seed 7`: a link with
// round trips of 3.1 s, over which frames came all the time, was suspect for good.
describe('RFC 6940 §6.6.5: a round trip that takes longer than the first timeout', () => {
  test('is measured although the link was suspect and restored before', () => {
    const link = newLink();
    const sequence = link.noteSent(1000);
    link.noteSent(1500);
    expect(link.acknowledgementDueMs).toBeLessThan(4100);
    link.forgetSent();
    link.noteSent(3600);
    link.handleAcknowledgement(sequence, 4100);
    expect(link.roundTripMs).toBe(3100);
    expect(link.acknowledgementDueMs).toBeGreaterThan(3600 + 3100);
  });

  test('a pause of the other host is no round trip', () => {
    const link = newLink();
    const sequence = link.noteSent(1000);
    link.forgetSent();
    link.handleAcknowledgement(sequence, 61_000);
    expect(link.roundTripMs).toBeUndefined();
  });
});
