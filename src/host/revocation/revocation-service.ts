import type { Authenticator } from '../../tls-auth/authenticator.ts';
import { CertificateRefusal } from '../../tls-auth/certificate-refusal.ts';
import { formatUnixMs } from '../../tls-auth/der-time.ts';
import type { RevocationPolicy } from '../../tls-auth/revocation-check.ts';
import { listLengthMax, type RevocationList } from '../../tls-auth/revocation-list.ts';
import { RevocationLists } from '../../tls-auth/revocation-lists.ts';
import type { ClientTime } from '../configuration/client-time.ts';
import { fetchHttps, type HostResolver, type HttpsAnswer } from '../https-fetch.ts';
import type { Log } from '../log.ts';
import { ListCache } from './list-cache.ts';
import { refreshDelayMs, retryDelayMs } from './list-schedule.ts';

export interface RevocationServiceOptions {
  readonly policy: Exclude<RevocationPolicy, 'off'>;
  readonly stateDirectory: string;
  /** PEM certificates to trust for HTTPS beside those of the system. */
  readonly trust: string | undefined;
  /** Where lists may be fetched. */
  readonly addresses: HostResolver;
  /** Lists are asked for at least so often, ms. */
  readonly refreshMsMax: number;
  readonly time: ClientTime;
  readonly log: Log;
}

/** Lists that the policy requires cannot be had. The message says which, why and what to do. */
export class RevocationUnavailable extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'RevocationUnavailable';
  }
}

/** What is known of one list, for metrics and people. */
export interface RevocationListReport {
  readonly url: string;
  readonly list: RevocationList | undefined;
  /** Failures in a row, and the last of them as a sentence. */
  readonly failures: number;
  readonly lastFailure: string | undefined;
}

/** What is known of all. */
export interface RevocationReport {
  readonly policy: RevocationPolicy;
  readonly lists: readonly RevocationListReport[];
  /** Requests since the start, and those that brought no list that counts. */
  readonly fetches: number;
  readonly failures: number;
}

/**
 * Fetches the revocation lists that are wanted, early and again before they end, keeps them on disk
 * and says when another one is held.
 */
export class RevocationService {
  readonly lists: RevocationLists;
  private readonly options: RevocationServiceOptions;
  private readonly cache: ListCache;
  private readonly sources = new Map<string, ListSource>();
  private readonly stopping = new AbortController();
  private whenChanged: () => void = () => undefined;
  private whenIdle: (() => void)[] = [];
  private cancelTimer: (() => void) | undefined;
  private running = 0;
  private fetches = 0;
  private failures = 0;

  /** With the lists of an earlier run. Rejects when the state directory cannot be read. */
  static async open(options: RevocationServiceOptions): Promise<RevocationService> {
    const service = new RevocationService(options);
    for (const { url, der, lastModified } of await service.cache.read()) {
      service.lists.remember(url, der);
      service.sources.set(url, { ...NEW_SOURCE, url, lastModified });
    }
    return service;
  }

  private constructor(options: RevocationServiceOptions) {
    this.options = options;
    this.cache = new ListCache(options.stateDirectory, options.log);
    const { policy } = options;
    this.lists = new RevocationLists({ policy, whenWanted: (url) => this.handleWanted(url) });
  }

  /**
   * Asks for the lists of the own certificate, and waits for them where it does not count without:
   * nobody else's would count either. Throws RevocationUnavailable, or the reason of `signal`.
   */
  async decideOwnCertificate(
    chain: readonly Uint8Array[],
    authenticator: Authenticator,
    signal?: AbortSignal,
  ): Promise<void> {
    const [leaf = new Uint8Array(0), ...pool] = chain;
    const isUndetermined = () => {
      const answer = authenticator.authenticate(leaf, pool, this.options.time.unixMs());
      return answer instanceof CertificateRefusal && answer.code === 'revocation-undetermined';
    };
    if (!isUndetermined()) return;
    await Promise.race([this.settled(), aborted(signal)]);
    signal?.throwIfAborted();
    if (!isUndetermined()) return;
    const failures = this.report().lists.flatMap(({ lastFailure }) => lastFailure ?? []);
    const why = failures.length === 0 ? 'its certificates name no list' : failures.join('; ');
    throw new RevocationUnavailable(
      `no revocation list decides about the own certificate (${why}); ` +
        'make it reachable, or run with --revocation off',
    );
  }

  /** `whenChanged` is told after another list is held, and once now. */
  follow(whenChanged: () => void): void {
    this.whenChanged = whenChanged;
    whenChanged();
  }

  /** Resolves once every list that is wanted and due was asked for. */
  settled(): Promise<void> {
    return new Promise((resolve) => {
      this.whenIdle.push(resolve);
      this.tellIfIdle();
    });
  }

  report(): RevocationReport {
    const lists = this.lists.wanted().map(({ url, list }) => {
      const { failures = 0, lastFailure } = this.sources.get(url) ?? {};
      return { url, list, failures, lastFailure };
    });
    const { policy } = this.options;
    return { policy, lists, fetches: this.fetches, failures: this.failures };
  }

  /** Ends what is under way; resolves when the disk has everything. */
  async stop(): Promise<void> {
    this.cancelTimer?.();
    this.stopping.abort();
    await this.cache.settled();
  }

