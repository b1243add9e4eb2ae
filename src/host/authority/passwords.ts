import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';
import type { AuthorityLimits } from './authority-limits.ts';

type PasswordLimits = Pick<
  AuthorityLimits,
  'passwordChecksRunningMax' | 'passwordChecksWaitingMax'
>;

/** More password checks wait than the authority is willing to do; the client may come back. */
export class PasswordChecksExhausted extends Error {
  constructor(waitingMax: number) {
    super(`more than ${waitingMax} password checks are waiting`);
    this.name = 'PasswordChecksExhausted';
  }
}

/**
 * Hashes and checks passwords with scrypt (RFC 7914). One check takes 32 MiB and a tenth of a
 * second on purpose, so few run at once and few may wait: many requests slow each other down but
 * take neither the memory nor all the threads that file access needs too.
 */
export class PasswordHasher {
  private readonly limits: PasswordLimits;
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(limits: PasswordLimits) {
    this.limits = limits;
  }

  /** `scrypt$N$r$p$salt$hash`, numbers decimal and bytes base64. */
  async hash(password: Uint8Array): Promise<string> {
    const salt = randomBytes(SALT_BYTES);
    const derived = await this.derive(password, salt, COST);
    const { N, r, p } = COST;
    return ['scrypt', N, r, p, salt.toString('base64'), derived.toString('base64')].join('$');
  }

  /**
   * Whether `password` is the one that was hashed, compared as bytes (RFC 6940 §11.3). With no hash
   * the answer is no after just as long: how fast it comes tells nobody which accounts exist.
   */
  async verify(password: Uint8Array, hash: string | undefined): Promise<boolean> {
    const stored = readHash(hash ?? NOBODYS_HASH);
    const derived = await this.derive(password, stored.salt, stored.cost);
    return timingSafeEqual(derived, stored.derived) && hash !== undefined;
  }

  private async derive(password: Uint8Array, salt: Uint8Array, cost: Cost): Promise<Buffer> {
    await this.acquire();
    try {
      return await scryptAsync(password, salt, { ...cost, maxmem: MEMORY_BYTES_MAX });
    } finally {
      this.release();
    }
  }

  private async acquire(): Promise<void> {
    const { passwordChecksRunningMax, passwordChecksWaitingMax } = this.limits;
    if (this.running < passwordChecksRunningMax) {
      this.running++;
      return;
    }
    if (this.waiting.length >= passwordChecksWaitingMax) {
      throw new PasswordChecksExhausted(passwordChecksWaitingMax);
    }
    // The one that ends hands its place over, so `running` stays as it is.
    await new Promise<void>((resolve) => {
      this.waiting.push(resolve);
    });
  }

  private release(): void {
    const next = this.waiting.shift();
    if (next === undefined) this.running--;
    else next();
  }
}

interface Cost {
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

interface StoredHash {
  readonly cost: Cost;
  readonly salt: Buffer;
  readonly derived: Buffer;
}

/** Throws RangeError for what `hash` did not write: the ledger is damaged. */
function readHash(hash: string): StoredHash {
  const [scheme, N, r, p, salt = '', derived = ''] = hash.split('$');
  const cost = { N: Number(N), r: Number(r), p: Number(p) };
  const bytes = Buffer.from(derived, 'base64');
  const isKnown = scheme === 'scrypt' && Object.values(cost).every(Number.isSafeInteger);
  if (!isKnown || bytes.length !== DERIVED_BYTES) {
    throw new RangeError('a password hash of the ledger cannot be read');
  }
  return { cost, salt: Buffer.from(salt, 'base64'), derived: bytes };
}

function scryptAsync(
  password: Uint8Array,
  salt: Uint8Array,
  options: ScryptOptions,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, DERIVED_BYTES, options, (error, derived) => {
      if (error === null) resolve(derived);
      else reject(error);
    });
  });
}

const COST: Cost = { N: 2 ** 15, r: 8, p: 1 };
const SALT_BYTES = 16;
const DERIVED_BYTES = 32;
const MEMORY_BYTES_MAX = 64 * 1024 * 1024;
/** Compared with in place of the hash that an unknown account does not have. */
const NOBODYS_HASH = `scrypt$${COST.N}$${COST.r}$${COST.p}$${'A'.repeat(22)}==$${'A'.repeat(43)}=`;
