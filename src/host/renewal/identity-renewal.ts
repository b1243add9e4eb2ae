import type { KeyObject } from 'node:crypto';
import type { VerifiedConfiguration } from '../../overlay-config/verified-configuration.ts';
import type { AuthenticatedNode } from '../../tls-auth/authenticated-node.ts';
import { Authenticator } from '../../tls-auth/authenticator.ts';
import { CertificateRefusal } from '../../tls-auth/certificate-refusal.ts';
import { createSigner, type Signer } from '../../tls-auth/signer.ts';
import { type ClientTime, machineTime } from '../configuration/client-time.ts';
import type { EnrolledIdentity } from '../enrollment/enrollment-client.ts';
import { EnrollmentFailure } from '../enrollment/enrollment-failure.ts';
import { keyTypeOf } from '../enrollment/enrollment-key.ts';
import { dropPendingKey, pendingPrivateKey, saveIdentity } from '../identity-file.ts';
import type { LinkCredentials } from '../links/link-credentials.ts';
import type { Log } from '../log.ts';
import type { PeerIdentity } from '../peer-identity.ts';
import {
  type CertificateLife,
  isUrgent,
  overdueDelayMs,
  RENEWAL_PAUSE_MS_MIN,
  renewalUnixMs,
  retryDelayMs,
} from './renewal-schedule.ts';
import type { RenewalStatus } from './renewal-status.ts';

export interface IdentityRenewalOptions {
  readonly stateDirectory: string;
  /** The identity in force, as it is on disk. */
  readonly credentials: PeerIdentity;
  readonly signer: Signer;
  /** Has the trust settings in force, and judges whatever the peer hears of. */
  readonly authenticator: Pick<Authenticator, 'trustSettings' | 'authenticate'>;
  /** Resolves once lists decide about a chain of our own; rejects with why they do not. */
  readonly decided?: (chain: readonly Uint8Array[], signal: AbortSignal) => Promise<void>;
  /** The one in force: it names the enrollment servers beside that of the identity. */
  readonly configuration: () => VerifiedConfiguration;
  /** PEM certificates to trust for HTTPS. */
  readonly trust: string | undefined;
  /** The renewed identity is on disk and comes into force. */
  readonly renewed: (signer: Signer, credentials: LinkCredentials) => void;
  readonly log: Log;
  /** The machine's clock and timers, unless a test has others. */
  readonly time?: ClientTime;
}

/**
 * Renews the certificate of a running peer in time: at two thirds of its life, with a new key, by
 * mutual TLS with the certificate in force, so no password is kept. Tries again until it succeeds.
 *
 * A new key each time: one that somebody copied unnoticed is worth nothing after the next renewal,
 * and an authority can refuse the former key without refusing the node.
 *
 * The new key is on disk before the request leaves, and new key and certificate replace the old
 * ones in one file at once: after a crash at any moment there is one valid identity, and the next
 * try asks for the certificate of the same key.
 */
export class IdentityRenewal {
  private readonly options: IdentityRenewalOptions;
  private readonly time: ClientTime;
  private readonly stopped = new AbortController();
  private credentials: PeerIdentity;
  private signer: Signer;
  private life: CertificateLife;
  private nextTryUnixMs: number | undefined;
  private renewals = 0;
  private failures = 0;
  private failuresInARow = 0;
  private fault: string | undefined;
  private cancelTimer: (() => void) | undefined;
  private running: Promise<void> | undefined;

  constructor(options: IdentityRenewalOptions) {
    this.options = options;
    this.time = options.time ?? machineTime;
    this.credentials = options.credentials;
    this.signer = options.signer;
    this.life = lifeOf(options.signer.node);
  }

  get status(): RenewalStatus {
    const { life, nextTryUnixMs, renewals, failures, fault } = this;
    return {
      notAfterUnixMs: life.untilUnixMs,
      nextTryUnixMs,
      renewals,
      failures,
      fault,
      isUrgent: isUrgent(life, this.time.unixMs()),
    };
  }

