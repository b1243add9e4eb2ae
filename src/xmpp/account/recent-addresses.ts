import type { BareJid } from '../../xmpp-address/jid.ts';
import type { XmppEnvironment } from '../xmpp-environment.ts';

/** Addresses of which something is remembered for a while; the oldest are forgotten first. */
export class RecentAddresses {
  private readonly environment: XmppEnvironment;
  private readonly lastsMs: number;
  private readonly max: number;
  private readonly untilMs = new Map<BareJid, number>();

  constructor(environment: XmppEnvironment, lastsMs: number, max: number) {
    this.environment = environment;
    this.lastsMs = lastsMs;
    this.max = max;
  }

  add(address: BareJid): void {
    this.untilMs.delete(address);
    this.untilMs.set(address, this.environment.now.monotonicMs + this.lastsMs);
    for (const oldest of this.untilMs.keys()) {
      if (this.untilMs.size <= this.max) return;
      this.untilMs.delete(oldest);
    }
  }

  delete(address: BareJid): void {
    this.untilMs.delete(address);
  }

  has(address: BareJid): boolean {
    return (this.untilMs.get(address) ?? 0) > this.environment.now.monotonicMs;
  }
}
