import { KindIds } from '../overlay-config/kind-definition.ts';
import { resourceIdOf } from '../storage/resource-name.ts';
import { AppAttachReqAns } from '../wire/attach.ts';
import { encode } from '../wire/codec.ts';
import { type Destination, nodeDestination, resourceDestination } from '../wire/destination.ts';
import { MessageCode } from '../wire/message-contents.ts';
import { type NodeId, nodeIdBytes } from '../wire/node-id.ts';
import type { ResourceId } from '../wire/resource-id.ts';
import { FindReq } from '../wire/store.ts';
import { ARRAY_INDEX_END, type KindId } from '../wire/stored-data.ts';
import { PingReq, ProbeReq, RouteQueryReq } from '../wire/topology.ts';
import { routedThrough } from './attach-manager.ts';
import { applicationAddresses, ownCandidates } from './candidates.ts';
import type {
  Command,
  CommandFailureCode,
  CommandOutcome,
  FetchSpecifier,
  ValueToStore,
} from './command.ts';
import { type AnsweredCommand, readCommandAnswer } from './command-answer.ts';
import { fetchRequest, storeRequest } from './data-request.ts';
import type { CommandId } from './input.ts';
import type { LookupDefences } from './lookup-defences.ts';
import { LookupRounds } from './lookup-rounds.ts';
import type { MessageTransport } from './message-transport.ts';
import type { PeerEnvironment } from './peer-environment.ts';
import { asksFurther, detourAround, type RoutingView } from './redundant-lookup.ts';
import type { RequestOutcome } from './request-owner.ts';
import { toldIfRevoked } from './revoked-lookup.ts';

/** What commands ask of the rest of the Peer. */
export interface CommandListener {
  leave(id: CommandId): void;
  routingView(): RoutingView;
}

/** Carries out what applications ask: each command is one request, and ends with one outcome. */
export class CommandService {
  private readonly env: PeerEnvironment;
  private readonly transport: MessageTransport;
  private readonly listener: CommandListener;
  private readonly running = new Map<CommandId, RunningCommand>();

  constructor(env: PeerEnvironment, transport: MessageTransport, listener: CommandListener) {
    this.env = env;
    this.transport = transport;
    this.listener = listener;
  }

  get commandsUnderWay(): number {
    return this.running.size;
  }

  handleCommand(id: CommandId, command: Command): void {
    if (command.type === 'leave') {
      this.listener.leave(id);
      return;
    }
    if (this.env.state !== 'joined') {
      this.fail(id, 'not-joined', `this peer is not in the overlay: it is ${this.env.state}`);
      return;
    }
    if (this.running.size >= this.env.limits.commandsMax) {
      this.fail(id, 'too-busy', `${this.running.size} commands are under way`);
      return;
    }
    switch (command.type) {
      case 'lookupByNodeId': {
        const resource = resourceIdOf(nodeIdBytes(command.nodeId));
        this.fetch(id, command, resource, [wholeArray(KindIds.certificateByNode)]);
        return;
      }
      case 'lookupByUserName': {
        const resource = resourceIdOf(command.userName);
        this.fetch(id, command, resource, [wholeArray(KindIds.certificateByUser)]);
        return;
      }
      case 'locate': {
        const specifier = { model: 'dictionary', keys: [] } as const;
        const resource = resourceIdOf(command.userName);
        this.fetch(id, command, resource, [{ kind: KindIds.xmppLocation, specifier }]);
        return;
      }
      case 'fetch':
      case 'stat':
        this.fetch(id, command, command.resource, command.specifiers);
        return;
      case 'store':
        this.store(id, command, command.resource, command.values);
        return;
      case 'find':
        this.find(id, command, command.resource, command.kinds);
        return;
      default:
        this.askNode(id, command);
    }
  }

  handleOutcome(id: CommandId, outcome: RequestOutcome): void {
    const running = this.running.get(id);
    if (running === undefined) return;
    const result =
      running.rounds === undefined
        ? readCommandAnswer(this.env, running, outcome)
        : running.rounds.take(outcome);
    if (result === undefined) return;
    this.running.delete(id);
    if (running.rounds !== undefined) {
      this.transport.forget((owner) => owner.type === 'command' && owner.id === id);
    }
    this.complete(id, toldIfRevoked(this.env, running.command, result));
  }

  /** The peer stops: nothing that is under way will be answered. */
  stop(): void {
    for (const id of [...this.running.keys()]) {
      this.running.delete(id);
      this.fail(id, 'stopped', 'this peer has left the overlay');
    }
  }

  private fetch(
    id: CommandId,
    command: Command,
    resource: ResourceId,
    specifiers: readonly FetchSpecifier[],
  ): void {
    const fault = specifiers
      .map(({ kind, specifier }) => this.kindFault(kind, specifier.model))
      .find((found) => found !== undefined);
    if (fault !== undefined) {
      this.fail(id, 'bad-request', fault);
      return;
    }
    const { defences } = this.env.options;
    if (defences !== undefined && command.type !== 'stat') {
      this.fetchRedundantly(id, { command, resource }, specifiers, defences);
      return;
    }
    const code = command.type === 'stat' ? MessageCode.statReq : MessageCode.fetchReq;
    this.running.set(id, { command, resource });
    const request = fetchRequest(resource, specifiers, { type: 'command', id }, code);
    const detour = (refused: NodeId) =>
      detourAround(this.env, resource, refused, this.listener.routingView());
    this.transport.request({ ...request, detour });
  }