  start(): void {
    const nowUnixMs = this.time.unixMs();
    const dueUnixMs = renewalUnixMs(this.life, this.time.random());
    const leftMs = this.life.untilUnixMs - nowUnixMs;
    const soonUnixMs = nowUnixMs + overdueDelayMs(leftMs, this.time.random());
    this.plan(Math.max(dueUnixMs, soonUnixMs));
  }

  /** Gives up a request under way; what is being written is written. */
  async stop(): Promise<void> {
    this.stopped.abort(new Error('the peer stops'));
    this.cancelTimer?.();
    await this.running;
  }

  private plan(atUnixMs: number): void {
    this.nextTryUnixMs = atUnixMs;
    this.arm();
  }

  /** A machine that sleeps stops its timers and not its clock: that is looked at every hour. */
  private arm(): void {
    if (this.stopped.signal.aborted) return;
    const delayMs = (this.nextTryUnixMs ?? 0) - this.time.unixMs();
    const wait = Math.min(Math.max(delayMs, 0), LOOK_AGAIN_MS);
    this.cancelTimer = this.time.after(wait, () => this.wake());
  }

  private wake(): void {
    if (this.time.unixMs() < (this.nextTryUnixMs ?? 0)) {
      this.arm();
      return;
    }
    this.running = this.attempt();
  }

  private async attempt(): Promise<void> {
    try {
      this.succeed(await this.renew());
    } catch (error) {
      if (!this.stopped.signal.aborted) this.fail(error);
    }
  }

  private async renew(): Promise<RenewedIdentity> {
    const { stateDirectory } = this.options;
    const privateKey = await this.nextKey();
    try {
      const identity = await this.askServers(privateKey);
      if (identity.node.validUntilUnixMs <= this.life.untilUnixMs) throw new NoLater();
      await this.checkCounts(identity.chain);
      await saveIdentity(stateDirectory, identity);
      return identity;
    } catch (error) {
      if (isKeySpent(error)) await dropPendingKey(stateDirectory);
      throw error;
    }
  }

  /**
   * What this peer would refuse by now it must not become: neither would anybody else take it, and
   * the present certificate counts still. A new one may rest on a list that is not held yet.
   */
  private async checkCounts(chain: readonly Uint8Array[]): Promise<void> {
    await this.options.decided?.(chain, this.stopped.signal);
    const [leaf = new Uint8Array(0), ...pool] = chain;
    const node = this.options.authenticator.authenticate(leaf, pool, this.time.unixMs());
    if (node instanceof CertificateRefusal) throw new NotCounting(node);
  }

  /** The key that an earlier try left, if there is one; never the key in force. */
  private async nextKey(): Promise<KeyObject> {
    const { stateDirectory } = this.options;
    const present = this.credentials.privateKey;
    const keyType = keyTypeOf(present);
    const key = await pendingPrivateKey(stateDirectory, keyType);
    if (!key.equals(present)) return key;
    // A crash came between writing the identity and forgetting that its key was pending.
    await dropPendingKey(stateDirectory);
    return pendingPrivateKey(stateDirectory, keyType);
  }

  /**
   * One server after another: of several authorities of an overlay only the one that issued the
   * certificate renews it. A refusal tells more than a server that cannot be reached.
   */
  private async askServers(newPrivateKey: KeyObject): Promise<RenewedIdentity> {
    const { trust, log } = this.options;
    // A fresh certificate is judged by what stands in it, as a first one is.
    const authenticator = new Authenticator(this.options.authenticator.trustSettings);
    const configuration = this.options.configuration();
    // Once in months: what it takes is not kept in memory.
    const { renew } = await import('../enrollment/enrollment-client.ts');
    let failure: unknown;
    const { enrollmentUrl } = this.credentials;
    const known = enrollmentUrl === undefined ? [] : [enrollmentUrl];
    for (const url of new Set([...known, ...configuration.enrollmentServers])) {
      try {
        const identity = await renew({
          url,
          trust,
          configuration,
          authenticator,
          newPrivateKey,
          overlayName: configuration.instanceName,
          identity: this.credentials,
          signal: this.stopped.signal,
        });
        return { ...identity, enrollmentUrl: url };
      } catch (error) {
        this.stopped.signal.throwIfAborted();
        log.warn({ url, reason: sentenceOf(error) }, 'the certificate is not renewed there');
        const isUnreachable = error instanceof EnrollmentFailure && error.code === 'unreachable';
        if (failure === undefined || !isUnreachable) failure = error;
      }
    }
    throw failure ?? new Error(`the configuration names no enrollment server; ${ASK_OPERATOR}`);
  }

