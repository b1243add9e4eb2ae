import type { AuthorityLimits } from './authority-limits.ts';
import { RateLimiter, rateLimitKeyOf } from './rate-limits.ts';

type RequestRates = Pick<
  AuthorityLimits,
  | 'requestsPerAddressRate'
  | 'requestsPerAccountRate'
  | 'requestsPerDomainRate'
  | 'requestsOverXmppRate'
>;

/**
 * How many enrollment requests are looked at: by address before anything is read, by account and
 * by its domain once the sender is known, so that nobody uses up what is another's. Each process
 * counts for itself; how many devices and certificates an account gets is counted in the ledger,
 * for all processes together.
 */
export class RequestLimits {
  private readonly byAddress: RateLimiter;
  private readonly byAccount: RateLimiter;
  private readonly byDomain: RateLimiter;
  private readonly overXmpp: RateLimiter;

  constructor(rates: RequestRates) {
    this.byAddress = new RateLimiter(rates.requestsPerAddressRate);
    this.byAccount = new RateLimiter(rates.requestsPerAccountRate);
    this.byDomain = new RateLimiter(rates.requestsPerDomainRate);
    this.overXmpp = new RateLimiter(rates.requestsOverXmppRate);
  }

  /** Takes a request in. Returns the seconds after which to come back; 0: it is taken. */
  takeFromAddress(address: string | undefined, nowMs: number): number {
    return take([[this.byAddress, rateLimitKeyOf(address)]], nowMs);
  }

  takeFromAccount(userName: string, nowMs: number): number {
    return take(this.ofAccount(userName), nowMs);
  }

  /** The same for a request over XMPP, whose sender a server names; there is one limit for all. */
  takeOverXmpp(userName: string, nowMs: number): number {
    return take([...this.ofAccount(userName), [this.overXmpp, '']], nowMs);
  }

  private ofAccount(userName: string): readonly (readonly [RateLimiter, string])[] {
    const domain = userName.slice(userName.lastIndexOf('@') + 1);
    return [
      [this.byAccount, userName],
      [this.byDomain, domain],
    ];
  }
}

function take(wanted: readonly (readonly [RateLimiter, string])[], nowMs: number): number {
  const waitMs = Math.max(...wanted.map(([limiter, key]) => limiter.waitMs(key, nowMs)));
  if (waitMs > 0) return Math.ceil(waitMs / 1000);
  for (const [limiter, key] of wanted) limiter.take(key, nowMs);
  return 0;
}
