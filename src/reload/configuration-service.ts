import { parseConfigurationDocument } from '../overlay-config/configuration-document.ts';
import { ConfigurationFault } from '../overlay-config/configuration-fault.ts';
import { compareSequences, isNewerSequence } from '../overlay-config/configuration-sequence.ts';
import { acceptSuccessor, checkSuccession } from '../overlay-config/configuration-trust.ts';
import {
  adoptKinds,
  carryLearnedKinds,
  KindRefusal,
  verifyKindBlock,
} from '../overlay-config/kind-trust.ts';
import { SuccessionRefusal } from '../overlay-config/succession-refusal.ts';
import type { VerifiedConfiguration } from '../overlay-config/verified-configuration.ts';
import { decode, encode } from '../wire/codec.ts';
import { ConfigUpdateReq } from '../wire/config-update.ts';
import { nodeDestination } from '../wire/destination.ts';
import { ErrorCode, UnknownKinds } from '../wire/error-response.ts';
import { CONFIGURATION_SEQUENCE_ANY } from '../wire/forwarding-header.ts';
import { MalformedMessage } from '../wire/malformed-message.ts';
import { MessageCode } from '../wire/message-contents.ts';
import type { NodeId } from '../wire/node-id.ts';
import type { MessageReceiver, VerifiedRequest } from './message-receiver.ts';
import type { MessageTransport } from './message-transport.ts';
import type { PeerEnvironment } from './peer-environment.ts';
import { unsupportedDemand } from './supported-configuration.ts';

/** What the configuration service tells the rest of the Peer. */
export interface ConfigurationListener {
  /** Puts a verified configuration in force everywhere in this Peer. */
  applyConfiguration(configuration: VerifiedConfiguration): void;
  /** A rightful new configuration demands what this node cannot do or be: leave the overlay. */
  mustLeave(reason: string): void;
}

/**
 * Keeps the overlay on one configuration — RFC 6940 §6.3.2.1 and §6.5.4: compares sequences, passes
 * the newer document on, and takes a newer one in when its signature counts.
 */
export class ConfigurationService {
  private readonly env: PeerEnvironment;
  private readonly transport: MessageTransport;
  private readonly receiver: MessageReceiver;
  private readonly listener: ConfigurationListener;
  /** What each node was last sent, so that nobody makes us send it all the time. */
  private readonly sent = new Map<NodeId, SentDocument>();

  constructor(
    env: PeerEnvironment,
    transport: MessageTransport,
    receiver: MessageReceiver,
    listener: ConfigurationListener,
  ) {
    this.env = env;
    this.transport = transport;
    this.receiver = receiver;
    this.listener = listener;
  }

  /** RFC 6940 §6.3.2.1: what the destination of a request answers when the sequences differ. */
  errorFor(sequence: number, requester: NodeId): ErrorCode | undefined {
    const order = compareSequences(sequence, this.env.configuration.sequence);
    if (order === 0) return undefined;
    if (order > 0) return ErrorCode.Error_Config_Too_New;
    this.sendDocument(requester);
    return ErrorCode.Error_Config_Too_Old;
  }

  /** An error answer that says that the other end has another configuration, or lacks a Kind. */
  handleErrorAnswer(errorCode: number, errorInfo: Uint8Array, nodeId: NodeId): void {
    if (errorCode === ErrorCode.Error_Config_Too_New) this.sendDocument(nodeId);
    if (errorCode === ErrorCode.Error_Unknown_Kind) this.sendKinds(errorInfo, nodeId);
  }

  /** RFC 6940 §6.5.4.2. */
  handleConfigUpdate(request: VerifiedRequest): void {
    const update = decode(ConfigUpdateReq, request.body, this.env.configuration.nodeIdLength);
    if (update instanceof MalformedMessage) {
      this.receiver.respondError(request, ErrorCode.Error_Invalid_Message, update.describe());
      return;
    }
    const refusal =
      update.type === 'config' ? this.adopt(update.configData) : this.learn(update.kinds);
    if (refusal === undefined) {
      this.receiver.respond(request, new Uint8Array(0));
      return;
    }
    this.env.event({ type: 'configurationRefused', reason: refusal.detail });
    this.receiver.respondError(request, refusal.errorCode, refusal.detail);
  }

  /** A configuration that was verified outside; one that is not newer changes nothing. */
  adoptVerified(configuration: VerifiedConfiguration): void {
    const held = this.env.configuration;
    if (!isNewerSequence(configuration.sequence, held.sequence)) return;
    const next = carryLearnedKinds(held, configuration);
    const demand = unsupportedDemand(next, this.env.options.role);
    if (demand === undefined) this.takeOver(next);
    else this.listener.mustLeave(demand);
  }

