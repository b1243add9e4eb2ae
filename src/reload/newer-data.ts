import type { ResourceStore } from '../storage/resource-store.ts';
import { nodeDestination } from '../wire/destination.ts';
import { MalformedMessage } from '../wire/malformed-message.ts';
import { MessageCode } from '../wire/message-contents.ts';
import type { NodeId } from '../wire/node-id.ts';
import type { ResourceId } from '../wire/resource-id.ts';
import type { KindId } from '../wire/stored-data.ts';
import type { FetchSpecifier } from './command.ts';
import { everythingOf, fetchRequest } from './data-request.ts';
import { verifyFetchAnswer } from './fetch-answer.ts';
import type { MessageTransport } from './message-transport.ts';
import type { PeerEnvironment } from './peer-environment.ts';
import type { RequestOutcome } from './request-owner.ts';
import type { StorageService } from './storage-service.ts';

/**
 * Fetches what another peer has and this one should have. RFC 6940 §7.4.1.1: a peer whose copy is
 * refused as too old "MUST fetch the newer data" from where it was refused, "and replace its own
 * copy". And where a divided ring became one, the owner fetches what a peer holds that was
 * responsible in the other part: too far away to be allowed to store it here.
 */
export class NewerData {
  private readonly env: PeerEnvironment;
  private readonly store: ResourceStore;
  private readonly transport: MessageTransport;
  private readonly storage: StorageService;
  /** Being fetched: resource and node. */
  private readonly underWay = new Set<string>();

  constructor(
    env: PeerEnvironment,
    store: ResourceStore,
    transport: MessageTransport,
    storage: StorageService,
  ) {
    this.env = env;
    this.store = store;
    this.transport = transport;
    this.storage = storage;
  }

  /** `kinds`: what to fetch; without them, what this peer has of the resource. */
  fetch(resource: ResourceId, nodeId: NodeId, kinds?: readonly KindId[]): void {
    const held = () => this.store.exportResource(resource, this.env.now)?.kindData ?? [];
    const specifiers: FetchSpecifier[] = [];
    for (const kind of new Set(kinds ?? held().map((data) => data.kind))) {
      specifiers.push(...everythingOf(this.env, kind));
    }
    const name = `${nodeId}:${resource}`;
    const isBusy = this.underWay.size >= this.env.limits.adoptionsMax;
    if (specifiers.length === 0 || isBusy || this.underWay.has(name)) return;
    this.underWay.add(name);
    const owner = { type: 'adoptNewer', resource, nodeId } as const;
    const path = [nodeDestination(nodeId)];
    this.transport.request(fetchRequest(resource, specifiers, owner, MessageCode.fetchReq, path));
  }

  handleOutcome(resource: ResourceId, nodeId: NodeId, outcome: RequestOutcome): void {
    this.underWay.delete(`${nodeId}:${resource}`);
    if (outcome.type !== 'answer') return;
    const answer = verifyFetchAnswer(this.env, resource, outcome.body, outcome.certificates);
    if (answer instanceof MalformedMessage) return;
    const kinds = [...answer.signed]
      .filter(([, values]) => values.length > 0)
      .map(([kind, values]) => ({
        kind,
        generationCounter: answer.generations.get(kind) ?? 1n,
        values,
      }));
    if (kinds.length === 0) return;
    const requestSigner = outcome.signer;
    this.storage.adopt({ resource, replicaNumber: 1, requestSigner, kinds });
  }
}
