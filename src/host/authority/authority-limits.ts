import type { ChallengeLimits } from '../../ca/challenge-table.ts';
import type { RateLimit } from './rate-limits.ts';
import type { LockoutLimit } from './sign-in-lockout.ts';

/** What an authority spends on strangers, so that nobody can use it up. */
export interface AuthorityLimits extends ChallengeLimits {
  readonly connectionsMax: number;
  readonly connectionsPerAddressMax: number;
  /** New connections of one address: each costs a TLS handshake. */
  readonly connectionRate: RateLimit;
  readonly handshakeMsMax: number;
  readonly headerBytesMax: number;
  /** From the first byte of a request to its last header. */
  readonly headerMsMax: number;
  /** From the first byte of a request to the last of its body. */
  readonly requestMsMax: number;
  readonly keepAliveMsMax: number;
  readonly requestsPerConnectionMax: number;
  readonly bodyBytesMax: number;
  /** Passwords that were wrong, by the address they came from. */
  readonly failuresPerAddress: LockoutLimit;
  /** Passwords that were wrong, by the account they were for. */
  readonly failuresPerAccount: LockoutLimit;
  /** Enrollment requests, whatever becomes of them. */
  readonly requestsPerAddressRate: RateLimit;
  /** Of senders who proved who they are. */
  readonly requestsPerAccountRate: RateLimit;
  /** Of all accounts of one XMPP domain. */
  readonly requestsPerDomainRate: RateLimit;
  /** Requests over XMPP (XEP-0417), of all senders together. */
  readonly requestsOverXmppRate: RateLimit;
  /** Of libuv's four threads; the others are for files. */
  readonly passwordChecksRunningMax: number;
  readonly passwordChecksWaitingMax: number;
  /** Requests that wait for the one that is being certified. */
  readonly waitingRequestsMax: number;
  readonly accountsMax: number;
  /** Of all time: the ledger is kept in memory. */
  readonly certificatesMax: number;
}

export const defaultAuthorityLimits: AuthorityLimits = {
  connectionsMax: 1_024,
  connectionsPerAddressMax: 256,
  connectionRate: { burst: 500, refillMs: 20 },
  handshakeMsMax: 10_000,
  headerBytesMax: 8_192,
  headerMsMax: 10_000,
  requestMsMax: 20_000,
  keepAliveMsMax: 5_000,
  requestsPerConnectionMax: 100,
  bodyBytesMax: 32_768,
  failuresPerAddress: { free: 30, firstMs: 1_000, maxMs: 15 * 60_000, forgetMs: 60 * 60_000 },
  failuresPerAccount: { free: 10, firstMs: 1_000, maxMs: 15 * 60_000, forgetMs: 60 * 60_000 },
  requestsPerAddressRate: { burst: 300, refillMs: 200 },
  requestsPerAccountRate: { burst: 64, refillMs: 10_000 },
  requestsPerDomainRate: { burst: 1_000, refillMs: 50 },
  requestsOverXmppRate: { burst: 1_000, refillMs: 4 },
  challengesMax: 1_000,
  challengesPerDomainMax: 500,
  challengesPerAccountMax: 4,
  challengeMsMax: 10 * 60_000,
  challengeAnswersMax: 5,
  passwordChecksRunningMax: 2,
  passwordChecksWaitingMax: 64,
  waitingRequestsMax: 256,
  accountsMax: 100_000,
  certificatesMax: 1_000_000,
};

/**
 * Reads `limits.json`: an object with any of the fields of AuthorityLimits. Returns what is wrong
 * with it as a sentence.
 */
export function parseLimits(text: string): AuthorityLimits | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'it is not JSON';
  }
  if (typeof value !== 'object' || value === null) return 'it is not a JSON object';
  for (const [name, given] of Object.entries(value)) {
    const held: unknown = Object.entries(defaultAuthorityLimits).find(([key]) => key === name)?.[1];
    if (held === undefined) return `there is no limit "${name}"`;
    if (!isShapedLike(given, held)) {
      return `"${name}" must look like ${JSON.stringify(held)}, in whole numbers from 1 on`;
    }
  }
  return { ...defaultAuthorityLimits, ...(value as Partial<AuthorityLimits>) };
}

function isShapedLike(given: unknown, held: unknown): boolean {
  if (typeof held === 'number') return Number.isSafeInteger(given) && Number(given) >= 1;
  if (typeof given !== 'object' || given === null || typeof held !== 'object') return false;
  const fields = new Map(Object.entries(given));
  const wanted = Object.entries(held ?? {});
  return (
    fields.size === wanted.length &&
    wanted.every(([name, value]) => isShapedLike(fields.get(name), value))
  );
}