  private adopt(document: Uint8Array): { errorCode: ErrorCode; detail: string } | undefined {
    const held = this.env.configuration;
    const parsed = parseConfigurationDocument(document, held.instanceName);
    const { authenticator } = this.env.options;
    if (parsed instanceof ConfigurationFault) {
      this.leaveIfRightful(parsed);
      return { errorCode: ErrorCode.Error_Invalid_Message, detail: parsed.describe() };
    }
    const next = acceptSuccessor(held, parsed, authenticator, this.env.now.unixMs);
    if (next instanceof SuccessionRefusal) {
      const tooOld = next.code === 'not-newer';
      const errorCode = tooOld ? ErrorCode.Error_Config_Too_Old : ErrorCode.Error_Forbidden;
      return { errorCode, detail: next.detail };
    }
    const demand = unsupportedDemand(next, this.env.options.role);
    if (demand !== undefined) {
      this.env.queue(() => this.listener.mustLeave(demand));
      return { errorCode: ErrorCode.Error_Incompatible_with_Overlay, detail: demand };
    }
    this.takeOver(next);
    return undefined;
  }

  private takeOver(next: VerifiedConfiguration): void {
    this.env.emit({ type: 'configurationAdopted', configuration: next });
    // An answer is signed and checked under the configuration that its request came under.
    this.env.queue(() => this.listener.applyConfiguration(next));
  }

  /** RFC 6940 §11.1: a node that cannot comply with a new configuration "MUST exit the overlay". */
  private leaveIfRightful(fault: ConfigurationFault): void {
    if (fault.code !== 'unsupported' || fault.signed === undefined) return;
    const held = this.env.configuration;
    const { authenticator } = this.env.options;
    const signer = checkSuccession(held, fault.signed, authenticator, this.env.now.unixMs);
    if (signer instanceof SuccessionRefusal) return;
    this.env.queue(() => this.listener.mustLeave(fault.describe()));
  }

  private learn(
    descriptions: readonly Uint8Array[],
  ): { errorCode: ErrorCode; detail: string } | undefined {
    const { authenticator } = this.env.options;
    let next = this.env.configuration;
    for (const description of descriptions.slice(0, KINDS_MAX)) {
      const kind = verifyKindBlock(next, description, authenticator, this.env.now.unixMs);
      if (kind instanceof KindRefusal) {
        const malformed = kind.code === 'malformed';
        const errorCode = malformed ? ErrorCode.Error_Invalid_Message : ErrorCode.Error_Forbidden;
        return { errorCode, detail: kind.describe() };
      }
      // Each is judged beside those before it: what one message brings obeys the limits, too.
      next = adoptKinds(next, [kind]);
    }
    if (next !== this.env.configuration) this.listener.applyConfiguration(next);
    return undefined;
  }

  /** RFC 6940 §6.5.4: a node that turns out to have an old configuration is sent the newer one. */
  sendDocument(nodeId: NodeId): void {
    if (!this.maySend(nodeId)) return;
    const { document } = this.env.configuration;
    this.send(nodeId, { type: 'config', configData: document });
  }

  private sendKinds(errorInfo: Uint8Array, nodeId: NodeId): void {
    const unknown = decode(UnknownKinds, errorInfo);
    if (unknown instanceof MalformedMessage) return;
    const { kindBlocks } = this.env.configuration;
    const kinds = unknown.kinds
      .map((kind) => kindBlocks.get(kind))
      .filter((block) => block !== undefined);
    if (kinds.length > 0 && this.maySend(nodeId)) this.send(nodeId, { type: 'kind', kinds });
  }

  private send(nodeId: NodeId, update: ConfigUpdateReq): void {
    this.transport.request({
      destinationList: [nodeDestination(nodeId)],
      code: MessageCode.configUpdateReq,
      body: encode(ConfigUpdateReq, update),
      owner: { type: 'configUpdate', nodeId },
      configurationSequence: CONFIGURATION_SEQUENCE_ANY,
    });
  }

  private maySend(nodeId: NodeId): boolean {
    const last = this.sent.get(nodeId);
    const atMs = this.env.now.monotonicMs;
    const { sequence } = this.env.configuration;
    const isSoon = last !== undefined && atMs - last.atMs < RESEND_MIN_MS;
    if (isSoon && last.sequence === sequence) return false;
    this.sent.delete(nodeId);
    this.sent.set(nodeId, { atMs, sequence });
    const oldest = this.sent.keys().next().value;
    if (this.sent.size > RECIPIENTS_MAX && oldest !== undefined) this.sent.delete(oldest);
    return true;
  }
}

interface SentDocument {
  readonly atMs: number;
  readonly sequence: number;
}

const KINDS_MAX = 64;
const RECIPIENTS_MAX = 1024;
const RESEND_MIN_MS = 10_000;
