import { afterEach, describe, expect, test, vi } from 'vitest';
import { type DrivenCore, PeerDriver } from '../../src/host/peer-driver.ts';
import type { Input } from '../../src/reload/input.ts';
import type { Output } from '../../src/reload/output.ts';

afterEach(() => vi.useRealTimers());

/** A Peer that does what the test says, and notes what it is given. */
class ScriptedPeer implements DrivenCore<Input, Output> {
  readonly inputs: string[] = [];
  deadlineMs: number | undefined;
  script: (input: Input) => Output[] = () => [];

  handle(input: Input): Output[] {
    this.inputs.push(input.type);
    return this.script(input);
  }

  nextDeadline(): number | undefined {
    return this.deadlineMs;
  }
}

function driven(perform: (output: Output) => void = () => undefined) {
  vi.useFakeTimers();
  const peer = new ScriptedPeer();
  const clock = { now: () => ({ monotonicMs: performance.now(), unixMs: Date.now() }) };
  return { peer, driver: new PeerDriver(peer, clock, perform), nowMs: () => performance.now() };
}

describe('PeerDriver', () => {
  test('an input that an effect causes waits until all outputs before it are carried out', () => {
    const done: string[] = [];
    const { peer, driver } = driven((output) => {
      done.push(`output ${output.type}`);
      if (output.type === 'close') driver.deliver({ type: 'trustChanged' });
    });
    peer.script = (input) => {
      done.push(`input ${input.type}`);
      if (input.type !== 'start') return [];
      return [
        { type: 'close', link: 1, reason: '' },
        { type: 'stopped', reason: '' },
      ];
    };
    driver.deliver({ type: 'start', knownPeers: [] });
    expect(done).toEqual(['input start', 'output close', 'output stopped', 'input trustChanged']);
  });

  test('wakes the Peer at its deadline, once', () => {
    const { peer, driver, nowMs } = driven();
    peer.deadlineMs = nowMs() + 100;
    peer.script = (input) => {
      if (input.type === 'tick') peer.deadlineMs = undefined;
      return [];
    };
    driver.deliver({ type: 'start', knownPeers: [] });
    vi.advanceTimersByTime(99);
    expect(peer.inputs).toEqual(['start']);
    vi.advanceTimersByTime(1_000);
    expect(peer.inputs).toEqual(['start', 'tick']);
  });

  test('a deadline that moved back wakes nobody early', () => {
    const { peer, driver, nowMs } = driven();
    peer.deadlineMs = nowMs() + 100;
    driver.deliver({ type: 'start', knownPeers: [] });
    peer.deadlineMs = nowMs() + 500;
    driver.deliver({ type: 'trustChanged' });
    vi.advanceTimersByTime(400);
    expect(peer.inputs).toEqual(['start', 'trustChanged']);
    peer.script = () => {
      peer.deadlineMs = undefined;
      return [];
    };
    vi.advanceTimersByTime(100);
    expect(peer.inputs).toEqual(['start', 'trustChanged', 'tick']);
  });

  test('a deadline that moved forward is kept', () => {
    const { peer, driver, nowMs } = driven();
    peer.deadlineMs = nowMs() + 500;
    driver.deliver({ type: 'start', knownPeers: [] });
    peer.deadlineMs = nowMs() + 50;
    driver.deliver({ type: 'trustChanged' });
    peer.script = () => {
      peer.deadlineMs = undefined;
      return [];
    };
    vi.advanceTimersByTime(50);
    expect(peer.inputs).toEqual(['start', 'trustChanged', 'tick']);
  });

  test('after stop() nothing reaches the Peer', () => {
    const { peer, driver, nowMs } = driven();
    peer.deadlineMs = nowMs() + 10;
    driver.deliver({ type: 'start', knownPeers: [] });
    driver.stop();
    driver.deliver({ type: 'trustChanged' });
    vi.advanceTimersByTime(1_000);
    expect(peer.inputs).toEqual(['start']);
  });
});
