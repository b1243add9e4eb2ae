import type { AuthenticatedNode } from '../tls-auth/authenticated-node.ts';
import { CertificateRefusal } from '../tls-auth/certificate-refusal.ts';
import { AppAttachReqAns } from '../wire/attach.ts';
import { ChordRouteQueryAns } from '../wire/chord.ts';
import { type Codec, decode, readWhole } from '../wire/codec.ts';
import { ErrorCode, errorName } from '../wire/error-response.ts';
import { MalformedMessage } from '../wire/malformed-message.ts';
import { nodeIdFromBytes } from '../wire/node-id.ts';
import type { ResourceId } from '../wire/resource-id.ts';
import type { GenericCertificate } from '../wire/security-block.ts';
import { FindAns, StatAns, StoreAns, type StoredMetaData, storedMetaData } from '../wire/store.ts';
import { PingAns, ProbeAns } from '../wire/topology.ts';
import { XmppLocation } from '../wire/xmpp-location.ts';
import type {
  Command,
  CommandFailureCode,
  CommandOutcome,
  CommandResult,
  FetchedValue,
  Location,
  StatEntry,
} from './command.ts';
import { type VerifiedAnswer, verifyFetchAnswer } from './fetch-answer.ts';
import type { PeerEnvironment } from './peer-environment.ts';
import { describeOutcome, type RequestOutcome } from './request-owner.ts';

/** A command that waits for its answer. */
export interface AnsweredCommand {
  readonly command: Command;
  /** Where its data lies, for commands on data. */
  readonly resource: ResourceId | undefined;
}

type Answer = Extract<RequestOutcome, { type: 'answer' }>;

/** What the outcome of its request means for a command. Anything not checked is a failure. */
export function readCommandAnswer(
  env: PeerEnvironment,
  running: AnsweredCommand,
  outcome: RequestOutcome,
): CommandOutcome {
  if (outcome.type !== 'answer') return failureOf(outcome);
  const { command, resource } = running;
  switch (command.type) {
    case 'lookupByNodeId':
    case 'lookupByUserName':
    case 'locate':
    case 'fetch':
      return readFetchAnswer(env, command, resource as ResourceId, outcome);
    case 'stat':
      return readStat(env, outcome);
    case 'store':
      return answered(env, StoreAns, outcome, ({ kindResponses }) => ({
        type: 'stored',
        generations: new Map(kindResponses.map((kind) => [kind.kind, kind.generationCounter])),
        replicas: [...new Set(kindResponses.flatMap((kind) => kind.replicas))],
      }));
    case 'find':
      return answered(env, FindAns, outcome, ({ results }) => ({
        type: 'found',
        closest: new Map(results.map(({ kind, closest }) => [kind, closest])),
      }));
    case 'ping':
      return answered(env, PingAns, outcome, ({ time }) => ({
        type: 'pong',
        nodeId: outcome.signer.nodeId,
        roundTripMs: outcome.roundTripMs,
        peerTimeUnixMs: Number(time),
        hops: outcome.hops,
      }));
    case 'probe':
      return answered(env, ProbeAns, outcome, ({ probeInfo }) => ({
        type: 'probed',
        nodeId: outcome.signer.nodeId,
        info: probeInfo,
      }));
    case 'routeQuery':
      return answered(env, ChordRouteQueryAns, outcome, ({ nextPeer }) => ({
        type: 'nextPeer',
        nodeId: nextPeer,
      }));
    case 'appAttach':
      return answered(env, AppAttachReqAns, outcome, ({ candidates }) => ({
        type: 'appAttached',
        node: outcome.signer.node,
        candidates,
      }));
    case 'leave':
      return { ok: true, result: { type: 'left' } };
  }
}

function readFetchAnswer(
  env: PeerEnvironment,
  command: Command,
  resource: ResourceId,
  { body, certificates }: Answer,
): CommandOutcome {
  const answer = verifyFetchAnswer(env, resource, body, certificates);
  if (answer instanceof MalformedMessage) return failure('malformed-answer', answer.describe());
  return readFetched(env, command, answer, certificates);
}

/** What verified values mean for a command that fetches; `certificates` came with them. */
export function readFetched(
  env: PeerEnvironment,
  command: Command,
  answer: VerifiedAnswer,
  certificates: readonly GenericCertificate[],
): CommandOutcome {
  switch (command.type) {
    case 'lookupByNodeId': {
      const { nodeId } = command;
      const belongs = (node: AuthenticatedNode) => node.nodeIds.includes(nodeId);
      return readCertificates(env, answer, certificates, belongs, nodeId);
    }
    case 'lookupByUserName': {
      const { userName } = command;
      const belongs = (node: AuthenticatedNode) => node.userName === userName;
      return readCertificates(env, answer, certificates, belongs, userName);
    }
    case 'locate':
      return readLocations(env, answer, command.userName);
    default: {
      const { values, generations, refusals } = answer;
      return success({ type: 'values', values, generations, refused: refusals.length });
    }
  }
}

/**
 * RFC 6940 §8: each value is a certificate. It counts when its own chain is valid now and it names
 * whom it was looked up for; the signature of the value alone is not enough.
 */
