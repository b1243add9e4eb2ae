import { createHash } from 'node:crypto';
import { fetchConfigurationDocument } from '../configuration/configuration-source.ts';
import type { Log } from '../log.ts';
import { AuthorityFailure } from './authority-failure.ts';
import type { ConfigurationPublisher } from './configuration-publisher.ts';
import { LedgerUnavailable } from './ledger/ledger-store.ts';

/** Other authorities that serve the same document (eax-car). */
export interface FollowedAuthorities {
  /** https URLs of their configuration. */
  readonly urls: readonly string[];
  /** PEM of whom to trust for these beside the system's authorities. */
  readonly trustedCertificates?: string | undefined;
  /** ms between two looks. */
  readonly intervalMs: number;
}

/**
 * Takes over what other authorities of the overlay publish. Their HTTPS vouches for nothing: a
 * document counts as it would for a peer, by the signature of a signer of the one in force here,
 * and only where its sequence is newer. Anything else stays outside, and the log says why, once for
 * each document.
 */
export class ConfigurationFollower {
  private readonly followed: FollowedAuthorities;
  private readonly overlayName: string;
  private readonly publisher: ConfigurationPublisher;
  private readonly log: Log;
  private readonly stopped = new AbortController();
  /** What was said last of each URL. */
  private readonly said = new Map<string, string>();
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> | undefined;

  constructor(
    followed: FollowedAuthorities,
    overlayName: string,
    publisher: ConfigurationPublisher,
    log: Log,
  ) {
    this.followed = followed;
    this.overlayName = overlayName;
    this.publisher = publisher;
    this.log = log;
  }

  /** Looks from now on until `stop`. */
  start(): void {
    this.timer = setInterval(() => void this.look(), this.followed.intervalMs);
    this.timer.unref();
    void this.look();
  }

  /** Looks once at each; never rejects. Whoever asks while it looks gets the end of that. */
  look(): Promise<void> {
    this.looking ??= this.lookAtAll().finally(() => {
      this.looking = undefined;
    });
    return this.looking;
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    this.stopped.abort();
    await this.looking;
  }

  private async lookAtAll(): Promise<void> {
    await Promise.all(this.followed.urls.map((url) => this.lookAt(url)));
  }

  private async lookAt(url: string): Promise<void> {
    try {
      const document = await this.fetched(url);
      const held = this.publisher.document?.bytes;
      const isHeld = held !== undefined && Buffer.compare(held, document) === 0;
      if (!isHeld) await this.takeOver(url, document);
      else this.say(url, 'same', () => undefined);
    } catch (error) {
      if (this.stopped.signal.aborted) return;
      const reason = error instanceof Error ? error.message : String(error);
      this.say(url, reason, () =>
        this.log.warn({ url, reason }, 'the configuration of another authority cannot be had'),
      );
    }
  }

  private async fetched(url: string): Promise<Uint8Array> {
    const { overlayName, followed } = this;
    const trust = followed.trustedCertificates;
    const trustAnchorsPem = trust === undefined ? [] : [trust];
    const source = { overlayName, url, trustAnchorsPem };
    const answer = await fetchConfigurationDocument(source, undefined, this.stopped.signal);
    if (answer.type === 'fetched') return answer.body;
    throw new Error('the server answered 304 to a request without a condition');
  }

  private async takeOver(url: string, document: Uint8Array): Promise<void> {
    const offer = createHash('sha256').update(document).digest('hex');
    const judged = `${offer} at ${this.publisher.sequence}`;
    // The same document again, with the same one in force here: the answer would be the same.
    if (this.said.get(url) === judged) return;
    try {
      const taken = await this.publisher.publishDocument(document, false);
      this.said.delete(url);
      // An operator, or another process of this authority, was faster.
      if (taken.isUnchanged) return;
      const { sequence, signer, warnings } = taken;
      this.log.info(
        { url, sequence, signer },
        'the configuration of another authority is in force',
      );
      for (const warning of warnings) this.log.warn({ url, sequence }, warning);
    } catch (error) {
      // What the ledger cannot take now is asked for again; what was refused stays refused.
      const isRefusal = error instanceof AuthorityFailure && !(error instanceof LedgerUnavailable);
      if (!isRefusal) throw error;
      const reason = error.message;
      this.say(url, judged, () =>
        this.log.warn(
          { url, reason },
          'the configuration that another authority offers is refused',
        ),
      );
    }
  }

  /** What is the same as before is said once. */
  private say(url: string, what: string, write: () => void): void {
    if (this.said.get(url) === what) return;
    this.said.set(url, what);
    write();
  }
}
