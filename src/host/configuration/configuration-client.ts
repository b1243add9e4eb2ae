/** Keeps the overlay's configuration current: cache, HTTPS, and who may replace what. */
import { isNewerSequence } from '../../overlay-config/configuration-sequence.ts';
import { formatUtcTime } from '../../overlay-config/date-time.ts';
import type { VerifiedConfiguration } from '../../overlay-config/verified-configuration.ts';
import { type HttpsAnswer, HttpsFetchError } from '../https-fetch.ts';
import { type Log, silentLog } from '../log.ts';
import type { RevocationService } from '../revocation/revocation-service.ts';
import { type ClientTime, machineTime } from './client-time.ts';
import type { ConfigurationCache } from './configuration-cache.ts';
import {
  backoffDelayMs,
  normalDelayMs,
  REQUEST_INTERVAL_MS_MIN,
} from './configuration-schedule.ts';
import {
  type ConfigurationSourceOptions,
  fetchConfigurationDocument,
} from './configuration-source.ts';
import {
  ConfigurationRefused,
  ConfigurationUnavailable,
  TRUST_TODO,
} from './configuration-unavailable.ts';
import { KeptConfiguration } from './kept-configuration.ts';
import { firstConfiguration, successorOf } from './offered-configuration.ts';

export interface ConfigurationClientOptions extends ConfigurationSourceOptions {
  readonly cache: ConfigurationCache;
  /** What is known of revoked signers; undefined: that is not asked. */
  readonly revocation?: Pick<RevocationService, 'lists' | 'settled'> | undefined;
  readonly log?: Log;
  /** The machine's clock and timers, unless a test has others. */
  readonly time?: ClientTime;
}

/** What came of asking the server, for whoever watches the peer. */
export interface ConfigurationServerStatus {
  /** When a server last said what is current; ms since 1970. */
  readonly checkedUnixMs: number;
  /** Why what the server offers now is refused; undefined when it offers what is in force. */
  readonly refusal: { readonly sinceUnixMs: number; readonly reason: string } | undefined;
  /** Documents of the server that were refused since the start. */
  readonly refused: number;
  /** Tries in a row that brought nothing. */
  readonly failures: number;
}

/**
 * The configuration of one overlay over the life of a peer. The first document is trusted because
 * HTTPS says so; one that is held, in memory or on disk, is replaced only by a signed successor
 * (RFC 6940 §11.1) — the intentional divergence from §11.2, where whatever HTTPS delivers replaces
 * it: who takes over the web server must not take over the overlay.
 */
export class ConfigurationClient {
  private readonly options: ConfigurationClientOptions;
  private readonly log: Log;
  private readonly time: ClientTime;
  private readonly kept: KeptConfiguration;
  private readonly stopped = new AbortController();
  private held: VerifiedConfiguration | undefined;
  private lastModified: string | undefined;
  private checkedUnixMs = 0;
  private failures = 0;
  private refusal: ConfigurationServerStatus['refusal'];
  private refused = 0;
  private obtaining: Promise<VerifiedConfiguration> | undefined;
  private refreshing: Promise<void> | undefined;
  private onNew: ((configuration: VerifiedConfiguration) => void) | undefined;
  private onMustLeave: ((reason: string) => void) | undefined;
  private cancelTimer: (() => void) | undefined;

  constructor(options: ConfigurationClientOptions) {
    this.options = options;
    this.log = (options.log ?? silentLog).child({ overlay: options.overlayName });
    this.time = options.time ?? machineTime;
    this.kept = new KeptConfiguration(options.cache, options.overlayName);
  }

  /**
   * The configuration in force: the one held or on disk, without asking anybody; else, or when that
   * one has expired, the server's. Throws ConfigurationUnavailable.
   */
  async obtain(): Promise<VerifiedConfiguration> {
    this.obtaining ??= this.obtainOnce().finally(() => {
      this.obtaining = undefined;
    });
    return this.obtaining;
  }

  /**
   * Asks the server for news from now on, and tells `onNew` each configuration that counts, or
   * `onMustLeave` why the node can no longer be part of the overlay.
   */
  start(
    onNew: (configuration: VerifiedConfiguration) => void,
    onMustLeave: (reason: string) => void = () => undefined,
  ): void {
    this.onNew = onNew;
    this.onMustLeave = onMustLeave;
    this.schedule();
  }

