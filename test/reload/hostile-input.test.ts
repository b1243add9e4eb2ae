import { describe, expect, it } from 'vitest';
import { encode } from '../../src/wire/codec.ts';
import { FramedMessage } from '../../src/wire/framed-message.ts';
import { seededRandom } from './seeded-random.ts';
import { VirtualOverlay } from './virtual-overlay.ts';

/** A pair whose traffic is mutated; random numbers that repeat. */
function attackedPair(seed: number) {
  const overlay = new VirtualOverlay({ seed });
  const romeo = overlay.join('3');
  const juliet = overlay.join('a');
  const random = seededRandom(seed);
  const number = (below: number) => {
    const [a = 0, b = 0, c = 0] = random.bytes(3);
    return (a * 65536 + b * 256 + c) % below;
  };
  return { overlay, romeo, juliet, number };
}

describe('whatever comes over a link', () => {
  it('mutated messages never stop a peer, and it serves others afterwards', () => {
    const { overlay, romeo, juliet, number } = attackedPair(7);
    let mutated = 0;
    romeo.intercept = (bytes) => {
      if (number(3) === 0) return bytes;
      const copy = bytes.slice();
      for (let i = 0; i <= number(4); i++) copy[number(copy.length)] = number(256);
      mutated++;
      return number(10) === 0 ? copy.subarray(0, number(copy.length)) : copy;
    };
    for (let round = 0; round < 120; round++) {
      const command = { type: 'lookupByNodeId', nodeId: juliet.nodeId } as const;
      overlay.command(romeo, command);
      overlay.command(juliet, command);
      overlay.runFor(400);
    }
    expect(mutated).toBeGreaterThan(50);
    romeo.intercept = undefined;
    overlay.crash(romeo);
    const tybalt = overlay.join('7');
    const command = { type: 'lookupByNodeId', nodeId: juliet.nodeId } as const;
    expect(overlay.result(tybalt, command, 'certificates').nodes).toHaveLength(1);
  });

  it('random frames close the link with one event that names struct, field and offset', () => {
    const { overlay, romeo, juliet } = attackedPair(1);
    overlay.inject(juliet, romeo, Uint8Array.from([0x42, 1, 2, 3]));
    const closed = juliet.events.find((event) => event.type === 'linkClosed');
    expect(closed).toMatchObject({ nodeId: romeo.nodeId });
    const dropped = juliet.events.findLast((event) => event.type === 'messageDropped');
    expect(dropped).toMatchObject({
      cause: 'malformed',
      detail: expect.stringContaining('FramedMessage.type at byte 0'),
    });
    overlay.runFor(1_000);
    expect(juliet.peer.status().state).toBe('joined');
  });

  it('300 random messages in valid frames change nothing and stay bounded', () => {
    const { overlay, romeo, juliet, number } = attackedPair(3);
    const before = juliet.peer.status();
    const random = seededRandom(11);
    for (let i = 0; i < 300; i++) {
      const message = random.bytes(number(300));
      if (message.length > 38 && number(2) === 0) {
        message.set([0xd2, 0x45, 0x4c, 0x4f]);
        new DataView(message.buffer).setUint32(16, message.length);
      }
      const frame = encode(FramedMessage, { type: 'data', sequence: i, message });
      if (!overlay.isConnected(juliet, romeo)) overlay.runFor(2_000);
      overlay.inject(juliet, romeo, frame);
    }
    overlay.runFor(30_000);
    expect(juliet.peer.status()).toMatchObject({ state: 'joined', resources: before.resources });
  });
});
