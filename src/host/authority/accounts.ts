import { type AccountName, prepareAccountName } from '../../ca/account-name.ts';
import type { Account } from '../../ca/certificate-register.ts';
import { AuthorityFailure } from './authority-failure.ts';
import type { AuthorityState } from './authority-state.ts';
import { PasswordHasher } from './passwords.ts';
import { rateLimitKeyOf } from './rate-limits.ts';
import { SignInFailures } from './sign-in-failures.ts';
import { SignInLockout } from './sign-in-lockout.ts';

/** The answer to a user name and a password. */
export type PasswordAnswer =
  | { readonly type: 'account'; readonly account: Account }
  | { readonly type: 'wrong' }
  /** Too many wrong ones from that address or for that account. */
  | { readonly type: 'later'; readonly retryAfterSeconds: number };

/** What an operator may change about an account. */
export interface AccountChange {
  readonly password?: string | undefined;
  readonly devicesMax?: number | undefined;
}

/**
 * Who may enroll. Wrong passwords are counted by address and by account, and after too many in a
 * row nothing is looked at for a time that doubles with each; a right one does not count. An
 * attacker can thereby keep a user from enrolling a new device for a while, but not from renewing
 * the certificate of an old one, which takes no password.
 */
export class AuthorityAccounts {
  private readonly state: AuthorityState;
  private readonly passwords: PasswordHasher;
  private readonly failuresByAddress: SignInLockout;
  private readonly failuresByAccount: SignInLockout;
  private readonly failures = new SignInFailures();

  constructor(state: AuthorityState) {
    this.state = state;
    this.passwords = new PasswordHasher(state.limits);
    this.failuresByAddress = new SignInLockout(state.limits.failuresPerAddress);
    this.failuresByAccount = new SignInLockout(state.limits.failuresPerAccount);
  }

  /**
   * Compares a user name and a password as bytes (RFC 6940 §11.3). Throws
   * PasswordChecksExhausted when too many others wait.
   */
  async authenticate(
    userName: Uint8Array,
    password: Uint8Array,
    remoteAddress: string | undefined,
  ): Promise<PasswordAnswer> {
    const nowMs = performance.now();
    const address = rateLimitKeyOf(remoteAddress);
    const name = userNameText(userName);
    const waitMs = Math.max(
      this.failuresByAddress.waitMs(address, nowMs),
      this.failuresByAccount.waitMs(name, nowMs),
    );
    if (waitMs > 0) return { type: 'later', retryAfterSeconds: Math.ceil(waitMs / 1000) };
    // Counted before the check, so that requests at the same time cannot all slip through.
    this.failuresByAddress.fail(address, nowMs);
    this.failuresByAccount.fail(name, nowMs);
    await this.state.synchronize();
    const account = this.state.register.account(name);
    const isPlausible = password.length > 0 && password.length <= PASSWORD_BYTES_MAX;
    const isRight = await this.passwords
      .verify(
        isPlausible ? password : new Uint8Array(),
        isPlausible ? account?.passwordHash : undefined,
      )
      .catch((error: unknown) => {
        this.failuresByAddress.takeBack(address);
        this.failuresByAccount.takeBack(name);
        throw error;
      });
    if (!isRight || account === undefined) {
      this.failures.add(address, this.state.nowUnixMs());
      return { type: 'wrong' };
    }
    // Whoever has an account must not wash the failures of his address away with it.
    this.failuresByAddress.takeBack(address);
    this.failuresByAccount.clear(name);
    return { type: 'account', account };
  }

  /** Tells the ledger how many passwords were wrong since it was told last. */
  async recordFailures(): Promise<void> {
    const event = this.failures.take(this.state.nowUnixMs());
    if (event !== undefined) await this.state.exclusive(async () => this.state.record(event));
  }