  /** Ends all requests and timers, for good. Resolves when nothing is going on any more. */
  async stop(): Promise<void> {
    this.onNew = undefined;
    this.onMustLeave = undefined;
    this.cancelTimer?.();
    this.stopped.abort();
    await Promise.allSettled([this.obtaining, this.refreshing]);
  }

  status(): ConfigurationServerStatus {
    const { checkedUnixMs, refusal, refused, failures } = this;
    return { checkedUnixMs, refusal, refused, failures };
  }

  /**
   * Asks the server now instead of when it is time: the sequence that is in force then. Throws
   * ConfigurationUnavailable.
   */
  async refreshNow(): Promise<number> {
    await this.refreshing;
    const asked = this.refreshAndTell();
    this.refreshing = asked.then(
      () => undefined,
      () => undefined,
    );
    const sequence = await asked;
    this.schedule();
    return sequence;
  }

  /** Takes over a configuration that came through the overlay and counts, and keeps it on disk. */
  async adopt(configuration: VerifiedConfiguration): Promise<void> {
    const { held } = this;
    // Also what this client fetched itself comes back, once the peer has it in force.
    if (held !== undefined && !isNewerSequence(configuration.sequence, held.sequence)) return;
    this.held = configuration;
    this.lastModified = undefined;
    this.failures = 0;
    await this.rememberOrWarn();
    if (this.onNew !== undefined) this.schedule();
  }

  private async obtainOnce(): Promise<VerifiedConfiguration> {
    this.held ??= await this.readKept();
    if (this.held === undefined) return await this.fetchFirst();
    if (!this.isExpired(this.held)) return this.held;
    const expired = formatUtcTime(this.held.expirationUnixMs ?? 0);
    const what = `the configuration of ${this.options.overlayName} expired at ${expired}`;
    try {
      const next = await this.refresh();
      if (next !== undefined) return next;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new ConfigurationUnavailable(`${what}, and there is no newer one: ${reason}`, {
        cause: error,
      });
    }
    throw new ConfigurationUnavailable(`${what}, and the server has no newer one; ${TRUST_TODO}`);
  }

  private async readKept(): Promise<VerifiedConfiguration | undefined> {
    const kept = await this.kept.read(this.time.unixMs());
    if (kept === undefined) return undefined;
    this.lastModified = kept.lastModified;
    this.checkedUnixMs = kept.checkedUnixMs;
    return kept.configuration;
  }

  /** The first document of all: HTTPS vouches for it (RFC 6940 §11.2). */
  private async fetchFirst(): Promise<VerifiedConfiguration> {
    const answer = await this.ask(undefined);
    if (answer.type !== 'fetched') {
      throw new ConfigurationUnavailable(
        'the server answered 304 to a first request; check the URL',
      );
    }
    const { overlayName } = this.options;
    const first = firstConfiguration(answer.body, overlayName, this.time.unixMs());
    await this.kept.refuseRollBack(first.sequence);
    this.held = first;
    this.lastModified = answer.lastModified;
    this.checkedUnixMs = this.time.unixMs();
    await this.remember();
    return first;
  }

  /** Asks for a newer document. Undefined when there is none; throws when that is not known. */
  private async refresh(): Promise<VerifiedConfiguration | undefined> {
    if (this.held === undefined) return await this.fetchFirst();
    const answer = await this.ask(this.lastModified);
    const { held } = this;
    this.checkedUnixMs = this.time.unixMs();
    const next = answer.type === 'fetched' ? await this.judged(held, answer.body) : undefined;
    // Whatever came through the overlay while we waited is at least as new as what we compared to.
    if (this.held !== held) return undefined;
    if (answer.type === 'fetched') this.lastModified = answer.lastModified;
    if (next !== undefined) this.held = next;
    await this.rememberOrWarn();
    return next;
  }