  private succeed(identity: RenewedIdentity): void {
    const { node, privateKey, chain, enrollmentUrl } = identity;
    const nowUnixMs = this.time.unixMs();
    this.credentials = { privateKey, chain, enrollmentUrl };
    this.signer = createSigner(node, this.signer.nodeId, privateKey);
    // An authority may date it back, for those whose clocks are behind.
    const { fromUnixMs, untilUnixMs } = lifeOf(node);
    this.life = { fromUnixMs: Math.max(fromUnixMs, nowUnixMs), untilUnixMs };
    this.renewals += 1;
    this.failuresInARow = 0;
    this.fault = undefined;
    this.options.log.info({ notAfter: new Date(untilUnixMs) }, 'the certificate is renewed');
    this.options.renewed(this.signer, this.credentials);
    const dueUnixMs = renewalUnixMs(this.life, this.time.random());
    this.plan(Math.max(dueUnixMs, nowUnixMs + RENEWAL_PAUSE_MS_MIN));
  }

  private fail(error: unknown): void {
    const nowUnixMs = this.time.unixMs();
    const leftMs = this.life.untilUnixMs - nowUnixMs;
    this.failures += 1;
    this.failuresInARow += 1;
    this.fault = sentenceOf(error);
    const delayMs = retryDelayMs(this.failuresInARow, leftMs, this.time.random());
    const askedMs = error instanceof EnrollmentFailure ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
    this.plan(nowUnixMs + Math.max(delayMs, Math.min(askedMs, RETRY_AFTER_MS_MAX)));
    const notAfter = new Date(this.life.untilUnixMs);
    const fields = { reason: this.fault, failures: this.failuresInARow, notAfter };
    const text = 'the certificate cannot be renewed';
    if (isUrgent(this.life, nowUnixMs)) this.options.log.error(fields, text);
    else this.options.log.warn(fields, text);
  }
}

interface RenewedIdentity extends EnrolledIdentity {
  readonly enrollmentUrl: string;
}

/** The authority answers with a certificate that brings nothing. */
class NoLater extends Error {
  constructor() {
    super(
      'the authority gives a certificate that ends no later than the one in force, perhaps as ' +
        `its own certificate ends soon; ${ASK_OPERATOR}`,
    );
    this.name = 'NoLater';
  }
}

/** The authority answers with a certificate that the configuration in force refuses. */
class NotCounting extends Error {
  constructor(refusal: CertificateRefusal) {
    super(`the renewed certificate does not count here (${refusal.describe()}); ${ASK_OPERATOR}`);
    this.name = 'NotCounting';
  }
}

/** The authority would answer the same key with the same certificate again. */
function isKeySpent(error: unknown): boolean {
  if (error instanceof NoLater || error instanceof NotCounting) return true;
  if (!(error instanceof EnrollmentFailure)) return false;
  return error.code === 'bad_CSR' || error.code === 'bad-certificate';
}

function lifeOf(node: AuthenticatedNode): CertificateLife {
  const { certificate, validUntilUnixMs } = node;
  return { fromUnixMs: certificate.notBeforeUnixMs, untilUnixMs: validUntilUnixMs };
}

function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const LOOK_AGAIN_MS = 3_600_000;
/** A server may ask for a pause, but not for one that outlasts the certificate. */
const RETRY_AFTER_MS_MAX = 3_600_000;
const ASK_OPERATOR = 'ask the operator of the overlay';
