import type { KnownPeer } from '../../src/reload/input.ts';
import type { RandomSource } from '../../src/reload/peer-options.ts';
import { VirtualOverlay, type VirtualPeer } from './virtual-overlay.ts';

/**
 * A VirtualOverlay whose peers keep what they are given to remember, as hosts do: a new process
 * knows that, and the address of the first peer, which the configuration names.
 */
export class LastingOverlay extends VirtualOverlay {
  private readonly remembered = new Map<VirtualPeer, readonly KnownPeer[]>();

  override start(peer: VirtualPeer): void {
    const process = peer.peer;
    const handle = process.handle.bind(process);
    process.handle = (input, now) => {
      const outputs = handle(input, now);
      for (const output of outputs) {
        if (output.type === 'rememberPeers') this.remembered.set(peer, output.peers);
      }
      return outputs;
    };
    const bootstrap = this.peers.slice(0, 1).map(({ address }) => ({ address }));
    const knownPeers = [...(this.remembered.get(peer) ?? []), ...bootstrap];
    this.handle(peer, { type: 'start', knownPeers });
  }

  /** The disk with the remembered peers is lost; certificate and values are not. */
  forget(peer: VirtualPeer): void {
    this.remembered.delete(peer);
  }

  /** The host vanishes; its neighbours see their links close after `detectionMs`, if ever. */
  vanish(peer: VirtualPeer, detectionMs: number | undefined): void {
    peer.isSilent = true;
    peer.isUp = false;
    if (detectionMs === undefined) return;
    const { peer: process } = peer;
    this.later(detectionMs, () => {
      if (peer.peer === process) this.crash(peer);
    });
  }

  /** All these peers, and nobody else, are one ring, and their records are stored. */
  isWhole(peers: readonly VirtualPeer[]): boolean {
    return peers.every((one) => {
      const others = peers.filter((peer) => peer !== one).map(({ nodeId }) => nodeId);
      const next = others.sort().find((nodeId) => nodeId > one.nodeId) ?? others[0];
      const { successors, ownRecordsComplete } = one.peer.status();
      return one.peer.state === 'joined' && successors[0] === next && ownRecordsComplete;
    });
  }
}

/** Numbers in [low, high). */
export function numbersFrom(random: RandomSource): (low: number, high: number) => number {
  return (low, high) => {
    const { buffer } = random.bytes(4);
    return low + (new DataView(buffer).getUint32(0) / 2 ** 32) * (high - low);
  };
}
