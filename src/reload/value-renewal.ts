import { AccessPolicy, type KindDefinition } from '../overlay-config/kind-definition.ts';
import { placeOf } from '../storage/place.ts';
import { nodeMultipleResourceId, resourceIdOf } from '../storage/resource-name.ts';
import { MalformedMessage } from '../wire/malformed-message.ts';
import { nodeIdBytes } from '../wire/node-id.ts';
import type { ResourceId } from '../wire/resource-id.ts';
import type { KindId } from '../wire/stored-data.ts';
import type { FetchSpecifier, ValueToStore } from './command.ts';
import { everythingOf, fetchRequest, storeRequest } from './data-request.ts';
import { type VerifiedAnswer, verifyFetchAnswer } from './fetch-answer.ts';
import type { MessageTransport } from './message-transport.ts';
import type { PeerEnvironment } from './peer-environment.ts';
import { describeOutcome, type RequestOutcome } from './request-owner.ts';
import { OWN_RECORD_REFRESH_MS, OWN_RECORD_RETRY_MS } from './timing.ts';

/**
 * Signs values anew that applications stored and a former certificate signed: they would end with
 * it. The access policies of a Kind say where this node may have stored any (RFC 6940 §7.3), so
 * each such place is asked for them, one after another: nothing has to be remembered.
 */
export class ValueRenewal {
  private readonly env: PeerEnvironment;
  private readonly transport: MessageTransport;
  /** Kinds that are kept by someone else. */
  private readonly isKept: (kind: KindId) => boolean;
  private places: OwnPlace[] = [];
  private isBusy = false;
  private failures = 0;
  /** The former certificate ends, and with it what it signed. */
  private untilUnixMs = 0;

  constructor(
    env: PeerEnvironment,
    transport: MessageTransport,
    isKept: (kind: KindId) => boolean,
  ) {
    this.env = env;
    this.transport = transport;
    this.isKept = isKept;
  }

  /** Places that have not been looked at yet. */
  get waiting(): number {
    return this.places.length;
  }

  start(untilUnixMs: number): void {
    this.untilUnixMs = untilUnixMs;
    this.failures = 0;
    this.places = [];
    for (const kind of this.env.configuration.kinds.values()) {
      if (this.isKept(kind.kindId)) continue;
      for (const resource of this.resourcesOf(kind)) {
        this.places.push({ resource, kind: kind.kindId });
      }
    }
    if (!this.isBusy) this.next();
  }

  /** The pause after a failure is over. */
  handleTimer(): void {
    if (!this.isBusy) this.next();
  }

  handleOutcome(step: 'fetch' | 'store', outcome: RequestOutcome): void {
    this.isBusy = false;
    const place = this.places[0];
    if (place === undefined) return;
    if (outcome.type !== 'answer') {
      this.fail(place, describeOutcome(outcome));
      return;
    }
    if (step === 'store') {
      this.finish();
      return;
    }
    const { body, certificates } = outcome;
    const answer = verifyFetchAnswer(this.env, place.resource, body, certificates);
    if (answer instanceof MalformedMessage) this.fail(place, answer.describe());
    else this.signAnew(place, answer);
  }

  private next(): void {
    const place = this.places[0];
    if (place === undefined) return;
    if (this.env.now.unixMs > this.untilUnixMs) {
      this.places = [];
      return;
    }
    if (this.env.state !== 'joined') {
      this.pause();
      return;
    }
    const specifiers = this.specifiersOf(place.kind);
    if (specifiers.length === 0) {
      this.finish();
      return;
    }
    this.isBusy = true;
    const owner = { type: 'renewValue', step: 'fetch' } as const;
    this.transport.request(fetchRequest(place.resource, specifiers, owner));
  }

  /** Guarded by the generation counter: another device of the user may write meanwhile. */
  private signAnew({ resource, kind }: OwnPlace, answer: VerifiedAnswer): void {
    const { certificate } = this.env.signer.node;
    const values: ValueToStore[] = [];
    for (const { data, signer } of answer.signed.get(kind) ?? []) {
      const { exists, value } = data.value.value;
      const isOld = signer.node.certificate.sha256 !== certificate.sha256;
      if (!exists || !isOld || signer.nodeId !== this.env.nodeId) continue;
      values.push({ kind, place: placeOf(data.value), value, lifetimeSeconds: data.lifetime });
    }
    if (values.length === 0) {
      this.finish();
      return;
    }
    this.isBusy = true;
    const generations = new Map([[kind, answer.generations.get(kind) ?? 0n]]);
    const owner = { type: 'renewValue', step: 'store' } as const;
    this.transport.request(storeRequest(this.env, resource, values, owner, generations));
  }

  private finish(): void {
    this.places.shift();
    this.failures = 0;
    this.next();
  }

  private fail(place: OwnPlace, reason: string): void {
    this.failures++;
    this.env.event({ type: 'ownDataFailed', kind: place.kind, reason });
    // The others need not wait for it.
    this.places.push(...this.places.splice(0, 1));
    this.pause();
  }

  private pause(): void {
    const pauseMs = Math.min(OWN_RECORD_RETRY_MS * 2 ** this.failures, OWN_RECORD_REFRESH_MS);
    const delayMs = this.env.randomMs(pauseMs / 2, pauseMs);
    this.env.after('valueRenewal', { type: 'valueRenewal' }, delayMs);
  }

  /** Where this node may have stored values of a Kind. */
  private resourcesOf(kind: KindDefinition): ResourceId[] {
    const { nodeId, signer } = this.env;
    switch (kind.accessPolicy) {
      case AccessPolicy.userMatch:
      case AccessPolicy.userNodeMatch:
        return [resourceIdOf(signer.node.userName)];
      case AccessPolicy.nodeMatch:
        return [resourceIdOf(nodeIdBytes(nodeId))];
      case AccessPolicy.nodeMultiple: {
        const count = Math.min(kind.maxNodeMultiple ?? 0, NODE_MULTIPLES_MAX);
        return Array.from({ length: count }, (_, i) => nodeMultipleResourceId(nodeId, i + 1));
      }
    }
  }

  /** Of a dictionary by USER-NODE-MATCH one entry alone can be this node's (RFC 6940 §7.3.3). */
  private specifiersOf(kind: KindId): FetchSpecifier[] {
    const policy = this.env.configuration.kinds.get(kind)?.accessPolicy;
    if (policy !== AccessPolicy.userNodeMatch) return everythingOf(this.env, kind);
    const keys = [nodeIdBytes(this.env.nodeId)];
    return [{ kind, specifier: { model: 'dictionary', keys } }];
  }
}

interface OwnPlace {
  readonly resource: ResourceId;
  readonly kind: KindId;
}

/** RFC 6940 §7.3.4: i is one byte. */
const NODE_MULTIPLES_MAX = 255;
