import { CertificateRegister } from '../../../ca/certificate-register.ts';
import { isRegisterEvent, type LedgerEvent } from '../../../ca/ledger-event.ts';
import { AuthorityFailure } from '../authority-failure.ts';
import {
  EMPTY_LEDGER_HEAD,
  type LedgerEntry,
  type LedgerHead,
  nextEntry,
  readEntry,
} from './ledger-entry.ts';
import { assertInForce, LedgerNotInForce } from './ledger-standing.ts';
import type { LedgerStore, LedgerView } from './ledger-store.ts';

/**
 * An authority's memory: the register, and the ledger that it is rebuilt from. Every change is
 * decided while nobody else can change the ledger, on a register that has every entry, also those
 * of other processes. So a limit holds and a Node-ID is given once, however many processes issue.
 *
 * Changes that arrive while the store is busy are decided one after the other and written together.
 * A change is over when it is durable: nothing that rests on it may leave the authority BEFORE
 * that.
 */
export class AuthorityLedger {
  private readonly store: LedgerStore;
  private held = emptyMemory();
  private queue: QueuedChange[] = [];
  private running: Promise<void> | undefined;
  private staged: Staged | undefined;
  private isStale = false;
  private closed: Promise<void> | undefined;

  private constructor(store: LedgerStore) {
    this.store = store;
  }

  /**
   * Reads the whole ledger. Throws AuthorityFailure, which names the entry, when its chain is
   * broken, when entries are missing at its end, when an entry contradicts those before it, or when
   * it was moved to another store.
   */
  static async open(store: LedgerStore): Promise<AuthorityLedger> {
    const ledger = new AuthorityLedger(store);
    try {
      await store.view((view) => ledger.catchUp(view));
    } catch (error) {
      await store.close();
      throw error;
    }
    return ledger;
  }

  /** As of the last entry read; a change that is being decided may be in it already. */
  get register(): CertificateRegister {
    return this.held.register;
  }

  get isShared(): boolean {
    return this.store.isShared;
  }

  get head(): LedgerHead {
    return this.held.head;
  }

  /** The text in force under a name; `decided` is for changes, and not yet for the world. */
  document(name: string, when: 'durable' | 'decided' = 'durable'): string | undefined {
    const decided = when === 'decided' ? this.staged?.documents.get(name) : undefined;
    return decided ?? this.held.documents.get(name);
  }

  /**
   * Runs `decide`, which may `record` and `publish`, and resolves with its result once all of it is
   * durable. What a `decide` that fails had recorded stays recorded.
   */
  change<T>(decide: () => Promise<T>): Promise<T> {
    if (this.closed !== undefined)
      return Promise.reject(new AuthorityFailure('the ledger is closed'));
    return new Promise<T>((resolve, reject) => {
      const attempt = async () => {
        try {
          const result = await decide();
          return () => resolve(result);
        } catch (error) {
          return () => reject(error);
        }
      };
      this.queue.push({ attempt, reject });
      this.running ??= this.run();
    });
  }

  /** Appends an event; only within a change. Throws when it contradicts the register. */
  record(event: LedgerEvent): void {
    const staged = this.stagedNow();
    if (isRegisterEvent(event)) {
      const fault = this.held.register.faultOf(event);
      if (fault !== undefined) throw new Error(`an event contradicts the register: ${fault}`);
      this.held.register.apply(event);
    }
    const entry = nextEntry(this.held.head, event);
    this.held.head = { sequence: entry.sequence, hash: entry.hash };
    staged.entries.push(entry);
  }

  /** Another text under a name; only within a change that records why. */
  publish(name: string, text: string): void {
    this.stagedNow().documents.set(name, text);
  }

  /**
   * Takes in what other processes have done, and reads all anew after a failure. Whoever looks at
   * the register outside of a change calls this before.
   */
  async synchronize(): Promise<void> {
    if (!this.isStale) {
      if (!this.store.isShared) return;
      const { sequence } = await this.store.view(async (view) => view.head);
      if (sequence === this.held.head.sequence) return;
    }
    await this.change(async () => undefined);
  }

