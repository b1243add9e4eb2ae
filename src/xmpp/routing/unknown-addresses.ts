import type { BareJid } from '../../xmpp-address/jid.ts';
import type { Outbox } from './outbox.ts';
import type { RoutingContext } from './routing-context.ts';
import { UNKNOWN_AFTER_MS } from './routing-limits.ts';

/**
 * Addresses that nobody has: no location leads to a device, and there is no certificate under the
 * user name either (RFC 6940 §8). Whoever is only off has left a certificate in the overlay. What
 * waits for nobody is answered as RFC 6121 §8.5.1 says, instead of waiting for days.
 */
export class UnknownAddresses {
  private readonly context: RoutingContext;
  private readonly outbox: Outbox;
  private readonly isKnown: (address: BareJid) => boolean;
  /** Looked for once and again later. Only of whom the outbox waits for, which bounds it. */
  private readonly suspected = new Set<BareJid>();

  /** `isKnown`: somebody has been there, and is waited for even without a certificate. */
  constructor(
    context: RoutingContext,
    outbox: Outbox,
    { isKnown }: { readonly isKnown: (address: BareJid) => boolean },
  ) {
    this.context = context;
    this.outbox = outbox;
    this.isKnown = isKnown;
  }

  /** A round of looking for the devices of an address is over. */
  addressTried(address: BareJid, found: number): void {
    if (found > 0 || !this.mayBeNobody(address)) return this.forget(address);
    if (this.suspected.has(address)) return;
    this.suspected.add(address);
    this.lookUp(address, () => {
      const { environment } = this.context;
      environment.setDeadline(deadlineKey(address), UNKNOWN_AFTER_MS, () => this.decide(address));
    });
  }

  private decide(address: BareJid): void {
    this.lookUp(address, () => {
      this.forget(address);
      if (!this.mayBeNobody(address)) return;
      const reason = `nobody has the address ${address}: the overlay has no certificate of it`;
      this.outbox.giveUp(address, 'service-unavailable', reason);
    });
  }

  /** `notFound` when the overlay says that there is no certificate. */
  private lookUp(address: BareJid, notFound: () => void): void {
    const what = { type: 'lookupByUserName', userName: address } as const;
    this.context.environment.command(what, (outcome) => {
      if (!this.suspected.has(address)) return;
      if (!outcome.ok && outcome.failure.code === 'not-found') notFound();
      else this.forget(address);
    });
  }

  private mayBeNobody(address: BareJid): boolean {
    if (!this.outbox.waitsFor(address) || this.isKnown(address)) return false;
    return this.context.streams.devicesOf(address).length === 0;
  }

  private forget(address: BareJid): void {
    if (!this.suspected.delete(address)) return;
    this.context.environment.cancelDeadline(deadlineKey(address));
  }
}

function deadlineKey(address: BareJid): string {
  return `routing-unknown ${address}`;
}
