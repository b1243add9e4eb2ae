import { compareSequences } from '../overlay-config/configuration-sequence.ts';
import { signMessage } from '../tls-auth/message-signature.ts';
import type { SignatureRefusal, VerifiedSigner } from '../tls-auth/verified-signer.ts';
import { decode, encode } from '../wire/codec.ts';
import type { Destination } from '../wire/destination.ts';
import { ErrorCode, ErrorResponse, errorName } from '../wire/error-response.ts';
import { RELOAD_VERSION, UNFRAGMENTED } from '../wire/forwarding-header.ts';
import { ForwardingView } from '../wire/forwarding-view.ts';
import { MalformedMessage } from '../wire/malformed-message.ts';
import { encodeMessage, type Message } from '../wire/message.ts';
import { MessageCode, MessageContents } from '../wire/message-contents.ts';
import { isWildcard, type NodeId } from '../wire/node-id.ts';
import type { GenericCertificate } from '../wire/security-block.ts';
import { fragmentMessage } from './fragmentation.ts';
import type { PeerEnvironment } from './peer-environment.ts';
import { describeOutcome, type RequestOutcome, type RequestOwner } from './request-owner.ts';
import type { RingId } from './ring.ts';
import { REQUEST_TRANSMISSIONS_MAX } from './timing.ts';

/** What the sending side asks of the rest of the Peer. */
export interface TransportListener {
  /** Hands a message of this node to the forwarding layer; false: no way to send it now. */
  sendOwn(bytes: Uint8Array): boolean;
  /** RFC 6940 §6.3.4: at least as close to the Resource-ID as any neighbour we know. */
  isPlausibleResponder(resource: RingId, signer: NodeId): boolean;
  handleOutcome(owner: RequestOwner, outcome: RequestOutcome): void;
  /** `nodeId` refused a request of ours, because its configuration is an older one. */
  giveConfiguration(nodeId: NodeId): void;
}

export interface RequestToSend {
  readonly destinationList: readonly Destination[];
  readonly code: number;
  readonly body: Uint8Array;
  readonly owner: RequestOwner;
  /** Certificates that the body's own signatures need; the signer's chain is always there. */
  readonly certificates?: readonly GenericCertificate[];
  /** Any verified signer may answer: for a search beyond what our tables know. */
  readonly anySigner?: boolean;
  /** The sequence that a ConfigUpdate carries when both ends may disagree (§6.3.2.1). */
  readonly configurationSequence?: number;
  /** Transmissions before it counts as failed; default the RFC's five. */
  readonly transmissionsMax?: number;
  /** Where the n-th transmission goes instead, n ≥ 2; the last entry stays what it is. */
  readonly reroute?: ((transmission: number) => readonly Destination[]) | undefined;
  /** Where it goes after a node answered whose certificate no longer counts. */
  readonly detour?: (refused: NodeId) => readonly Destination[];
}

/**
 * The client side of end-to-end reliability — RFC 6940 §6.2.1: signs requests, transmits them again
 * until an acceptable answer comes, and gives up after the fifth transmission.
 */
export class MessageTransport {
  private readonly env: PeerEnvironment;
  private readonly listener: TransportListener;
  private readonly overlay: number;
  private readonly transactions = new Map<bigint, Transaction>();

  constructor(env: PeerEnvironment, listener: TransportListener, overlay: number) {
    this.env = env;
    this.listener = listener;
    this.overlay = overlay;
  }

  get transactionCount(): number {
    return this.transactions.size;
  }

  /** Signs and sends a request. Its owner gets exactly one outcome, never before this returns. */
  request(request: RequestToSend): void {
    if (this.transactions.size >= this.env.limits.transactionsMax) {
      this.env.queue(() => this.listener.handleOutcome(request.owner, { type: 'too-busy' }));
      return;
    }
    const transactionId = this.env.randomUint64();
    const transaction: Transaction = {
      request,
      message: this.sealed(transactionId, request),
      sequence: this.sequenceOf(request),
      transmissions: 0,
      firstSentMs: this.env.now.monotonicMs,
      everSent: false,
      hint: undefined,
      refusal: undefined,
      detour: undefined,
    };
    this.transactions.set(transactionId, transaction);
    this.transmit(transactionId, transaction);
  }

  /** Forgets every request of owners that `matches`; no outcome comes for them. */
  forget(matches: (owner: RequestOwner) => boolean): void {
    for (const [id, transaction] of this.transactions) {
      if (matches(transaction.request.owner)) this.end(id);
    }
  }

  /** Requests of owners that `matches` are not transmitted again; their answers still count. */
  stopRetransmitting(matches: (owner: RequestOwner) => boolean): void {
    for (const transaction of this.transactions.values()) {
      if (matches(transaction.request.owner)) transaction.transmissions = TRANSMITTED_ENOUGH;
    }
  }

