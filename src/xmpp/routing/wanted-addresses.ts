import type { BareJid } from '../../xmpp-address/jid.ts';
import type { DirectStreams } from '../direct/direct-streams.ts';
import type { XmppEnvironment } from '../xmpp-environment.ts';
import { RELEASE_AFTER_MS } from './routing-limits.ts';

/** The addresses for which streams are wanted, until nobody needs them any more. */
export class WantedAddresses {
  private readonly environment: XmppEnvironment;
  private readonly streams: DirectStreams;
  /** When each was last asked for, in monotonic ms. */
  private readonly wantedMs = new Map<BareJid, number>();
  private isNeeded: (address: BareJid) => boolean = () => true;

  constructor(environment: XmppEnvironment, streams: DirectStreams) {
    this.environment = environment;
    this.streams = streams;
  }

  /** What is needed stays wanted; the rest is released after a while. */
  releaseUnless(isNeeded: (address: BareJid) => boolean): void {
    this.isNeeded = isNeeded;
    this.lookLater();
  }

  reach(address: BareJid): void {
    this.wantedMs.set(address, this.environment.now.monotonicMs);
    this.streams.reach(address);
  }

  private lookLater(): void {
    this.environment.setDeadline('routing-release', RELEASE_AFTER_MS / 2, () => this.look());
  }

  private look(): void {
    const limitMs = this.environment.now.monotonicMs - RELEASE_AFTER_MS;
    for (const [address, wantedMs] of [...this.wantedMs]) {
      if (wantedMs > limitMs || this.isNeeded(address)) continue;
      this.wantedMs.delete(address);
      this.streams.release(address);
    }
    this.lookLater();
  }
}
