import { signMessage, verifyMessage } from '../tls-auth/message-signature.ts';
import { SignatureRefusal, type VerifiedSigner } from '../tls-auth/verified-signer.ts';
import { encode } from '../wire/codec.ts';
import { type Destination, nodeDestination } from '../wire/destination.ts';
import { ErrorCode, ErrorResponse, errorName } from '../wire/error-response.ts';
import {
  CONFIGURATION_SEQUENCE_ANY,
  type ForwardingOption,
  ForwardingOptionFlag,
  RELOAD_VERSION,
  UNFRAGMENTED,
} from '../wire/forwarding-header.ts';
import type { ForwardingView } from '../wire/forwarding-view.ts';
import { MalformedMessage } from '../wire/malformed-message.ts';
import { decodeMessage, encodeMessage, type Message } from '../wire/message.ts';
import { isRequestCode, MessageCode, MessageContents } from '../wire/message-contents.ts';
import type { NodeId } from '../wire/node-id.ts';
import type { GenericCertificate } from '../wire/security-block.ts';
import { AnswerCache } from './answer-cache.ts';
import { peekCode } from './forwarding-layer.ts';
import { fragmentMessage, isWhole, Reassembler } from './fragmentation.ts';
import type { Link } from './link-state.ts';
import type { MessageTransport } from './message-transport.ts';
import type { PeerEnvironment } from './peer-environment.ts';
import { isUndecided, UndecidedMessages } from './undecided-messages.ts';
import { UpdateAllowance } from './update-allowance.ts';

/** A request whose signature and signer were verified: all that a handler may act on. */
export interface VerifiedRequest {
  readonly code: number;
  readonly body: Uint8Array;
  readonly signer: VerifiedSigner;
  /** Certificates of its SecurityBlock, for signatures inside the body. */
  readonly certificates: readonly GenericCertificate[];
  readonly transactionId: bigint;
  /** The link it came over; undefined for this node's own. */
  readonly from: Link | undefined;
  /** The last entry of its Destination List, which is not signed. */
  readonly destination: Destination | undefined;
  /** It came straight from its signer over the link bound to that node. */
  readonly isDirect: boolean;
  readonly returnPath: ReturnPath;
}

/** How an answer finds its way back: what of the request's header an answer needs. */
interface ReturnPath {
  readonly from: NodeId | undefined;
  readonly viaList: readonly Destination[];
  readonly maxResponseLength: number;
  /** Options to copy, their flags cleared (RFC 6940 §6.3.2.3). */
  readonly options: readonly ForwardingOption[];
}

/** What the receiving side asks of the rest of the Peer. */
export interface ReceiverListener {
  sendOwn(bytes: Uint8Array): boolean;
  /** Acts on a request, and answers it now or later with `respond` or `respondError`. */
  handleRequest(request: VerifiedRequest): void;
  /**
   * Compares the request's configuration with ours (RFC 6940 §6.3.2.1); returns the error to
   * answer with, or undefined to go on.
   */
  configurationError(sequence: number, request: VerifiedRequest): ErrorCode | undefined;
}

/**
 * The server side of end-to-end messages — RFC 6940 §6.1 and §6.2: puts fragments together, checks
 * the SecurityBlock, answers repeated requests from the transaction table, and hands verified
 * requests and responses on.
 */
export class MessageReceiver {
  private readonly env: PeerEnvironment;
  private readonly listener: ReceiverListener;
  private readonly transport: MessageTransport;
  private readonly overlay: number;
  private readonly reassembler: Reassembler;
  private readonly answers: AnswerCache;
  private readonly updates: UpdateAllowance;
  private readonly undecided: UndecidedMessages;

  constructor(
    env: PeerEnvironment,
    listener: ReceiverListener,
    transport: MessageTransport,
    overlay: number,
  ) {
    this.env = env;
    this.listener = listener;
    this.transport = transport;
    this.overlay = overlay;
    this.reassembler = new Reassembler(env);
    this.answers = new AnswerCache(env);
    this.updates = new UpdateAllowance(env);
    this.undecided = new UndecidedMessages(env);
  }

  get loads(): AnswerCache['loads'] & Reassembler['loads'] & UndecidedMessages['loads'] {
    return { ...this.answers.loads, ...this.reassembler.loads, ...this.undecided.loads };
  }

  deliver(view: ForwardingView, from: Link | undefined): void {
    let bytes: Uint8Array | undefined = view.bytes;
    if (!isWhole(view)) bytes = this.reassembler.add(view, from?.nodeId ?? this.env.nodeId);
    if (bytes === undefined) return;
    const code = peekCode(view);
    // An answer that nobody waits for is not worth a signature check.
    const mayBeAnswer = code === undefined || !isRequestCode(code);
    if (mayBeAnswer && isWhole(view) && !this.transport.expects(view.transactionId)) {
      this.env.drop(
        'unexpected-response',
        `no request waits for transaction ${view.transactionId}`,
      );
      return;
    }
    if (code === MessageCode.updateReq && from !== undefined && !this.updates.take(from.nodeId)) {
      this.env.drop('overload', `too many Updates from ${from.nodeId}`);
      return;
    }
    this.receive(bytes, from);
  }