  handleTimer(transactionId: bigint): void {
    const transaction = this.transactions.get(transactionId);
    if (transaction === undefined) return;
    const sendsMax = transaction.request.transmissionsMax ?? REQUEST_TRANSMISSIONS_MAX;
    if (transaction.transmissions < sendsMax) {
      if (transaction.refusal === undefined) this.transmit(transactionId, transaction);
      else this.sendAgain(transactionId, transaction);
      return;
    }
    this.end(transactionId);
    const { everSent, hint, refusal, request } = transaction;
    const silence: RequestOutcome = everSent ? { type: 'timeout', hint } : { type: 'no-route' };
    this.listener.handleOutcome(request.owner, refusal ?? silence);
  }

  /** A new configuration is in force: what was refused because of the older one goes out again. */
  handleConfigurationChanged(): void {
    this.sendRefusedAgain(({ sequence }) => sequence !== this.env.configuration.sequence);
  }

  /** `nodeId` has the configuration now that it lacked. */
  handleConfigurationGiven(nodeId: NodeId): void {
    this.sendRefusedAgain(({ refusal }) => refusal?.signer.nodeId === nodeId);
  }

  /** Whether an answer with this transaction ID is waited for; asked before it is verified. */
  expects(transactionId: bigint): boolean {
    return this.transactions.has(transactionId);
  }

  /**
   * A response came whose signer is revoked or a bad-node here, which others may not know yet: the
   * next transmission leaves at once and goes around that node. Nothing is believed of the
   * response, and who makes such ones up brings about no more transmissions than silence does.
   */
  handleRefusedSigner(transactionId: bigint, refusal: SignatureRefusal): void {
    const transaction = this.transactions.get(transactionId);
    const code = refusal.certificateRefusal?.code;
    if (transaction === undefined || (code !== 'revoked' && code !== 'bad-node')) return;
    transaction.hint = `${refusal.claimedNodeId} answered, which is ${code}`;
    const { detour, transmissionsMax = REQUEST_TRANSMISSIONS_MAX } = transaction.request;
    if (detour === undefined || refusal.claimedNodeId === undefined) return;
    transaction.detour = detour(refusal.claimedNodeId);
    if (transaction.transmissions < transmissionsMax) this.transmit(transactionId, transaction);
  }

  /** A response whose signature was verified. */
  handleResponse(message: Message, signer: VerifiedSigner): void {
    const id = message.header.transactionId;
    const transaction = this.transactions.get(id);
    if (transaction === undefined) return;
    const { code, body } = message.contents;
    if (!this.isAcceptable(transaction.request, signer)) {
      this.noteUnacceptable(transaction, message, signer);
      return;
    }
    if (code === MessageCode.error) {
      this.handleErrorResponse(id, transaction, body, signer);
      return;
    }
    if (code !== transaction.request.code + 1) {
      this.env.drop('unexpected-response', `code ${code} answers ${transaction.request.code}`);
      return;
    }
    this.end(id);
    this.listener.handleOutcome(transaction.request.owner, {
      type: 'answer',
      code,
      body,
      signer,
      certificates: message.securityBlock.certificates,
      hops: Math.max(1, this.env.configuration.initialTtl - message.header.ttl + 1),
      roundTripMs: this.env.now.monotonicMs - transaction.firstSentMs,
    });
  }

  private handleErrorResponse(
    id: bigint,
    transaction: Transaction,
    body: Uint8Array,
    signer: VerifiedSigner,
  ): void {
    const error = decode(ErrorResponse, body);
    if (error instanceof MalformedMessage) {
      this.env.drop('malformed', `from ${signer.nodeId}: ${error.describe()}`);
      return;
    }
    const { errorCode, errorInfo } = error;
    const refusal = { type: 'error', errorCode, errorInfo, signer } as const;
    if (this.waitForConfiguration(id, transaction, refusal)) return;
    this.end(id);
    this.listener.handleOutcome(transaction.request.owner, refusal);
  }

  /**
   * RFC 6940 §6.3.2.1: where the configurations differ, the newer one is on its way to whoever
   * lacks it, and the request goes out again then, in all no more often than any other.
   */
  private waitForConfiguration(id: bigint, transaction: Transaction, refusal: Refusal): boolean {
    const { request, transmissions, sequence } = transaction;
    const isOld = refusal.errorCode === ErrorCode.Error_Config_Too_Old;
    if (!isOld && refusal.errorCode !== ErrorCode.Error_Config_Too_New) return false;
    const sendsMax = request.transmissionsMax ?? REQUEST_TRANSMISSIONS_MAX;
    if (request.configurationSequence !== undefined || transmissions >= sendsMax) return false;
    transaction.refusal = refusal;
    const isNewerHere = compareSequences(this.env.configuration.sequence, sequence) > 0;
    if (isOld && isNewerHere) this.sendAgain(id, transaction);
    else if (!isOld) this.listener.giveConfiguration(refusal.signer.nodeId);
    return true;
  }

