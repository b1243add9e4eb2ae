import { describe, expect, it } from 'vitest';
import { VirtualOverlay } from './virtual-overlay.ts';

describe('peers on virtual time', () => {
  it('a first peer is the whole overlay and stores its own certificate', () => {
    const overlay = new VirtualOverlay();
    const romeo = overlay.join('1');
    expect(romeo.peer.status()).toMatchObject({ state: 'joined', ownRecordsComplete: true });
    const command = { type: 'lookupByNodeId', nodeId: romeo.nodeId } as const;
    const { nodes } = overlay.result(romeo, command, 'certificates');
    expect(nodes.map(({ nodeId }) => nodeId)).toEqual([romeo.nodeId]);
  });

  for (const count of [2, 3, 5, 9]) {
    it(`a ring of ${count}: everybody finds the certificate of everybody`, () => {
      const overlay = new VirtualOverlay();
      const digits = '8c3f5a1e9b7d2460';
      const peers = [...digits].slice(0, count).map((digit) => overlay.join(digit));
      overlay.runFor(5_000);
      for (const from of peers) {
        for (const to of peers) {
          const command = { type: 'lookupByNodeId', nodeId: to.nodeId } as const;
          const { nodes } = overlay.result(from, command, 'certificates');
          expect(nodes.map(({ nodeId }) => nodeId)).toEqual([to.nodeId]);
        }
      }
      const sorted = [...peers].sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1));
      for (const [index, peer] of sorted.entries()) {
        const status = peer.peer.status();
        expect(status.successors[0]).toBe(sorted[(index + 1) % count]?.nodeId);
        expect(status.predecessors[0]).toBe(sorted[(index - 1 + count) % count]?.nodeId);
      }
    });
  }
});