  /** Another list is held now, or other nodes are trusted: what waited for that is judged again. */
  handleTrustChanged(): void {
    for (const { bytes, from, sinceMs } of this.undecided.takeAll()) {
      this.receive(bytes, from, sinceMs);
    }
  }

  /** No list came in time: what is still undecided does not count. */
  giveUpUndecided(): void {
    for (const { bytes, from } of this.undecided.takeDue()) this.receive(bytes, from, 'given-up');
  }

  /** `since` when it has waited for a list, ms; or it has waited for long enough. */
  private receive(
    bytes: Uint8Array,
    from: Link | undefined,
    since: number | 'given-up' = this.env.now.monotonicMs,
  ): void {
    const message = decodeMessage(bytes, this.env.configuration.nodeIdLength);
    if (message instanceof MalformedMessage) {
      this.env.drop('malformed', `from ${from?.nodeId ?? 'this node'}: ${message.describe()}`);
      return;
    }
    const viaFault = this.viaFault(message.header.viaList);
    if (viaFault !== undefined) {
      this.env.drop('malformed', viaFault);
      return;
    }
    const signer = this.verify(message);
    if (since !== 'given-up' && isUndecided(this.env, message, signer)) {
      const { transactionId } = message.header;
      this.undecided.hold({ bytes, from, transactionId, sinceMs: since });
      return;
    }
    if (signer instanceof SignatureRefusal) {
      this.env.drop('bad-signature', signer.describe());
      if (!isRequestCode(message.contents.code)) {
        this.transport.handleRefusedSigner(message.header.transactionId, signer);
      }
      return;
    }
    if (!isRequestCode(message.contents.code)) {
      this.transport.handleResponse(message, signer);
      return;
    }
    this.receiveRequest(message, signer, from);
  }

  giveUpReassembly(key: string): void {
    this.reassembler.giveUp(key);
  }

  expireAnswers(): void {
    this.answers.expire();
  }

  /** Answers with success: code + 1 (RFC 6940 §6.3.3.1). */
  respond(
    request: VerifiedRequest,
    body: Uint8Array,
    certificates: readonly GenericCertificate[] = [],
  ): void {
    this.seal(request, request.code + 1, body, certificates);
  }

  /** Answers with an ErrorResponse; `info` is text unless the error says otherwise. */
  respondError(request: VerifiedRequest, errorCode: ErrorCode, info: string | Uint8Array): void {
    this.seal(request, MessageCode.error, errorBody(errorCode, info), []);
  }

  /** Answers a message of which only the header was looked at (RFC 6940 §6.1.1). */
  refuse(view: ForwardingView, from: Link, errorCode: ErrorCode, detail: string): void {
    const code = peekCode(view);
    const viaList = view.viaList();
    const isUsable = !(viaList instanceof MalformedMessage) && this.viaFault(viaList) === undefined;
    if (code === undefined || !isRequestCode(code) || !isUsable) {
      this.env.drop('no-route', `${errorName(errorCode)}: ${detail}`);
      return;
    }
    const path = { from: from.nodeId, viaList, maxResponseLength: 0, options: [] };
    const contents = encode(MessageContents, {
      code: MessageCode.error,
      body: errorBody(errorCode, detail),
      extensions: [],
    });
    const { signer } = this.env;
    const block = signMessage(signer, this.overlay, view.transactionId, contents, []);
    this.send(view.transactionId, path, contents, block);
  }

  /** The Via List becomes the Destination List of an answer: it must fit, and lead back. */
  private viaFault(viaList: readonly Destination[]): string | undefined {
    const { destinationsMax } = this.env.limits;
    if (viaList.length > destinationsMax) return `more than ${destinationsMax} Via entries`;
    // RFC 6940 §6.3.2.2: a resource never stands in a Via List.
    return viaList.some((via) => via.type === 'resource')
      ? 'a Resource-ID in the Via List'
      : undefined;
  }

  private verify(message: Message): VerifiedSigner | SignatureRefusal {
    return verifyMessage(
      this.env.options.authenticator,
      this.overlay,
      message.header.transactionId,
      message.contentsBytes,
      message.securityBlock,
      this.env.now.unixMs,
    );
  }