  /** As `successorOf`, and what came of it is kept for `status()`. */
  private async judged(
    held: VerifiedConfiguration,
    document: Uint8Array,
  ): Promise<VerifiedConfiguration | undefined> {
    try {
      const next = await this.successor(held, document);
      this.refusal = undefined;
      return next;
    } catch (error) {
      if (!(error instanceof ConfigurationRefused)) throw error;
      this.refused += 1;
      const sinceUnixMs = this.refusal?.sinceUnixMs ?? this.time.unixMs();
      this.refusal = { sinceUnixMs, reason: error.message };
      throw error;
    }
  }

  /**
   * With revocation lists it is asked twice: the first time may tell which lists speak of the
   * signer, the second is asked when they are here, or cannot be had.
   */
  private async successor(
    held: VerifiedConfiguration,
    document: Uint8Array,
  ): Promise<VerifiedConfiguration | undefined> {
    const { revocation } = this.options;
    const judge = () => successorOf(held, document, this.time.unixMs(), revocation?.lists);
    if (revocation === undefined) return judge();
    try {
      judge();
    } catch (error) {
      if (!(error instanceof ConfigurationRefused)) throw error;
    }
    const { signal } = this.stopped;
    const stopped = new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    if (!signal.aborted) await Promise.race([revocation.settled(), stopped]);
    return judge();
  }

  private async ask(ifModifiedSince: string | undefined): Promise<HttpsAnswer> {
    try {
      return await fetchConfigurationDocument(this.options, ifModifiedSince, this.stopped.signal);
    } catch (error) {
      if (!(error instanceof HttpsFetchError)) throw error;
      throw new ConfigurationUnavailable(error.message, { cause: error });
    }
  }

  private async remember(): Promise<void> {
    const { held: configuration, lastModified, checkedUnixMs } = this;
    if (configuration === undefined) return;
    await this.kept.write({ configuration, lastModified, checkedUnixMs });
  }

  /** A configuration that counts is in force, whether the disk takes it or not. */
  private async rememberOrWarn(): Promise<void> {
    try {
      await this.remember();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.log.error({ reason }, 'after a restart the configuration will be an older one');
    }
  }

  private isExpired(configuration: VerifiedConfiguration): boolean {
    const { expirationUnixMs } = configuration;
    return expirationUnixMs !== undefined && this.time.unixMs() >= expirationUnixMs;
  }

  private schedule(): void {
    this.cancelTimer?.();
    if (this.stopped.signal.aborted) return;
    const random = this.time.random();
    const now = this.time.unixMs();
    const delayMs =
      this.failures > 0
        ? backoffDelayMs(this.failures, random)
        : normalDelayMs(now, this.checkedUnixMs, this.held?.expirationUnixMs, random);
    const sinceLastMs = Math.max(now - this.checkedUnixMs, 0);
    const atLeastMs = Math.max(REQUEST_INTERVAL_MS_MIN - sinceLastMs, 0);
    this.cancelTimer = this.time.after(Math.max(delayMs, atLeastMs), () => {
      this.refreshing = this.refreshOnTimer();
    });
  }

  private async refreshOnTimer(): Promise<void> {
    // Whatever failed is logged and counted: the next try follows.
    await this.refreshAndTell().catch(() => undefined);
    this.schedule();
  }

  /** Asks the server and tells whoever follows; throws what `refresh` throws. */
  private async refreshAndTell(): Promise<number> {
    try {
      const next = await this.refresh();
      const isStale = this.held !== undefined && this.isExpired(this.held);
      this.failures = isStale ? this.failures + 1 : 0;
      if (next !== undefined) this.onNew?.(next);
      const complaint = 'the configuration has expired and the server has no newer one';
      if (isStale) this.log.warn({ failures: this.failures }, complaint);
      return this.held?.sequence ?? 0;
    } catch (error) {
      if (this.stopped.signal.aborted) throw error;
      this.failures += 1;
      const reason = error instanceof Error ? error.message : String(error);
      const isRefusal = error instanceof ConfigurationRefused;
      const what = isRefusal
        ? 'the configuration that the server offers is refused'
        : 'no newer configuration could be had';
      this.log.warn({ failures: this.failures, reason }, what);
      const mustLeave = error instanceof ConfigurationUnavailable && error.mustLeave;
      if (mustLeave) this.onMustLeave?.(reason);
      throw error;
    }
  }
}
