import type { DirectStreamOptions } from '../../../src/xmpp/direct/direct-stream-manager.ts';
import type { BareJid } from '../../../src/xmpp-address/jid.ts';
import type { VirtualDevice } from '../virtual-device.ts';
import { VirtualXmpp } from '../virtual-xmpp.ts';
import { StreamTester } from './stream-tester.ts';

export const ROMEO = 'romeo@montague.lit' as BareJid;
export const JULIET = 'juliet@capulet.lit' as BareJid;

export interface Tested {
  readonly device: VirtualDevice;
  tester: StreamTester;
  /** Does something with the direct streams of this device. */
  act(what: (streams: StreamTester['streams'], tester: StreamTester) => void): void;
}

/** Devices whose routers are StreamTesters. */
export class DirectWorld extends VirtualXmpp {
  added(name: string, jid: string, options: Partial<DirectStreamOptions> = {}): Tested {
    let made: StreamTester | undefined;
    const device = this.add(name, jid, (identity) => {
      made = new StreamTester(identity, options);
      return made;
    });
    if (made === undefined) throw new Error('no tester');
    const tested: Tested = {
      device,
      tester: made,
      act: (what) =>
        tested.tester.act(this, device, () => what(tested.tester.streams, tested.tester)),
    };
    return tested;
  }

  started(name: string, jid: string, options: Partial<DirectStreamOptions> = {}): Tested {
    const tested = this.added(name, jid, options);
    this.start(tested.device);
    return tested;
  }

  /** Romeo has reached Juliet. */
  pair(romeoName = '2', julietName = '8'): { romeo: Tested; juliet: Tested } {
    const romeo = this.started(romeoName, ROMEO);
    const juliet = this.started(julietName, JULIET);
    this.runFor(1_000);
    romeo.act((streams) => streams.reach(JULIET));
    this.runFor(1_000);
    return { romeo, juliet };
  }
}

/** What was told of the last round for an address that is not the own one. */
export function lastTry({ tester }: Tested): string | undefined {
  return tester.told.filter((line) => /^tried (?!romeo)/.test(line)).at(-1);
}

export function sendMany(from: Tested, to: Tested, first: number, count: number): void {
  from.act((streams, tester) => {
    for (let tag = first; tag < first + count; tag += 1) {
      streams.send(to.device.nodeId, tester.message(String(tag)), tag);
    }
  });
}

export function numbers(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => first + index);
}