  private receiveRequest(message: Message, signer: VerifiedSigner, from: Link | undefined): void {
    const { header, contents } = message;
    const request: VerifiedRequest = {
      code: contents.code,
      body: contents.body,
      signer,
      certificates: message.securityBlock.certificates,
      transactionId: header.transactionId,
      from,
      destination: header.destinationList.at(-1),
      isDirect:
        from !== undefined &&
        header.viaList.length === 0 &&
        from.node.nodeIds.includes(signer.nodeId),
      returnPath: {
        from: from?.nodeId,
        viaList: header.viaList,
        maxResponseLength: header.maxResponseLength,
        options: copiedOptions(header.options),
      },
    };
    if (this.answerRepeated(request)) return;
    const critical = ForwardingOptionFlag.destinationCritical;
    const option = header.options.find(({ flags }) => (flags & critical) !== 0);
    if (option !== undefined) {
      const detail = `forwarding option ${option.type} is not supported`;
      this.respondError(request, ErrorCode.Error_Unsupported_Forwarding_Option, detail);
      return;
    }
    const extension = contents.extensions.find((candidate) => candidate.critical);
    if (extension !== undefined) {
      const detail = `message extension ${extension.type} is not supported`;
      this.respondError(request, ErrorCode.Error_Unknown_Extension, detail);
      return;
    }
    const configurationError = this.configurationError(header.configurationSequence, request);
    if (configurationError !== undefined) {
      const detail = `our configuration has the sequence ${this.env.configuration.sequence}`;
      this.respondError(request, configurationError, detail);
      return;
    }
    if (isAnsweredOnce(request.code) && !this.answers.begin(request)) {
      this.env.drop('overload', 'too many requests wait for their answer');
      return;
    }
    this.listener.handleRequest(request);
  }

  /** RFC 6940 §6.2.1: the same answer, along the path of this copy. */
  private answerRepeated(request: VerifiedRequest): boolean {
    const earlier = this.answers.find(request);
    if (earlier === undefined) return false;
    if (earlier.answer !== undefined) {
      const { contents, block } = earlier.answer;
      this.send(request.transactionId, request.returnPath, contents, block);
    }
    return true;
  }

  private configurationError(sequence: number, request: VerifiedRequest): ErrorCode | undefined {
    if (sequence === CONFIGURATION_SEQUENCE_ANY && request.code === MessageCode.configUpdateReq) {
      return undefined;
    }
    return this.listener.configurationError(sequence, request);
  }

  private seal(
    request: VerifiedRequest,
    code: number,
    body: Uint8Array,
    certificates: readonly GenericCertificate[],
  ): void {
    const contents = encode(MessageContents, { code, body, extensions: [] });
    const { signer } = this.env;
    const { transactionId, returnPath } = request;
    const block = signMessage(signer, this.overlay, transactionId, contents, certificates);
    const message = this.message(transactionId, returnPath, contents, block);
    const { length } = message;
    const lengthMax = Math.min(
      returnPath.maxResponseLength === 0 ? Infinity : returnPath.maxResponseLength,
      this.env.configuration.maxMessageSizeBytes,
    );
    if (length > lengthMax && code !== MessageCode.error) {
      // Intentional divergence from RFC 6940 §6.3.2, which names another error for this: §14.9
      // defines Error_Response_Too_Large for exactly this case (AMB-2).
      const detail = `the answer has ${length} bytes, at most ${lengthMax} are allowed`;
      this.respondError(request, ErrorCode.Error_Response_Too_Large, detail);
      return;
    }
    if (isAnsweredOnce(request.code)) this.answers.finish(request, { contents, block });
    this.env.counters.answered++;
    this.transmit(message);
  }

  private send(
    transactionId: bigint,
    path: ReturnPath,
    contents: Uint8Array,
    block: Uint8Array,
  ): void {
    this.transmit(this.message(transactionId, path, contents, block));
  }

  private transmit(message: Uint8Array): void {
    const parts = this.env.options.fragmentAboveBytes;
    const messages = parts === undefined ? [message] : fragmentMessage(message, parts);
    for (const part of messages) {
      if (!this.listener.sendOwn(part)) this.env.drop('no-route', 'no way back for an answer');
    }
  }

  /** RFC 6940 §6.2.2: the node that the request came from, then the Via List in reverse. */
  private message(
    transactionId: bigint,
    path: ReturnPath,
    contents: Uint8Array,
    block: Uint8Array,
  ): Uint8Array {
    const header = {
      overlay: this.overlay,
      configurationSequence: this.env.configuration.sequence,
      version: RELOAD_VERSION,
      ttl: this.env.configuration.initialTtl,
      fragment: UNFRAGMENTED,
      transactionId,
      maxResponseLength: 0,
      viaList: [],
      destinationList: [
        nodeDestination(path.from ?? this.env.nodeId),
        ...[...path.viaList].reverse(),
      ],
      options: [...path.options],
    };
    return encodeMessage(header, contents, block);
  }
}

/** Requests that change something are carried out once, however often they arrive. */
function isAnsweredOnce(code: number): boolean {
  return CHANGING_REQUESTS.has(code);
}

function copiedOptions(options: readonly ForwardingOption[]): ForwardingOption[] {
  return options
    .filter(({ flags }) => (flags & ForwardingOptionFlag.responseCopy) !== 0)
    .map((option) => ({ ...option, flags: 0 }));
}

function errorBody(errorCode: ErrorCode, info: string | Uint8Array): Uint8Array {
  const errorInfo = typeof info === 'string' ? new TextEncoder().encode(info) : info;
  return encode(ErrorResponse, { errorCode, errorInfo });
}

const CHANGING_REQUESTS = new Set<number>([
  MessageCode.storeReq,
  MessageCode.joinReq,
  MessageCode.leaveReq,
  MessageCode.updateReq,
  MessageCode.attachReq,
  MessageCode.appAttachReq,
  MessageCode.configUpdateReq,
]);