  private sendRefusedAgain(matches: (transaction: Transaction) => boolean): void {
    for (const [id, transaction] of [...this.transactions]) {
      if (transaction.refusal !== undefined && matches(transaction)) {
        this.sendAgain(id, transaction);
      }
    }
  }

  /** As a request of its own: the old transaction may be answered from memory (§6.2.1). */
  private sendAgain(id: bigint, transaction: Transaction): void {
    this.end(id);
    const { request } = transaction;
    const transactionId = this.env.randomUint64();
    const message = this.sealed(transactionId, request);
    const sequence = this.sequenceOf(request);
    const { refusal } = transaction;
    const hint = refusal === undefined ? transaction.hint : describeOutcome(refusal);
    const renewed = { ...transaction, message, sequence, hint, refusal: undefined };
    this.transactions.set(transactionId, renewed);
    this.transmit(transactionId, renewed);
  }

  /** RFC 6940 §6.3.4, the two further checks of a response. */
  private isAcceptable(request: RequestToSend, signer: VerifiedSigner): boolean {
    if (request.anySigner === true) return true;
    const last = request.destinationList.at(-1);
    if (last?.type === 'node') return isWildcard(last.nodeId) || signer.nodeId === last.nodeId;
    if (last?.type !== 'resource') return false;
    return this.listener.isPlausibleResponder(last.resourceId, signer.nodeId);
  }

  /** An error of a node on the way is no answer, but tells why none comes. */
  private noteUnacceptable(
    transaction: Transaction,
    message: Message,
    signer: VerifiedSigner,
  ): void {
    const error =
      message.contents.code === MessageCode.error
        ? decode(ErrorResponse, message.contents.body)
        : undefined;
    if (error !== undefined && !(error instanceof MalformedMessage)) {
      transaction.hint = `${signer.nodeId} on the way said ${errorName(error.errorCode)}`;
    } else {
      transaction.hint = `${signer.nodeId} answered, which is not the node to answer this`;
    }
    this.env.drop('unexpected-response', transaction.hint);
  }

  private transmit(transactionId: bigint, transaction: Transaction): void {
    transaction.transmissions++;
    const parts = this.env.options.fragmentAboveBytes;
    const message = routed(transaction);
    const messages = parts === undefined ? [message] : fragmentMessage(message, parts);
    for (const message of messages) {
      if (this.listener.sendOwn(message)) transaction.everSent = true;
    }
    const timer = this.env.configuration.overlayReliabilityTimerMs;
    this.env.after(`transaction:${transactionId}`, { type: 'transaction', transactionId }, timer);
  }

  private sequenceOf(request: RequestToSend): number {
    return request.configurationSequence ?? this.env.configuration.sequence;
  }

  private sealed(transactionId: bigint, request: RequestToSend): Uint8Array {
    const { signer } = this.env;
    const { code, body, certificates = [] } = request;
    const contents = encode(MessageContents, { code, body, extensions: [] });
    const block = signMessage(signer, this.overlay, transactionId, contents, certificates);
    const header = {
      overlay: this.overlay,
      configurationSequence: this.sequenceOf(request),
      version: RELOAD_VERSION,
      ttl: this.env.configuration.initialTtl,
      fragment: UNFRAGMENTED,
      transactionId,
      maxResponseLength: 0,
      viaList: [],
      destinationList: [...request.destinationList],
      options: [],
    };
    return encodeMessage(header, contents, block);
  }

  private end(transactionId: bigint): void {
    this.transactions.delete(transactionId);
    this.env.deadlines.cancel(`transaction:${transactionId}`);
  }
}

/** The message as it goes out this time: its Destination List is not signed (RFC 6940 §6.3.4). */
function routed({ request, message, transmissions, detour }: Transaction): Uint8Array {
  const path = detour ?? (transmissions < 2 ? undefined : request.reroute?.(transmissions));
  if (path === undefined) return message;
  const view = ForwardingView.over(message);
  if (view instanceof MalformedMessage) throw view;
  const other = view.forwarded({
    dropDestinations: request.destinationList.length,
    replaceDestinations: path,
  });
  if (other instanceof MalformedMessage) throw other;
  return other;
}

interface Transaction {
  readonly request: RequestToSend;
  readonly message: Uint8Array;
  /** Of the configuration that `message` was sent under. */
  readonly sequence: number;
  transmissions: number;
  readonly firstSentMs: number;
  everSent: boolean;
  hint: string | undefined;
  /** The destination had another configuration. */
  refusal: Refusal | undefined;
  /** Around a node whose answer did not count. */
  detour: readonly Destination[] | undefined;
}

type Refusal = Extract<RequestOutcome, { type: 'error' }>;

const TRANSMITTED_ENOUGH = Number.POSITIVE_INFINITY;