  private fetchRedundantly(
    id: CommandId,
    running: RunningCommand & { readonly resource: ResourceId },
    specifiers: readonly FetchSpecifier[],
    defences: LookupDefences,
  ): void {
    const { resource } = running;
    const { fetchReq } = MessageCode;
    running.rounds = new LookupRounds(this.env, running.command, resource, {
      defences,
      routingView: () => this.listener.routingView(),
      ask: ({ destinationList, reroute }) => {
        const owner = { type: 'command', id } as const;
        const request = fetchRequest(resource, specifiers, owner, fetchReq, destinationList);
        // Who is silent is not waited for as long as others can be asked instead.
        const rounds = asksFurther(defences) ? { transmissionsMax: ROUND_TRANSMISSIONS } : {};
        this.transport.request({ ...request, reroute, ...rounds });
      },
    });
    this.running.set(id, running);
    running.rounds.start();
  }

  private store(
    id: CommandId,
    command: Command,
    resource: ResourceId,
    values: readonly ValueToStore[],
  ): void {
    const fault = values
      .map(({ kind, place }) => this.kindFault(kind, place.model))
      .find((found) => found !== undefined);
    if (fault !== undefined || values.length === 0) {
      this.fail(id, 'bad-request', fault ?? 'no value to store is given');
      return;
    }
    this.running.set(id, { command, resource });
    this.transport.request(storeRequest(this.env, resource, values, { type: 'command', id }));
  }

  private find(
    id: CommandId,
    command: Command,
    resource: ResourceId,
    kinds: readonly KindId[],
  ): void {
    this.request(id, { command, resource }, [resourceDestination(resource)], {
      code: MessageCode.findReq,
      body: encode(FindReq, { resource, kinds: [...kinds] }),
    });
  }

  private askNode(id: CommandId, command: NodeQuestion): void {
    const running = { command, resource: undefined };
    const path = pathTo(command);
    if (path.length > this.env.limits.destinationsMax || !endsAt(path, command.nodeId)) {
      this.fail(id, 'bad-request', `the destination list does not end at node ${command.nodeId}`);
      return;
    }
    this.request(id, running, path, this.question(command));
  }

  private question(command: NodeQuestion): { code: number; body: Uint8Array } {
    switch (command.type) {
      case 'ping':
        return { code: MessageCode.pingReq, body: encode(PingReq, { padding: NO_BYTES }) };
      case 'probe': {
        const requestedInfo = [...command.requestedInfo];
        return { code: MessageCode.probeReq, body: encode(ProbeReq, { requestedInfo }) };
      }
      case 'routeQuery': {
        const query = {
          sendUpdate: false,
          destination: targetDestination(command.target),
          overlaySpecificData: NO_BYTES,
        };
        return { code: MessageCode.routeQueryReq, body: encode(RouteQueryReq, query) };
      }
      case 'appAttach': {
        const offer = {
          ufrag: NO_BYTES,
          password: NO_BYTES,
          application: command.application,
          role: 'passive',
          candidates: ownCandidates(applicationAddresses(this.env.options, command.application)),
        };
        return { code: MessageCode.appAttachReq, body: encode(AppAttachReqAns, offer) };
      }
    }
  }

  private request(
    id: CommandId,
    running: RunningCommand,
    destinationList: readonly Destination[],
    question: { readonly code: number; readonly body: Uint8Array },
  ): void {
    this.running.set(id, running);
    this.transport.request({ destinationList, ...question, owner: { type: 'command', id } });
  }

  private kindFault(kind: KindId, model: string): string | undefined {
    const definition = this.env.configuration.kinds.get(kind);
    if (definition === undefined) return `this overlay has no Kind 0x${kind.toString(16)}`;
    if (definition.dataModel === model) return undefined;
    return `the Kind 0x${kind.toString(16)} is a ${definition.dataModel}, not a ${model}`;
  }

  private fail(id: CommandId, code: CommandFailureCode, detail: string): void {
    this.complete(id, { ok: false, failure: { code, detail } });
  }

  private complete(id: CommandId, outcome: CommandOutcome): void {
    this.env.emit({ type: 'completed', id, outcome });
  }
}

/** A command that waits for its answer. */
interface RunningCommand extends AnsweredCommand {
  /** Where it asks several peers; absent: one request. */
  rounds?: LookupRounds;
}

function wholeArray(kind: KindId): FetchSpecifier {
  return { kind, specifier: { model: 'array', ranges: [{ first: 0, last: ARRAY_INDEX_END }] } };
}

/** A command that one node answers. */
type NodeQuestion = Extract<Command, { type: 'ping' | 'probe' | 'routeQuery' | 'appAttach' }>;

function pathTo(command: NodeQuestion): readonly Destination[] {
  if (command.type === 'appAttach' && command.destinationList !== undefined) {
    return command.destinationList;
  }
  const through = command.type === 'ping' ? command.through : undefined;
  return routedThrough(nodeDestination(command.nodeId), through);
}

function endsAt(path: readonly Destination[], nodeId: NodeId): boolean {
  const last = path.at(-1);
  return last?.type === 'node' && last.nodeId === nodeId;
}

/** A target of 32 digits may be either; a Resource-ID reaches whoever is responsible for it. */
function targetDestination(target: NodeId | ResourceId): Destination {
  return resourceDestination(target as ResourceId);
}

/** Of each request in one round of a redundant lookup. */
const ROUND_TRANSMISSIONS = 2;
const NO_BYTES = new Uint8Array(0);
