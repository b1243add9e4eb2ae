import type { SignInsFailed } from '../../ca/ledger-event.ts';

/** Counts wrong user names and passwords until the ledger is told of them, all at once. */
export class SignInFailures {
  private count = 0;
  private sinceUnixMs = 0;
  private readonly countByAddress = new Map<string, number>();

  add(address: string, unixMs: number): void {
    if (this.count === 0) this.sinceUnixMs = unixMs;
    this.count++;
    const isKnown = this.countByAddress.has(address);
    if (!isKnown && this.countByAddress.size >= ADDRESSES_MAX) return;
    this.countByAddress.set(address, (this.countByAddress.get(address) ?? 0) + 1);
  }

  /** What to record, and begins anew; undefined: there were none. */
  take(unixMs: number): SignInsFailed | undefined {
    if (this.count === 0) return undefined;
    const { count, sinceUnixMs } = this;
    const addresses = [...this.countByAddress]
      .sort(([, a], [, b]) => b - a)
      .slice(0, ADDRESSES_SHOWN_MAX)
      .map(([address]) => address);
    this.count = 0;
    this.countByAddress.clear();
    return { type: 'signInsFailed', unixMs, sinceUnixMs, count, addresses };
  }
}

const ADDRESSES_MAX = 1_000;
const ADDRESSES_SHOWN_MAX = 10;
