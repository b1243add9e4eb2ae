import type { BareJid } from '../../xmpp-address/jid.ts';
import type { XmppEnvironment } from '../xmpp-environment.ts';
import { REACH_PAUSES_MS, REACH_STAGGER_MS } from './routing-limits.ts';
import type { WantedAddresses } from './wanted-addresses.ts';

/** When to look again for somebody who could not be reached: after pauses that grow. */
export class ReachSchedule {
  private readonly environment: XmppEnvironment;
  private readonly wanted: WantedAddresses;
  private readonly attempts = new Map<BareJid, number>();
  private staggered = 0;

  constructor(environment: XmppEnvironment, wanted: WantedAddresses) {
    this.environment = environment;
    this.wanted = wanted;
  }

  /** Now, unless it is tried already. */
  want(address: BareJid): void {
    if (this.attempts.has(address)) return;
    this.attempts.set(address, 0);
    this.wanted.reach(address);
  }

  /** One after another, so that a start is no burst. */
  wantSoon(address: BareJid): void {
    this.staggered += 1;
    this.attempts.set(address, 0);
    this.tryAfter(address, this.staggered * REACH_STAGGER_MS);
  }

  /** An attempt is over without success. */
  wantLater(address: BareJid): void {
    const attempts = this.attempts.get(address) ?? 0;
    this.attempts.set(address, attempts + 1);
    const pause = REACH_PAUSES_MS[Math.min(attempts, REACH_PAUSES_MS.length - 1)] ?? 0;
    this.tryAfter(address, pause);
  }

  /** It is connected, or not wanted any more. */
  reached(address: BareJid): void {
    if (this.attempts.delete(address)) this.environment.cancelDeadline(deadlineKey(address));
  }

  private tryAfter(address: BareJid, pauseMs: number): void {
    this.environment.setDeadline(deadlineKey(address), pauseMs, () => this.wanted.reach(address));
  }
}

function deadlineKey(address: BareJid): string {
  return `routing-reach ${address}`;
}
