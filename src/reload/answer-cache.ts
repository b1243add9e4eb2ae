import type { NodeId } from '../wire/node-id.ts';
import type { PeerEnvironment } from './peer-environment.ts';
import type { PeerLoads } from './peer-loads.ts';
import { REQUEST_TRANSMISSIONS_MAX } from './timing.ts';

interface RequestName {
  readonly transactionId: bigint;
  readonly signer: { readonly nodeId: NodeId };
}

/** MessageContents and SecurityBlock of an answer; the header is built anew for each path. */
export interface SealedAnswer {
  readonly contents: Uint8Array;
  readonly block: Uint8Array;
}

interface Entry {
  readonly startedMs: number;
  /** undefined while the answer is not ready. */
  answer: SealedAnswer | undefined;
}

/**
 * The transaction table — RFC 6940 §6.2.1: within the longest life of a request, a repeated one
 * gets the answer of the first. Bounded: beyond its limits the oldest answers go first. What is
 * older than that life counts no more, and is removed now and then.
 */
export class AnswerCache {
  private readonly env: PeerEnvironment;
  /** In the order in which the requests came. */
  private readonly entries = new Map<string, Entry>();
  private heldBytes = 0;
  private pending = 0;

  constructor(env: PeerEnvironment) {
    this.env = env;
  }

  get loads(): Pick<PeerLoads, 'cachedAnswers' | 'cachedAnswerBytes' | 'pendingRequests'> {
    const { pending, heldBytes, entries } = this;
    return {
      cachedAnswers: entries.size - pending,
      cachedAnswerBytes: heldBytes,
      pendingRequests: pending,
    };
  }

  find(request: RequestName): Entry | undefined {
    const entry = this.entries.get(nameOf(request));
    return entry !== undefined && this.counts(entry) ? entry : undefined;
  }

  /** Notes a request that will be answered; false if too many wait already. */
  begin(request: RequestName): boolean {
    const name = nameOf(request);
    const former = this.entries.get(name);
    if (former !== undefined) this.remove(name, former);
    if (this.pending >= this.env.limits.pendingRequestsMax) this.removeOld();
    if (this.pending >= this.env.limits.pendingRequestsMax) return false;
    this.pending++;
    this.entries.set(name, {
      startedMs: this.env.now.monotonicMs,
      answer: undefined,
    });
    if (!this.env.deadlines.has('cachedAnswers')) this.arm(this.requestLifeMs);
    return true;
  }

  finish(request: RequestName, answer: SealedAnswer): void {
    const entry = this.entries.get(nameOf(request));
    if (entry === undefined || entry.answer !== undefined || !this.counts(entry)) return;
    entry.answer = answer;
    this.pending--;
    this.heldBytes += sizeOf(answer);
    const { cachedAnswersMax, cachedAnswersBytesMax } = this.env.limits;
    for (const [name, oldest] of this.entries) {
      const answered = this.entries.size - this.pending;
      if (answered <= cachedAnswersMax && this.heldBytes <= cachedAnswersBytesMax) return;
      if (oldest.answer !== undefined) this.remove(name, oldest);
    }
  }

  /** Removes what is older than the longest life of a request. */
  expire(): void {
    const oldest = this.removeOld();
    if (oldest === undefined) return;
    const leftMs = oldest.startedMs + this.requestLifeMs - this.env.now.monotonicMs;
    this.arm(Math.max(leftMs, ANSWERS_SWEEP_MS));
  }

  /** The oldest that is left. */
  private removeOld(): Entry | undefined {
    for (const [name, entry] of this.entries) {
      if (this.counts(entry)) return entry;
      this.remove(name, entry);
    }
    return undefined;
  }

  private counts({ startedMs }: Entry): boolean {
    return startedMs > this.env.now.monotonicMs - this.requestLifeMs;
  }

  private remove(name: string, entry: Entry): void {
    this.entries.delete(name);
    if (entry.answer === undefined) this.pending--;
    else this.heldBytes -= sizeOf(entry.answer);
  }

  private arm(delayMs: number): void {
    this.env.after('cachedAnswers', { type: 'cachedAnswers' }, delayMs);
  }

  private get requestLifeMs(): number {
    return REQUEST_TRANSMISSIONS_MAX * this.env.configuration.overlayReliabilityTimerMs;
  }
}

function nameOf(request: RequestName): string {
  return `${request.transactionId}:${request.signer.nodeId}`;
}

function sizeOf(answer: SealedAnswer): number {
  return answer.contents.length + answer.block.length;
}

/** Old answers are removed together: what happens this often is felt in an overlay of thousands. */
const ANSWERS_SWEEP_MS = 15_000;