  /** A new account. Throws AuthorityFailure when its name cannot be one or is taken. */
  async add(jid: string, password: string, devicesMax = DEVICES_MAX_DEFAULT): Promise<Account> {
    const userName = this.preparedName(jid);
    const checked = checkedDevicesMax(devicesMax);
    const passwordHash = await this.hash(password);
    return this.state.exclusive(async () => {
      const { register, limits } = this.state;
      if (register.account(userName) !== undefined) {
        throw new AuthorityFailure(
          `the account ${userName} exists already; change it with \`xor ca user update\``,
        );
      }
      if (register.accountCount >= limits.accountsMax) {
        throw new AuthorityFailure(`there are ${limits.accountsMax} accounts, which is the limit`);
      }
      const account = { userName, passwordHash, devicesMax: checked };
      this.state.record({ type: 'accountAdded', unixMs: this.state.nowUnixMs(), ...account });
      return account;
    });
  }

  async update(jid: string, change: AccountChange): Promise<Account> {
    const passwordHash =
      change.password === undefined ? undefined : await this.hash(change.password);
    return this.state.exclusive(async () => {
      const held = this.existing(jid);
      const account = {
        userName: held.userName,
        passwordHash: passwordHash ?? held.passwordHash,
        devicesMax: checkedDevicesMax(change.devicesMax ?? held.devicesMax),
      };
      const unixMs = this.state.nowUnixMs();
      this.state.record({ type: 'accountChanged', unixMs, ...account });
      return account;
    });
  }

  /** The user can enroll nothing more; `revoke` revokes what was issued, in the same change. */
  async remove<Result>(
    jid: string,
    revoke: (account: Account) => Promise<Result>,
  ): Promise<Result> {
    return this.state.exclusive(async () => {
      const account = this.existing(jid);
      const { userName } = account;
      this.state.record({
        type: 'accountRemoved',
        unixMs: this.state.nowUnixMs(),
        userName,
      });
      return revoke(account);
    });
  }

  private existing(jid: string): Account {
    const account = this.state.register.account(jid);
    if (account !== undefined) return account;
    throw new AuthorityFailure(`there is no account ${jid.slice(0, 80)}; see \`xor ca list\``);
  }

  private preparedName(jid: string): AccountName {
    const { profile } = this.state.settings;
    const name = prepareAccountName(jid, profile);
    if (typeof name !== 'string') throw new AuthorityFailure(name.reason);
    if (this.state.signerNames.includes(name)) {
      throw new AuthorityFailure(`${name} is the authority's own name; choose another`);
    }
    return name;
  }

  private hash(password: string): Promise<string> {
    const bytes = Buffer.from(password);
    if (bytes.length < PASSWORD_BYTES_MIN || bytes.length > PASSWORD_BYTES_MAX) {
      throw new AuthorityFailure(
        `a password has ${PASSWORD_BYTES_MIN} to ${PASSWORD_BYTES_MAX} bytes; ` +
          `this one has ${bytes.length}`,
      );
    }
    return this.passwords.hash(bytes);
  }
}

/** What is no UTF-8, or longer than a JID can be, is nobody's name. */
function userNameText(bytes: Uint8Array): string {
  if (bytes.length > USER_NAME_BYTES_MAX) return '';
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return '';
  }
}

function checkedDevicesMax(devicesMax: number): number {
  if (Number.isSafeInteger(devicesMax) && devicesMax >= 1 && devicesMax <= DEVICES_MAX_LIMIT) {
    return devicesMax;
  }
  throw new AuthorityFailure(`an account has 1 to ${DEVICES_MAX_LIMIT} devices`);
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const USER_NAME_BYTES_MAX = 2_047;
/** How good a password is, is the operator's to say; the rate limits hold for every one. */
const PASSWORD_BYTES_MIN = 1;
const PASSWORD_BYTES_MAX = 1_024;
/** eax-car: "enough certificates … to run all user's devices", and not many more. */
export const DEVICES_MAX_DEFAULT = 8;
const DEVICES_MAX_LIMIT = 1_000;
