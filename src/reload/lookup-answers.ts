import { MalformedMessage } from '../wire/malformed-message.ts';
import type { GenericCertificate } from '../wire/security-block.ts';
import type { KindId } from '../wire/stored-data.ts';
import type { CommandOutcome, FetchedValue } from './command.ts';
import { failureOf, type RunningCommand, readFetched } from './command-answer.ts';
import { type VerifiedAnswer, verifyFetchAnswer } from './fetch-answer.ts';
import type { PeerEnvironment } from './peer-environment.ts';
import type { RequestOutcome } from './request-owner.ts';

/**
 * Gathers what the requests of one redundant lookup bring (RFC 6940 §13.5.4): of each value the
 * newest that passes the checks counts, and "there is none" only if nobody shows the contrary.
 */
export class LookupAnswers {
  private readonly env: PeerEnvironment;
  private readonly running: RunningCommand;
  private readonly asked: number;
  private ended = 0;
  private found = 0;
  private readonly answers: VerifiedAnswer[] = [];
  private readonly certificates: GenericCertificate[] = [];
  private failure: CommandOutcome | undefined;

  /** `asked`: how many requests were sent; each has one outcome. */
  constructor(env: PeerEnvironment, running: RunningCommand, asked: number) {
    this.env = env;
    this.running = running;
    this.asked = asked;
  }

  /** Takes in the outcome of one request; the command's own outcome as soon as it is known. */
  take(outcome: RequestOutcome): CommandOutcome | undefined {
    this.ended++;
    const { resource } = this.running;
    if (outcome.type === 'answer' && resource !== undefined) {
      const { body, certificates } = outcome;
      const answer = verifyFetchAnswer(this.env, resource, body, certificates);
      if (answer instanceof MalformedMessage) {
        const failure = { code: 'malformed-answer', detail: answer.describe() } as const;
        this.failure ??= { ok: false, failure };
      } else {
        this.answers.push(answer);
        this.certificates.push(...certificates);
        if (answer.values.some(({ value }) => value !== undefined)) this.found++;
      }
    } else if (outcome.type !== 'answer') this.failure ??= failureOf(outcome);
    return this.isDecided() ? this.decide() : undefined;
  }

  private isDecided(): boolean {
    if (this.ended >= this.asked) return true;
    // A certificate proves by itself whose it is: one right answer is enough.
    if (this.running.command.type === 'lookupByNodeId') {
      return this.found > 0 && this.decide().ok;
    }
    // Others may know newer or more values: most of those asked must have shown some.
    return this.found * 2 > this.asked;
  }

  private decide(): CommandOutcome {
    if (this.answers.length === 0 && this.failure !== undefined) return this.failure;
    const merged = mergedAnswer(this.answers, this.isSet);
    return readFetched(this.env, this.running.command, merged, this.certificates);
  }

  /** Certificates stand side by side: an index says nothing about which is meant. */
  private get isSet(): boolean {
    const { type } = this.running.command;
    return type === 'lookupByNodeId' || type === 'lookupByUserName';
  }
}

function mergedAnswer(answers: readonly VerifiedAnswer[], isSet: boolean): VerifiedAnswer {
  const values = new Map<string, FetchedValue>();
  const generations = new Map<KindId, bigint>();
  for (const answer of answers) {
    for (const value of answer.values) {
      const key = keyOf(value, isSet);
      const other = values.get(key);
      if (other === undefined || isNewer(value, other)) values.set(key, value);
    }
    for (const [kind, generation] of answer.generations) {
      const other = generations.get(kind);
      if (other === undefined || generation > other) generations.set(kind, generation);
    }
  }
  const refusals = [...new Set(answers.flatMap((answer) => answer.refusals))];
  return { values: [...values.values()], signed: new Map(), generations, refusals };
}

function keyOf({ kind, place, value }: FetchedValue, isSet: boolean): string {
  if (isSet) return Buffer.from(value ?? NO_BYTES).toString('latin1');
  if (place.model === 'single') return `${kind}`;
  if (place.model === 'array') return `${kind} ${place.index}`;
  return `${kind} ${Buffer.from(place.key).toString('hex')}`;
}

/** RFC 6940 §13.5.3: an older storage time shows a rollback. Whatever is signed beats "nothing". */
function isNewer(value: FetchedValue, than: FetchedValue): boolean {
  if (value.signer === undefined || than.signer === undefined) return value.signer !== undefined;
  return value.storageTimeUnixMs > than.storageTimeUnixMs;
}

const NO_BYTES = new Uint8Array(0);
