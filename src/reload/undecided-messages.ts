import { CertificateRefusal } from '../tls-auth/certificate-refusal.ts';
import { SignatureRefusal, type VerifiedSigner } from '../tls-auth/verified-signer.ts';
import type { Message } from '../wire/message.ts';
import { MessageCode } from '../wire/message-contents.ts';
import type { Link } from './link-state.ts';
import type { PeerEnvironment } from './peer-environment.ts';
import type { PeerLoads } from './peer-loads.ts';

/**
 * Whether a list is missing to judge a message; `signer` is what is known of its signature. Whoever
 * signed the values in it has a certificate among its own, too.
 */
export function isUndecided(
  env: PeerEnvironment,
  { contents, securityBlock }: Message,
  signer: VerifiedSigner | SignatureRefusal,
): boolean {
  if (signer instanceof SignatureRefusal) {
    return signer.certificateRefusal?.code === 'revocation-undetermined';
  }
  const { authenticator } = env.options;
  // With another policy a list that was never held is not waited for.
  const waitsForLists = authenticator.revocation?.policy === 'require';
  if (!waitsForLists || !WITH_VALUES.has(contents.code)) return false;
  const pool = securityBlock.certificates.map(({ certificate }) => certificate);
  return pool.slice(0, CERTIFICATES_MAX).some((leaf) => {
    const answer = authenticator.authenticate(leaf, pool, env.now.unixMs);
    return answer instanceof CertificateRefusal && answer.code === 'revocation-undetermined';
  });
}

/** A whole message that waits for a revocation list. */
export interface UndecidedMessage {
  readonly bytes: Uint8Array;
  /** The link it came over; undefined for this node's own. */
  readonly from: Link | undefined;
  readonly transactionId: bigint;
  readonly sinceMs: number;
}

/**
 * Messages with a certificate of which nobody here can say yet whether it is revoked. The first
 * certificate of an issuer is what makes its list wanted, so that list comes a moment later, and
 * refusing the message would only mean the same once more after the next transmission. Bounded: of
 * each link and of all together the oldest goes first.
 */
export class UndecidedMessages {
  private readonly env: PeerEnvironment;
  private waiting: UndecidedMessage[] = [];

  constructor(env: PeerEnvironment) {
    this.env = env;
  }

  get loads(): Pick<PeerLoads, 'undecidedMessages'> {
    return { undecidedMessages: this.waiting.length };
  }

  /**
   * Keeps a message until `takeAll` or `takeDue`. Another one of the same transaction takes its
   * place, and waits no longer than the first.
   */
  hold(message: UndecidedMessage): void {
    const { transactionId, from, bytes } = message;
    const isSame = (one: UndecidedMessage) =>
      one.transactionId === transactionId && one.from === from;
    const sinceMs = this.waiting.find(isSame)?.sinceMs ?? message.sinceMs;
    this.waiting = this.waiting.filter((one) => !isSame(one));
    const ofLink = this.waiting.filter((one) => one.from === from);
    const { undecidedMessagesMax, undecidedMessagesOfLinkMax } = this.env.limits;
    if (ofLink.length >= undecidedMessagesOfLinkMax) this.forget(ofLink[0]);
    else if (this.waiting.length >= undecidedMessagesMax) this.forget(this.waiting[0]);
    // What came over a link lies in a buffer with much else.
    this.waiting.push({ ...message, sinceMs, bytes: bytes.slice() });
    this.arm();
  }

  /** Another list is held now: all of them, to be judged again. */
  takeAll(): UndecidedMessage[] {
    const taken = this.waiting;
    this.waiting = [];
    return taken.filter(isAnswerable);
  }

  /** Those for which no list came in time. */
  takeDue(): UndecidedMessage[] {
    const dueMs = this.env.now.monotonicMs - UNDECIDED_WAIT_MS;
    const due = this.waiting.filter(({ sinceMs }) => sinceMs <= dueMs);
    this.waiting = this.waiting.filter(({ sinceMs }) => sinceMs > dueMs);
    this.arm();
    return due.filter(isAnswerable);
  }

  private forget(message: UndecidedMessage | undefined): void {
    this.waiting = this.waiting.filter((one) => one !== message);
    this.env.drop('overload', 'too many messages wait for revocation lists');
  }

  private arm(): void {
    const sinceMs = Math.min(...this.waiting.map((message) => message.sinceMs));
    if (sinceMs === Number.POSITIVE_INFINITY) return;
    const atMs = sinceMs + UNDECIDED_WAIT_MS;
    this.env.deadlines.set('undecidedMessages', { type: 'undecidedMessages' }, atMs);
  }
}

/** What came over a link that is closed says nothing any more about who is connected. */
function isAnswerable({ from }: UndecidedMessage): boolean {
  return from?.closed !== true;
}

/** Certificates of one message that are looked at here; the values are judged in any case. */
const CERTIFICATES_MAX = 32;
const WITH_VALUES = new Set<number>([MessageCode.storeReq, MessageCode.fetchAns]);
/** Longer than most requests for a list take, and shorter than a request of a peer lives. */
const UNDECIDED_WAIT_MS = 5_000;
