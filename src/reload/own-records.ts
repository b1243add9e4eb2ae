import { KindIds } from '../overlay-config/kind-definition.ts';
import { resourceIdOf } from '../storage/resource-name.ts';
import type { Signer } from '../tls-auth/signer.ts';
import { encode } from '../wire/codec.ts';
import { nodeDestination } from '../wire/destination.ts';
import { MalformedMessage } from '../wire/malformed-message.ts';
import { type NodeId, nodeIdBytes } from '../wire/node-id.ts';
import type { ResourceId } from '../wire/resource-id.ts';
import { ARRAY_INDEX_END, type KindId } from '../wire/stored-data.ts';
import { XmppLocation } from '../wire/xmpp-location.ts';
import { routedThrough } from './attach-manager.ts';
import type { FetchedValue, ValueToStore } from './command.ts';
import { fetchRequest, storeRequest } from './data-request.ts';
import { type VerifiedAnswer, verifyFetchAnswer } from './fetch-answer.ts';
import type { MessageTransport } from './message-transport.ts';
import type { PeerEnvironment } from './peer-environment.ts';
import { describeOutcome, type RequestOutcome } from './request-owner.ts';
import {
  OWN_CERTIFICATE_LIFETIME_SECONDS,
  OWN_LOCATION_LIFETIME_SECONDS,
  OWN_RECORD_REFRESH_MS,
  OWN_RECORD_RETRY_MS,
} from './timing.ts';

/** A record that this node keeps in the overlay about itself. */
interface OwnRecord {
  readonly name: string;
  readonly kind: KindId;
  readonly resource: ResourceId;
  stored: boolean;
  busy: boolean;
  failures: number;
  dueMs: number;
  /** Who signed what is on its way or stored. */
  signer: Signer | undefined;
}

/**
 * The own certificate under Node-ID and user name (RFC 6940 §8) and the own location (XEP-0415 §4):
 * stored on joining, kept alive, and the location removed on leaving.
 */
export class OwnRecords {
  private readonly env: PeerEnvironment;
  private readonly transport: MessageTransport;
  private readonly accessPoint: () => NodeId | undefined;
  private readonly records: OwnRecord[];
  private removing = false;

  /** `accessPoint`: the peer through which alone messages find this node, if there is one. */
  constructor(
    env: PeerEnvironment,
    transport: MessageTransport,
    accessPoint: () => NodeId | undefined,
  ) {
    this.env = env;
    this.transport = transport;
    this.accessPoint = accessPoint;
    const { signer } = env;
    const { publishLocation } = env.options;
    const byNode = resourceIdOf(nodeIdBytes(env.nodeId));
    const byUser = resourceIdOf(signer.node.userName);
    this.records = [
      record('certificateByNode', KindIds.certificateByNode, byNode),
      record('certificateByUser', KindIds.certificateByUser, byUser),
    ];
    const hasAddress = signer.node.xmppAddr !== undefined;
    if (publishLocation && hasAddress && env.configuration.kinds.has(KindIds.xmppLocation)) {
      this.records.push(record('location', KindIds.xmppLocation, byUser));
    }
  }

  get storedKinds(): KindId[] {
    return this.records.filter(({ stored }) => stored).map(({ kind }) => kind);
  }

  get isComplete(): boolean {
    return this.records.every(({ stored }) => stored);
  }

  /** This node has joined, or joined again: everything is stored anew. */
  handleJoined(): void {
    for (const own of this.records) own.dueMs = this.env.now.monotonicMs;
    this.handleTimer();
  }

  /** Another certificate is in force: all that the former one signed is replaced. */
  handleRenewed(): void {
    for (const own of this.records) {
      own.dueMs = this.env.now.monotonicMs;
      own.failures = 0;
    }
    this.handleTimer();
  }

  /** How many of the records in the overlay are not signed with the certificate in force. */
  get formerCount(): number {
    return this.records.filter(({ stored, signer }) => stored && signer !== this.env.signer).length;
  }

  keeps(kind: KindId): boolean {
    return this.records.some((own) => own.kind === kind);
  }

  handleTimer(): void {
    const nowMs = this.env.now.monotonicMs;
    if (this.env.state === 'joined') {
      for (const own of this.records) if (!own.busy && own.dueMs <= nowMs) this.begin(own);
    }
    this.arm();
  }

  handleOutcome(name: string, step: 'fetch' | 'store', outcome: RequestOutcome): void {
    const own = this.records.find((candidate) => candidate.name === name);
    if (own === undefined || !own.busy) return;
    if (this.removing && own.kind === KindIds.xmppLocation && step === 'store') {
      this.removing = false;
      own.stored = false;
      return;
    }
    if (outcome.type !== 'answer') {
      this.fail(own, describeOutcome(outcome));
      return;
    }
    if (step === 'store') {
      this.succeed(own);
      return;
    }
    const { body, certificates } = outcome;
    const answer = verifyFetchAnswer(this.env, own.resource, body, certificates);
    if (answer instanceof MalformedMessage) {
      this.fail(own, answer.describe());
      return;
    }
    this.storeCertificate(own, answer);
  }