function readCertificates(
  env: PeerEnvironment,
  answer: VerifiedAnswer,
  certificates: readonly GenericCertificate[],
  belongs: (node: AuthenticatedNode) => boolean,
  askedFor: string,
): CommandOutcome {
  const pool = certificates.map(({ certificate }) => certificate);
  const nodes = new Map<string, AuthenticatedNode>();
  const refusals = [...answer.refusals];
  for (const { value } of answer.values) {
    if (value === undefined) continue;
    const node = env.options.authenticator.authenticate(value, pool, env.now.unixMs);
    if (node instanceof CertificateRefusal) refusals.push(node.describe());
    else if (belongs(node)) nodes.set(node.certificate.sha256, node);
    else refusals.push(`a certificate of ${node.userName} (${node.nodeId})`);
  }
  if (nodes.size > 0) return success({ type: 'certificates', nodes: [...nodes.values()] });
  if (refusals.length === 0) {
    return failure('not-found', `no certificate of ${askedFor} is stored in the overlay`);
  }
  return failure('not-verified', `nothing stored for ${askedFor} passes: ${refusals.join('; ')}`);
}

/** XEP-0415 §5: all devices; a value that is no XmppLocation is discarded. */
function readLocations(
  env: PeerEnvironment,
  answer: VerifiedAnswer,
  userName: string,
): CommandOutcome {
  const locations: Location[] = [];
  const refusals = [...answer.refusals];
  for (const value of answer.values) {
    const found = value.value === undefined ? undefined : readLocation(env, value);
    if (typeof found === 'string') refusals.push(found);
    else if (found !== undefined) locations.push(found);
  }
  if (locations.length > 0) return success({ type: 'locations', locations });
  if (refusals.length === 0) {
    return failure('not-found', `${userName} has no location in the overlay now`);
  }
  return failure('not-verified', `no location of ${userName} passes: ${refusals.join('; ')}`);
}

function readLocation(
  env: PeerEnvironment,
  { place, value, signer, storageTimeUnixMs, lifetimeSeconds }: FetchedValue,
): Location | string {
  if (place.model !== 'dictionary' || value === undefined || signer === undefined) {
    return 'a location that is not a dictionary entry';
  }
  const location = decode(XmppLocation, value, env.configuration.nodeIdLength);
  if (location instanceof MalformedMessage) return location.describe();
  const nodeId = nodeIdFromBytes(place.key);
  return { nodeId, location, storageTimeUnixMs, lifetimeSeconds, signer };
}

function readStat(env: PeerEnvironment, outcome: Answer): CommandOutcome {
  const answer = decode(StatAns, outcome.body, env.configuration.nodeIdLength);
  if (answer instanceof MalformedMessage) return failure('malformed-answer', answer.describe());
  const entries: StatEntry[] = [];
  for (const { kind, values } of answer.kindResponses) {
    const model = env.configuration.kinds.get(kind)?.dataModel;
    if (model === undefined) continue;
    const codec = storedMetaData(model);
    const found = readWhole(values, env.configuration.nodeIdLength, (reader) => {
      const list: StoredMetaData[] = [];
      while (reader.remaining > 0) list.push(codec.read(reader));
      return list;
    });
    if (found instanceof MalformedMessage) return failure('malformed-answer', found.describe());
    entries.push(...found.map((metaData) => statEntry(kind, metaData)));
  }
  return success({ type: 'stat', entries });
}

function statEntry(kind: number, { storageTime, lifetime, value }: StoredMetaData): StatEntry {
  const { metaData, ...place } = value;
  return {
    kind,
    place,
    exists: metaData.exists,
    valueLengthBytes: metaData.valueLength,
    hashAlgorithm: metaData.hashAlgorithm,
    hash: metaData.hashValue,
    storageTimeUnixMs: Number(storageTime),
    lifetimeSeconds: lifetime,
  };
}

function answered<T>(
  env: PeerEnvironment,
  codec: Codec<T>,
  outcome: Answer,
  result: (body: T) => CommandResult,
): CommandOutcome {
  const body = decode(codec, outcome.body, env.configuration.nodeIdLength);
  if (body instanceof MalformedMessage) return failure('malformed-answer', body.describe());
  return success(result(body));
}

/** What it means for a command that its request was not answered. */
export function failureOf(outcome: Exclude<RequestOutcome, Answer>): CommandOutcome {
  const detail = describeOutcome(outcome);
  if (outcome.type === 'timeout') return failure('timeout', detail);
  if (outcome.type !== 'error') return failure(outcome.type, detail);
  const { errorCode } = outcome;
  const code = errorCode === ErrorCode.Error_Not_Found ? 'not-found' : 'refused';
  const named = `${errorName(errorCode)}: ${detail}`;
  return { ok: false, failure: { code, detail: named, errorCode } };
}

function success(result: CommandResult): CommandOutcome {
  return { ok: true, result };
}

function failure(code: CommandFailureCode, detail: string): CommandOutcome {
  return { ok: false, failure: { code, detail } };
}