  /** Waits for what was begun. Nothing can be changed afterwards. */
  close(): Promise<void> {
    this.closed ??= (async () => {
      await this.running;
      await this.store.close();
    })();
    return this.closed;
  }

  private stagedNow(): Staged {
    if (this.staged === undefined) throw new Error('the ledger is written within a change alone');
    return this.staged;
  }

  private async run(): Promise<void> {
    while (this.queue.length > 0) await this.runBatch();
    this.running = undefined;
  }

  private async runBatch(): Promise<void> {
    const taken: QueuedChange[] = [];
    const settle: (() => void)[] = [];
    try {
      await this.store.transact(async (view) => {
        await this.catchUp(view);
        const staged = newStaged();
        this.staged = staged;
        while (taken.length < CHANGES_TOGETHER_MAX) {
          const next = this.queue.shift();
          if (next === undefined) break;
          taken.push(next);
          settle.push(await next.attempt());
        }
        return staged;
      });
      for (const [name, text] of this.staged?.documents ?? []) this.held.documents.set(name, text);
      for (const tell of settle) tell();
    } catch (error) {
      // The register may have in it what is not in the ledger: the next change reads all anew.
      this.isStale = !(error instanceof LedgerNotInForce);
      for (const change of [...taken, ...this.queue.splice(0)]) change.reject(error);
    } finally {
      this.staged = undefined;
    }
  }

  private async catchUp(view: LedgerView): Promise<void> {
    if (this.isStale) this.held = emptyMemory();
    this.isStale = false;
    const before = this.held.head.sequence;
    if (before > view.head.sequence) throw this.damaged(`entry ${before} is gone`);
    while (this.held.head.sequence < view.head.sequence) {
      const entries = await view.read(this.held.head.sequence, ENTRIES_TOGETHER_MAX);
      const [first] = entries;
      if (first === undefined) {
        throw this.damaged(`entry ${this.held.head.sequence + 1} and what followed are missing`);
      }
      for (const entry of entries) this.take(entry);
    }
    if (this.held.head.hash !== view.head.hash) {
      throw this.damaged(`entry ${view.head.sequence} is not the one that was last`);
    }
    if (before < view.head.sequence) {
      for (const [name, text] of await view.documents(before)) this.held.documents.set(name, text);
    }
    assertInForce(this.store.place, this.held.documents);
  }

  private take(entry: LedgerEntry): void {
    const event = readEntry(this.held.head, entry);
    if (typeof event === 'string') throw this.damaged(event);
    if (isRegisterEvent(event)) {
      const fault = this.held.register.faultOf(event);
      if (fault !== undefined) throw this.damaged(`entry ${entry.sequence}: ${fault}`);
      this.held.register.apply(event);
    }
    this.held.head = { sequence: entry.sequence, hash: entry.hash };
  }

  private damaged(reason: string): AuthorityFailure {
    return new AuthorityFailure(
      `the ledger ${this.store.place} is damaged (${reason}); restore it from a backup`,
    );
  }
}

interface QueuedChange {
  /** Runs it; what it returns tells the caller how it went. */
  readonly attempt: () => Promise<() => void>;
  readonly reject: (reason: unknown) => void;
}

interface Staged {
  readonly entries: LedgerEntry[];
  readonly documents: Map<string, string>;
}

interface Memory {
  readonly register: CertificateRegister;
  readonly documents: Map<string, string>;
  head: LedgerHead;
}

function emptyMemory(): Memory {
  return {
    register: new CertificateRegister(),
    documents: new Map(),
    head: EMPTY_LEDGER_HEAD,
  };
}

function newStaged(): Staged {
  return { entries: [], documents: new Map() };
}

/** So many are decided while other processes wait, some milliseconds each. */
const CHANGES_TOGETHER_MAX = 64;
const ENTRIES_TOGETHER_MAX = 1_000;
