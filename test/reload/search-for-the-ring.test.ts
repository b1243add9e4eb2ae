import { describe, expect, it } from 'vitest';
import type { Input } from '../../src/reload/input.ts';
import type { IpAddressPort } from '../../src/wire/ip-address-port.ts';
import { VirtualOverlay, type VirtualPeer } from './virtual-overlay.ts';

/** A Peer whose world is the test: what it connects to, and links that others make to it. */
class LonePeer {
  readonly overlay = new VirtualOverlay();
  readonly self: VirtualPeer;
  readonly connects: IpAddressPort[] = [];
  refusesConnects = true;
  private readonly stranger: VirtualPeer;
  private nextLink = 1;

  constructor(first: boolean) {
    this.self = this.overlay.add('5', { first });
    this.stranger = this.overlay.add('9');
  }

  handle(input: Input): void {
    for (const output of this.self.peer.handle(input, this.overlay.now)) {
      if (output.type !== 'connect') continue;
      this.connects.push(output.address);
      const { connect } = output;
      if (this.refusesConnects) this.handle({ type: 'connectFailed', connect, reason: 'refused' });
    }
  }

  start(knownPeers: number): void {
    const known = Array.from({ length: knownPeers }, (_, at) => ({ address: hostNumber(at) }));
    this.handle({ type: 'start', knownPeers: known });
  }

  /** Somebody connects and never says a word. */
  connectSilently(): void {
    const { node } = this.stranger.signer;
    const remoteAddress = hostNumber(200);
    this.handle({ type: 'linkUp', link: this.nextLink++, node, remoteAddress });
  }

  /** Lets time pass, with something that happens every `everyMs`. */
  pass(ms: number, everyMs = ms, happens?: () => void): void {
    for (let passedMs = 0; passedMs < ms; passedMs += TICK_MS) {
      this.overlay.nowMs += TICK_MS;
      if (passedMs % everyMs === 0) happens?.();
      this.handle({ type: 'tick' });
    }
  }
}

describe('RFC 6940 §11.4: looking for a node of the overlay', () => {
  it('a known peer whose host is off does not hold up the next ones', () => {
    const lone = new LonePeer(false);
    lone.refusesConnects = false;
    lone.start(6);
    expect(lone.connects).toEqual([hostNumber(0)]);
    lone.pass(3_000);
    expect(lone.connects).toEqual([0, 1, 2].map(hostNumber));
    lone.pass(5_000);
    expect(lone.connects).toHaveLength(3);
    lone.handle({ type: 'connectFailed', connect: 1, reason: 'no answer' });
    expect(lone.connects).toHaveLength(4);
  });

  it('whoever connects again and again and is silent does not keep it from its known peers', () => {
    const lone = new LonePeer(false);
    lone.start(1);
    const before = lone.connects.length;
    lone.pass(300_000, 200, () => lone.connectSilently());
    expect(lone.connects.length - before).toBeGreaterThan(5);
  });
});

describe('RFC 6940 §10.5: who begins a ring', () => {
  it('the first peer does, when none of its known peers can be reached', () => {
    const lone = new LonePeer(true);
    lone.start(3);
    lone.pass(5_000);
    expect(lone.self.peer.state).toBe('joined');
  });

  it('the first peer waits for a connected node that says nothing, but not for ever', () => {
    const lone = new LonePeer(true);
    lone.start(3);
    lone.pass(20_000, 2_000, () => lone.connectSilently());
    expect(lone.self.peer.state).toBe('joining');
    lone.pass(60_000, 2_000, () => lone.connectSilently());
    expect(lone.self.peer.state).toBe('joined');
  });

  it('nobody else does: two that wait for the overlay tell each other so, and go on waiting', () => {
    const overlay = new VirtualOverlay();
    const waiting = ['2', '8'].map((id) => overlay.add(id, { first: false }));
    for (const peer of waiting) overlay.start(peer);
    overlay.runFor(600_000);
    for (const { peer, events } of waiting) {
      expect(peer.state).toBe('joining');
      const reasons = events.map((event) => (event.type === 'joinFailed' ? event.reason : ''));
      expect(reasons.join()).toMatch(/Error_Not_Found: this node is not in the ring itself/);
    }
  });

  it('who waits is in the ring at once when the first peer comes', () => {
    const overlay = new VirtualOverlay();
    const waiting = ['2', '8', 'c'].map((id) => overlay.add(id, { first: false }));
    for (const peer of waiting) overlay.start(peer);
    overlay.runFor(600_000);
    const first = overlay.add('5', { first: true });
    overlay.start(first);
    const areJoined = () => overlay.peers.every(({ peer }) => peer.state === 'joined');
    expect(overlay.runUntil(areJoined, 5_000)).toBe(true);
  });
});

function hostNumber(last: number): IpAddressPort {
  return { type: 'ipv4', address: Uint8Array.of(10, 9, 0, last), port: 6084 };
}

const TICK_MS = 100;