  /** Called from within an Authenticator: only notes it. */
  private handleWanted(url: string): void {
    const { time, refreshMsMax } = this.options;
    const nowUnixMs = time.unixMs();
    const list = this.lists.heldFrom(url);
    const delayMs =
      list === undefined ? 0 : refreshDelayMs(list, nowUnixMs, refreshMsMax, time.random());
    const source = this.sources.get(url) ?? { ...NEW_SOURCE, url };
    if (source.isRunning) return;
    source.dueUnixMs = nowUnixMs + delayMs;
    // What the server said is about a list that is not held.
    if (list === undefined) source.lastModified = undefined;
    this.sources.set(url, source);
    this.arm();
  }

  private arm(): void {
    this.cancelTimer?.();
    this.cancelTimer = undefined;
    if (this.stopping.signal.aborted || this.running >= FETCHES_MAX) return;
    const waiting = [...this.sources.values()].filter(({ isRunning }) => !isRunning);
    const dueUnixMs = Math.min(...waiting.map((source) => source.dueUnixMs));
    if (dueUnixMs === Number.POSITIVE_INFINITY) return;
    const delayMs = Math.min(Math.max(dueUnixMs - this.options.time.unixMs(), 0), TIMER_MS_MAX);
    this.cancelTimer = this.options.time.after(delayMs, () => this.fetchDue());
  }

  private fetchDue(): void {
    const nowUnixMs = this.options.time.unixMs();
    for (const source of this.sources.values()) {
      if (source.isRunning || source.dueUnixMs > nowUnixMs) continue;
      if (this.running >= FETCHES_MAX) break;
      if (this.lists.wants(source.url)) void this.fetch(source);
      else this.sources.delete(source.url);
    }
    this.arm();
    this.tellIfIdle();
  }

  private async fetch(source: ListSource): Promise<void> {
    source.isRunning = true;
    this.running++;
    this.fetches++;
    const failure = await this.tryFetch(source);
    this.running--;
    source.isRunning = false;
    if (this.stopping.signal.aborted) return this.tellIfIdle();
    this.plan(source, failure);
    this.arm();
    this.tellIfIdle();
  }

  /** Returns why there is no list from there that counts. */
  private async tryFetch(source: ListSource): Promise<string | undefined> {
    const { url } = source;
    try {
      const answer = await this.request(source);
      if (answer.type === 'notModified') return undefined;
      const { body: der, lastModified } = answer;
      const offered = this.lists.offer(url, der, this.options.time.unixMs());
      if (offered.type === 'refused') return offered.refusal.describe();
      source.lastModified = lastModified;
      if (offered.type === 'taken') this.handleTaken(url, offered.list, lastModified);
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  private request({ url, lastModified }: ListSource): Promise<HttpsAnswer> {
    const { trust, addresses } = this.options;
    return fetchHttps({
      url,
      isHttpAllowed: true,
      resolver: addresses,
      accept: 'application/pkix-crl',
      limits: FETCH_LIMITS,
      signal: this.stopping.signal,
      ifModifiedSince: lastModified,
      ...(trust === undefined ? {} : { trustAnchorsPem: [trust] }),
    });
  }

  private handleTaken(url: string, list: RevocationList, lastModified: string | undefined): void {
    const { size } = list.entries;
    const nextUpdate = formatUnixMs(list.nextUpdateUnixMs);
    this.options.log.info({ url, entries: size, nextUpdate }, `holding the ${list.describe()}`);
    void this.cache.write({ url, der: list.der, lastModified });
    this.whenChanged();
  }

  private plan(source: ListSource, failure: string | undefined): void {
    const { time, refreshMsMax, log } = this.options;
    const { url } = source;
    const list = this.lists.heldFrom(url);
    const nowUnixMs = time.unixMs();
    if (failure === undefined && list !== undefined) {
      source.failures = 0;
      source.lastFailure = undefined;
      source.dueUnixMs = nowUnixMs + refreshDelayMs(list, nowUnixMs, refreshMsMax, time.random());
      return;
    }
    this.failures++;
    source.failures++;
    source.lastFailure = failure ?? 'the server has nothing new, but no list is held';
    // What the server said is about a list that is not held.
    if (list === undefined) source.lastModified = undefined;
    const delayMs = retryDelayMs(source.failures, refreshMsMax, time.random());
    source.dueUnixMs = nowUnixMs + delayMs;
    const fields = { url, reason: source.lastFailure, failures: source.failures };
    log.warn({ ...fields, retrySeconds: Math.round(delayMs / 1000) }, 'no newer revocation list');
  }

  private tellIfIdle(): void {
    const nowUnixMs = this.options.time.unixMs();
    const isBusy = [...this.sources.values()].some(
      ({ isRunning, dueUnixMs }) => isRunning || dueUnixMs <= nowUnixMs,
    );
    if (isBusy && !this.stopping.signal.aborted) return;
    for (const resolve of this.whenIdle.splice(0)) resolve();
  }
}

/** Never, where nobody can give up. */
function aborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) resolve();
    else signal?.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** One URL from which a list is wanted. */
interface ListSource {
  readonly url: string;
  isRunning: boolean;
  /** Infinite while nobody has asked for it. */
  dueUnixMs: number;
  failures: number;
  lastFailure: string | undefined;
  lastModified: string | undefined;
}

const NEW_SOURCE = {
  isRunning: false,
  dueUnixMs: Number.POSITIVE_INFINITY,
  failures: 0,
  lastFailure: undefined,
  lastModified: undefined,
};

const FETCH_LIMITS = { redirectsMax: 3, bodyBytesMax: listLengthMax, durationMsMax: 60_000 };
const FETCHES_MAX = 4;
/** setTimeout takes no more than 2^31 ms. */
const TIMER_MS_MAX = 3_600_000;
