import { peekCode } from '../../src/reload/forwarding-layer.ts';
import type { Input, LinkId } from '../../src/reload/input.ts';
import { overlayHash } from '../../src/storage/resource-name.ts';
import { signMessage } from '../../src/tls-auth/message-signature.ts';
import type { Signer } from '../../src/tls-auth/signer.ts';
import { encode } from '../../src/wire/codec.ts';
import { type Destination, nodeDestination } from '../../src/wire/destination.ts';
import { type ErrorCode, ErrorResponse } from '../../src/wire/error-response.ts';
import { RELOAD_VERSION, UNFRAGMENTED } from '../../src/wire/forwarding-header.ts';
import { ForwardingView } from '../../src/wire/forwarding-view.ts';
import { FramedMessage } from '../../src/wire/framed-message.ts';
import { MalformedMessage } from '../../src/wire/malformed-message.ts';
import { decodeMessage, encodeMessage, type Message } from '../../src/wire/message.ts';
import { isRequestCode, MessageCode, MessageContents } from '../../src/wire/message-contents.ts';
import type { NodeId } from '../../src/wire/node-id.ts';
import type { ResourceId } from '../../src/wire/resource-id.ts';
import type { GenericCertificate } from '../../src/wire/security-block.ts';
import type { NodeBehavior, SimNode } from '../world/sim-node.ts';
import type { SimRandom } from '../world/sim-random.ts';
import type { World } from '../world/world.ts';
import { bendFrames, type Treatment } from './bent-frames.ts';

/** What an attacker is and knows. */
export interface AttackContext {
  readonly world: World;
  readonly node: SimNode;
  /** All attackers, this one included: they know each other. */
  readonly friends: readonly SimNode[];
  /** Everybody else: whoever is in an overlay can learn of the others. */
  readonly victims: readonly SimNode[];
  readonly overlayName: string;
  readonly configurationSequence: number;
  /** What the attack is aimed at; empty: everything. */
  readonly targets: ReadonlySet<ResourceId>;
  /** A certificate and its key for any Node-ID, from an authority that does not choose them. */
  readonly signerFor?: ((nodeId: NodeId) => Signer) | undefined;
}

/** A message that came over a link. */
export interface SeenMessage {
  readonly link: LinkId;
  /** The node at the other end. */
  readonly from: NodeId;
  readonly view: ForwardingView;
  /** undefined for a fragment that is not the first. */
  readonly code: number | undefined;
  readonly isRequest: boolean;
  /** Meant for this node: its own Node-ID or a Resource-ID that it answers for. */
  readonly isForThisNode: boolean;
  /** The last entry of the Destination List. */
  readonly target: Destination | undefined;
  /** The whole message; undefined where it cannot be read. */
  readonly message: Message | undefined;
}

/**
 * A node with a valid certificate that runs a Peer like all others, and from `begin` on bends what
 * that Peer hears, answers in its place, or sends messages of its own over its links.
 */
export class Attacker implements NodeBehavior {
  protected readonly context: AttackContext;
  protected readonly node: SimNode;
  protected readonly random: SimRandom;
  protected active = false;
  private sequence = FIRST_SEQUENCE;

  constructor(context: AttackContext) {
    this.context = context;
    this.node = context.node;
    this.random = context.world.stream(`attacker/${context.node.index}`);
  }

  /** The attack begins; before, the node behaves well, watches and remembers. */
  begin(): void {
    this.active = true;
  }

  bendInput(input: Input): Input | undefined {
    if (input.type !== 'linkData') return input;
    const bytes = bendFrames(input.bytes, (message) => {
      const seen = this.seen(input.link, message);
      if (seen === undefined) return 'pass';
      this.watch(seen);
      return this.active ? this.treat(seen) : 'pass';
    });
    return bytes === input.bytes ? input : { ...input, bytes };
  }

  /** Sees each message, before and during the attack. */
  protected watch(_seen: SeenMessage): void {
    // Most attackers remember nothing.
  }

  /** What happens to a message during the attack. */
  protected treat(_seen: SeenMessage): Treatment {
    return 'pass';
  }

  /** Calls `run` every `everyMs` of virtual time as long as the attack and the process last. */
  protected repeat(everyMs: number, run: () => void): void {
    const { world } = this.context;
    const { incarnation } = this.node;
    const again = () => {
      if (!this.active || this.node.incarnation !== incarnation || !this.node.isUp) return;
      run();
      world.schedule(everyMs, again);
    };
    world.schedule(this.random.between(0, everyMs), again);
  }

