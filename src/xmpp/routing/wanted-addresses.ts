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
    this.wantedMs.delete(address);
    this.wantedMs.set(address, this.environment.now.monotonicMs);
    this.makeRoom();
    this.streams.reach(address);
  }

  /** What was not asked for the longest time goes first, unless it is needed. */
  private makeRoom(): void {
    if (this.wantedMs.size <= WANTED_MAX) return;
    for (const address of this.wantedMs.keys()) {
      if (!this.isNeeded(address)) return this.release(address);
    }
  }

  private release(address: BareJid): void {
    this.wantedMs.delete(address);
    this.streams.release(address);
  }

  private lookLater(): void {
    this.environment.setDeadline('routing-release', RELEASE_AFTER_MS / 2, () => this.look());
  }

  private look(): void {
    const limitMs = this.environment.now.monotonicMs - RELEASE_AFTER_MS;
    for (const [address, wantedMs] of [...this.wantedMs]) {
      if (wantedMs > limitMs || this.isNeeded(address)) continue;
      this.release(address);
    }
    this.lookLater();
  }
}

/** More than roster and outbox need, and less than streams are kept for. */
const WANTED_MAX = 4_000;
