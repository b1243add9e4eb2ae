import { overlayHash } from '../../src/storage/resource-name.ts';
import { signMessage } from '../../src/tls-auth/message-signature.ts';
import type { Signer } from '../../src/tls-auth/signer.ts';
import { type Codec, decode, encode } from '../../src/wire/codec.ts';
import { type Destination, nodeDestination } from '../../src/wire/destination.ts';
import { ErrorResponse, errorName } from '../../src/wire/error-response.ts';
import { RELOAD_VERSION, UNFRAGMENTED } from '../../src/wire/forwarding-header.ts';
import { FramedMessage } from '../../src/wire/framed-message.ts';
import { MalformedMessage } from '../../src/wire/malformed-message.ts';
import { encodeMessage, type HeaderFields, type Message } from '../../src/wire/message.ts';
import {
  MessageCode,
  MessageContents,
  type MessageExtension,
} from '../../src/wire/message-contents.ts';
import { PingReq } from '../../src/wire/topology.ts';
import { OVERLAY, type VirtualOverlay, type VirtualPeer } from '../reload/virtual-overlay.ts';
import { Wiretap } from './wiretap.ts';

/** A message made by a test: anything in it may be wrong. */
export interface Forgery {
  readonly to: readonly Destination[];
  readonly code?: number;
  readonly body?: Uint8Array;
  readonly extensions?: readonly MessageExtension[];
  readonly header?: Partial<HeaderFields>;
  /** Who signs it; default: the sender. */
  readonly signer?: Signer;
  /** Changes what was signed, after it was signed. */
  readonly spoil?: (contents: Uint8Array) => void;
}

export const pingBody = encode(PingReq, { padding: new Uint8Array(0) });

/** The bytes of a Ping, or of whatever the test asks for. */
export function forge(by: VirtualPeer, forgery: Forgery): Uint8Array {
  const overlay = overlayHash(OVERLAY);
  const transactionId = forgery.header?.transactionId ?? nextTransactionId();
  const contents = encode(MessageContents, {
    code: forgery.code ?? MessageCode.pingReq,
    body: forgery.body ?? pingBody,
    extensions: [...(forgery.extensions ?? [])],
  });
  const block = signMessage(forgery.signer ?? by.signer, overlay, transactionId, contents, []);
  forgery.spoil?.(contents);
  const header: HeaderFields = {
    overlay,
    configurationSequence: 1,
    version: RELOAD_VERSION,
    ttl: 100,
    fragment: UNFRAGMENTED,
    maxResponseLength: 0,
    viaList: [],
    destinationList: [...forgery.to],
    options: [],
    ...forgery.header,
    transactionId,
  };
  return encodeMessage(header, contents, block);
}

/** A data frame around a message, as it travels on a link. */
export function framed(message: Uint8Array): Uint8Array {
  return encode(FramedMessage, { type: 'data', sequence: nextSequence++, message });
}

/**
 * Delivers a forged request to `peer` over its link with `from`; returns what `peer` sends at
 * once that belongs to the same transaction: an answer, or the message forwarded.
 */
export function exchange(
  overlay: VirtualOverlay,
  from: VirtualPeer,
  peer: VirtualPeer,
  forgery: Forgery,
): Message[] {
  const transactionId = forgery.header?.transactionId ?? nextTransactionId();
  const header = { ...forgery.header, transactionId };
  const message = forge(from, { ...forgery, header });
  const tap = new Wiretap(peer);
  overlay.inject(peer, from, framed(message));
  overlay.runFor(5);
  tap.stop();
  return tap.ofTransaction(transactionId);
}

/** The one answer to a request sent straight to `peer`. */
export function ask(
  overlay: VirtualOverlay,
  from: VirtualPeer,
  peer: VirtualPeer,
  forgery: Partial<Forgery> = {},
): Message {
  const to = forgery.to ?? [nodeDestination(peer.nodeId)];
  const [answer, ...more] = exchange(overlay, from, peer, { ...forgery, to });
  if (answer === undefined) throw new Error('no answer came');
  if (more.length > 0) throw new Error(`${more.length} answers too many`);
  return answer;
}

/** `Error_Forbidden` and the like; undefined for a message that is no error. */
export function errorOf(message: Message): string | undefined {
  if (message.contents.code !== MessageCode.error) return undefined;
  return errorName(bodyOf(message, ErrorResponse).errorCode);
}

export function bodyOf<T>(message: Message, codec: Codec<T>): T {
  const body = decode(codec, message.contents.body);
  if (body instanceof MalformedMessage) throw new Error(body.describe());
  return body;
}

/** How many messages `peer` has dropped for this cause. */
export function drops(peer: VirtualPeer, cause: string): number {
  return peer.events.filter((event) => event.type === 'messageDropped' && event.cause === cause)
    .length;
}

/** A transaction ID that no Peer of a test draws. */
export function nextTransactionId(): bigint {
  return nextId++;
}

let nextId = 0x7e57_0000_0000_0001n;
let nextSequence = 0x4000_0000;
