import { MalformedMessage } from '../wire/malformed-message.ts';
import type { NodeId } from '../wire/node-id.ts';
import type { ResourceId } from '../wire/resource-id.ts';
import type { GenericCertificate } from '../wire/security-block.ts';
import type { KindId } from '../wire/stored-data.ts';
import type { Command, CommandOutcome, FetchedValue } from './command.ts';
import { failureOf, readFetched } from './command-answer.ts';
import { type VerifiedAnswer, verifyFetchAnswer } from './fetch-answer.ts';
import type { LookupDefences } from './lookup-defences.ts';
import type { PeerEnvironment } from './peer-environment.ts';
import {
  asksFurther,
  furtherRoutes,
  type LookupRoute,
  lookupRoutes,
  type RoutingView,
  targetKey,
} from './redundant-lookup.ts';
import type { RequestOutcome } from './request-owner.ts';

/** What a redundant lookup asks of the Peer. */
export interface LookupSender {
  readonly defences: LookupDefences;
  routingView(): RoutingView;
  /** Sends the Fetch this way; its outcome comes to `take`. */
  ask(route: LookupRoute): void;
}

/**
 * One redundant lookup (RFC 6940 §13.5.4): asks in rounds, and gathers what comes. Of each value
 * the newest that passes the checks counts, and "there is none" only if nobody shows the contrary.
 */
export class LookupRounds {
  private readonly env: PeerEnvironment;
  private readonly command: Command;
  private readonly resource: ResourceId;
  private readonly sender: LookupSender;
  private readonly startedMs: number;
  /** Requests sent; each has one outcome. */
  private asked = 0;
  private readonly targets = new Set<string>();
  private readonly signers = new Set<NodeId>();
  private ended = 0;
  private found = 0;
  private readonly answers: VerifiedAnswer[] = [];
  private readonly certificates: GenericCertificate[] = [];
  private failure: CommandOutcome | undefined;

  constructor(env: PeerEnvironment, command: Command, resource: ResourceId, sender: LookupSender) {
    this.env = env;
    this.command = command;
    this.resource = resource;
    this.sender = sender;
    this.startedMs = env.now.monotonicMs;
  }

  start(): void {
    const { defences } = this.sender;
    this.askAll(lookupRoutes(this.env, this.resource, defences, this.sender.routingView()));
  }

  /** Takes in the outcome of one request; the command's own outcome as soon as it is known. */
  take(outcome: RequestOutcome): CommandOutcome | undefined {
    this.ended++;
    if ('signer' in outcome) this.signers.add(outcome.signer.nodeId);
    if (outcome.type === 'answer') {
      const { body, certificates } = outcome;
      const answer = verifyFetchAnswer(this.env, this.resource, body, certificates);
      if (answer instanceof MalformedMessage) {
        const failure = { code: 'malformed-answer', detail: answer.describe() } as const;
        this.failure ??= { ok: false, failure };
      } else {
        this.answers.push(answer);
        this.certificates.push(...certificates);
        if (answer.values.some(({ value }) => value !== undefined)) this.found++;
      }
    } else this.failure ??= failureOf(outcome);
    if (this.isDecided()) return this.decide();
    if (this.ended < this.asked || this.askFurther()) return undefined;
    return this.decide();
  }

  /** Returns whether there is anybody else to ask, and time. */
  private askFurther(): boolean {
    const { env, resource, sender, targets, signers } = this;
    if (!asksFurther(sender.defences)) return false;
    if (env.now.monotonicMs - this.startedMs > FURTHER_WITHIN_MS) return false;
    const view = sender.routingView();
    const routes = furtherRoutes(env, resource, sender.defences, view, targets, signers);
    this.askAll(routes);
    return routes.length > 0;
  }

  private askAll(routes: readonly LookupRoute[]): void {
    this.asked += routes.length;
    for (const route of routes) {
      this.targets.add(targetKey(route.destinationList.at(-1)));
      this.sender.ask(route);
    }
  }

  private isDecided(): boolean {
    // A certificate proves by itself whose it is: one right answer is enough.
    if (this.command.type === 'lookupByNodeId') {
      return this.found > 0 && this.decide().ok;
    }
    // Others may know newer or more values: most of those asked must have shown some.
    return this.found * 2 > this.asked;
  }

  private decide(): CommandOutcome {
    if (this.answers.length === 0 && this.failure !== undefined) return this.failure;
    const merged = mergedAnswer(this.answers, this.isSet);
    return readFetched(this.env, this.command, merged, this.certificates);
  }

  /** Certificates stand side by side: an index says nothing about which is meant. */
  private get isSet(): boolean {
    const { type } = this.command;
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

/** A round takes two transmissions: the answers of the last one still come within 15 s. */
const FURTHER_WITHIN_MS = 7_500;
const NO_BYTES = new Uint8Array(0);