  /** Answers a request in place of the Peer, along the path that it came. */
  protected answer(
    seen: SeenMessage,
    body: Uint8Array,
    certificates: readonly GenericCertificate[] = [],
    code = (seen.code ?? 0) + 1,
    signer: Signer = this.node.signer,
  ): void {
    const via = seen.view.viaList();
    const back = via instanceof MalformedMessage ? [] : [...via].reverse();
    const to = [nodeDestination(seen.from), ...back];
    const { transactionId } = seen.view;
    this.sendOver(seen.link, this.sealed(to, code, body, { transactionId, certificates, signer }));
  }

  protected answerError(seen: SeenMessage, errorCode: ErrorCode): void {
    const body = encode(ErrorResponse, { errorCode, errorInfo: new Uint8Array(0) });
    this.answer(seen, body, [], MessageCode.error);
  }

  /** A message of this node, signed with its own key unless `signer` is given. */
  protected sealed(
    to: readonly Destination[],
    code: number,
    body: Uint8Array,
    more: {
      readonly transactionId?: bigint;
      readonly certificates?: readonly GenericCertificate[];
      readonly configurationSequence?: number;
      readonly signer?: Signer;
    } = {},
  ): Uint8Array {
    const overlay = overlayHash(this.context.overlayName);
    const transactionId = more.transactionId ?? this.newTransactionId();
    const contents = encode(MessageContents, { code, body, extensions: [] });
    const signer = more.signer ?? this.node.signer;
    const certificates = more.certificates ?? [];
    const block = signMessage(signer, overlay, transactionId, contents, certificates);
    const header = {
      overlay,
      configurationSequence: more.configurationSequence ?? this.context.configurationSequence,
      version: RELOAD_VERSION,
      ttl: INITIAL_TTL,
      fragment: UNFRAGMENTED,
      transactionId,
      maxResponseLength: 0,
      viaList: [],
      destinationList: [...to],
      options: [],
    };
    return encodeMessage(header, contents, block);
  }

  protected sendOver(link: LinkId, message: Uint8Array): void {
    const sequence = this.sequence++;
    const bytes = encode(FramedMessage, { type: 'data', sequence, message });
    this.context.world.network.send(this.node, link, bytes);
  }

  /** The links of this node and who is at their other ends. */
  protected links(): { readonly link: LinkId; readonly nodeId: NodeId }[] {
    return [...this.node.links.keys()].flatMap((link) => {
      const nodeId = this.otherEnd(link);
      return nodeId === undefined ? [] : [{ link, nodeId }];
    });
  }

  protected isFriend(nodeId: NodeId): boolean {
    return this.context.friends.some((friend) => friend.nodeId === nodeId);
  }

  private otherEnd(link: LinkId): NodeId | undefined {
    const ends = this.node.links.get(link)?.ends;
    const own = ends?.find((end) => end.node === this.node && end.link === link);
    return ends?.find((end) => end !== own)?.node.nodeId;
  }

  private newTransactionId(): bigint {
    return new DataView(this.random.bytes(8).buffer).getBigUint64(0);
  }

  private seen(link: LinkId, bytes: Uint8Array): SeenMessage | undefined {
    const view = ForwardingView.over(bytes);
    const from = this.otherEnd(link);
    if (view instanceof MalformedMessage || from === undefined) return undefined;
    const first = view.firstDestination();
    const list = view.destinationList();
    if (first instanceof MalformedMessage || list instanceof MalformedMessage) return undefined;
    const code = peekCode(view);
    const { node } = this;
    const isOwn =
      (first.type === 'node' && first.nodeId === node.nodeId) ||
      (first.type === 'resource' && node.peer?.isResponsible(first.resourceId) === true);
    return {
      link,
      from,
      view,
      code,
      isRequest: code !== undefined && isRequestCode(code),
      isForThisNode: isOwn && list.length === 1,
      target: list.at(-1),
      get message() {
        const message = decodeMessage(bytes);
        return message instanceof MalformedMessage ? undefined : message;
      },
    };
  }
}

/** Far from the sequence numbers of the Peer's own frames on the same link. */
const FIRST_SEQUENCE = 0xa000_0000;
/** RFC 6940 §11.1: the default of initial-ttl. */
const INITIAL_TTL = 100;