  /** XEP-0415: a node that leaves is not found any more. Returns false if there is no location. */
  removeLocation(): boolean {
    const own = this.records.find(({ kind }) => kind === KindIds.xmppLocation);
    if (own === undefined || !own.stored) return false;
    own.busy = true;
    this.removing = true;
    const place = { model: 'dictionary', key: nodeIdBytes(this.env.nodeId) } as const;
    this.store(own, [{ place, value: undefined }]);
    return true;
  }

  /** The own location is being removed. */
  get isRemoving(): boolean {
    return this.removing;
  }

  private begin(own: OwnRecord): void {
    own.busy = true;
    if (own.kind === KindIds.xmppLocation) {
      const place = { model: 'dictionary', key: nodeIdBytes(this.env.nodeId) } as const;
      this.store(own, [{ place, value: this.location() }]);
      return;
    }
    const everything = { model: 'array', ranges: [{ first: 0, last: ARRAY_INDEX_END }] } as const;
    const specifiers = [{ kind: own.kind, specifier: everything }];
    const owner = { type: 'ownRecord', record: own.name, step: 'fetch' } as const;
    this.transport.request(fetchRequest(own.resource, specifiers, owner));
  }

  /**
   * Where the certificate goes: over an earlier one of this node, into a place that is free again,
   * or to the end (RFC 6940 §8 appends; appending at every refresh would fill the array). Whatever
   * else this node has there is an earlier certificate, too, and goes.
   */
  private storeCertificate(own: OwnRecord, { values, generations }: VerifiedAnswer): void {
    const earlier = values.filter(
      ({ signer, value }) => signer?.nodeId === this.env.nodeId && value !== undefined,
    );
    const free = values.find(({ value }) => value === undefined);
    const index = arrayIndex(earlier[0] ?? free);
    const certificate = this.env.signer.node.certificate.der;
    const changes: Change[] = [{ place: { model: 'array', index }, value: certificate }];
    for (const { place } of earlier.slice(1)) changes.push({ place, value: undefined });
    // An index that was free may be taken meanwhile: the counter shows it. Appending is safe.
    const generation = generations.get(own.kind) ?? 0n;
    const guarded = index !== ARRAY_INDEX_END && generation !== 0n;
    this.store(own, changes, guarded ? new Map([[own.kind, generation]]) : undefined);
  }

  private store(
    own: OwnRecord,
    changes: readonly Change[],
    generations?: ReadonlyMap<KindId, bigint>,
  ): void {
    const lifetimeSeconds =
      own.kind === KindIds.xmppLocation
        ? OWN_LOCATION_LIFETIME_SECONDS
        : OWN_CERTIFICATE_LIFETIME_SECONDS;
    own.signer = this.env.signer;
    const values = changes.map((change) => ({ kind: own.kind, ...change, lifetimeSeconds }));
    const owner = { type: 'ownRecord', record: own.name, step: 'store' } as const;
    this.transport.request(storeRequest(this.env, own.resource, values, owner, generations));
  }

  /** XEP-0415 §4.2: a route to this node; of a client, perhaps through its peer (§3.2.1). */
  private location(): Uint8Array {
    const { forwardTo, locationPriority = 0 } = this.env.options;
    if (forwardTo !== undefined)
      return encode(XmppLocation, { type: 'address', address: forwardTo });
    return encode(XmppLocation, {
      type: 'route',
      priority: locationPriority,
      destinationList: routedThrough(nodeDestination(this.env.nodeId), this.accessPoint()),
    });
  }

  private succeed(own: OwnRecord): void {
    own.busy = false;
    own.stored = this.env.state === 'joined';
    own.failures = 0;
    const isCurrent = own.signer === this.env.signer;
    const pauseMs = isCurrent
      ? this.env.randomMs(0.75 * OWN_RECORD_REFRESH_MS, 1.25 * OWN_RECORD_REFRESH_MS)
      : 0;
    own.dueMs = this.env.now.monotonicMs + pauseMs;
    this.env.event({ type: 'ownDataStored', kind: own.kind, resource: own.resource });
    this.arm();
  }

  private fail(own: OwnRecord, reason: string): void {
    own.busy = false;
    const doublings = Math.min(own.failures++, 10);
    const pauseMs = Math.min(OWN_RECORD_RETRY_MS * 2 ** doublings, OWN_RECORD_REFRESH_MS);
    own.dueMs = this.env.now.monotonicMs + this.env.randomMs(pauseMs / 2, pauseMs);
    this.env.event({ type: 'ownDataFailed', kind: own.kind, reason });
    this.arm();
  }

  private arm(): void {
    const next = Math.min(...this.records.filter(({ busy }) => !busy).map(({ dueMs }) => dueMs));
    if (this.env.state !== 'joined' || !Number.isFinite(next)) return;
    this.env.deadlines.set('ownRecords', { type: 'ownRecords' }, next);
  }
}

function record(name: string, kind: KindId, resource: ResourceId): OwnRecord {
  const waiting = { stored: false, busy: false, failures: 0, dueMs: 0, signer: undefined };
  return { name, kind, resource, ...waiting };
}

function arrayIndex(value: FetchedValue | undefined): number {
  return value?.place.model === 'array' ? value.place.index : ARRAY_INDEX_END;
}

type Change = Pick<ValueToStore, 'place' | 'value'>;
