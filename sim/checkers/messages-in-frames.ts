import { FIXED_HEADER_LENGTH, FixedHeader } from '../../src/wire/forwarding-header.ts';
import {
  ACK_FRAME_LENGTH,
  DATA_FRAME_HEADER_LENGTH,
  FrameType,
} from '../../src/wire/framed-message.ts';
import { MalformedMessage } from '../../src/wire/malformed-message.ts';
import { decodeMessage, type Message } from '../../src/wire/message.ts';
import type { SimNode } from '../world/sim-node.ts';

/**
 * The whole messages with this code in `bytes`, which are whole frames as a Peer sends them.
 * `share`: of all transactions, in [0, 1]; the choice is the same at every node.
 */
export function messagesOf(bytes: Uint8Array, code: number, share = 1): readonly Message[] {
  let found: Message[] | undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at < bytes.length) {
    if (bytes[at] === FrameType.ack) {
      at += ACK_FRAME_LENGTH;
      continue;
    }
    if (bytes[at] !== FrameType.data || at + DATA_FRAME_HEADER_LENGTH > bytes.length) break;
    const start = at + DATA_FRAME_HEADER_LENGTH;
    at = start + ((view.getUint16(at + 5) << 8) | view.getUint8(at + 7));
    if (at > bytes.length || at - start < FIXED_HEADER_LENGTH) break;
    if (codeAt(view, start) !== code || !isChosen(view, start, share)) continue;
    const message = decodeMessage(bytes.subarray(start, at));
    if (message instanceof MalformedMessage) continue;
    found ??= [];
    found.push(message);
  }
  return found ?? NO_MESSAGES;
}

/** Whether this node made the message; others only pass it on. */
export function isSignedBy(message: Message, node: SimNode): boolean {
  const { identity } = message.securityBlock.signature;
  if (!('hash' in identity)) return false;
  const { hash } = identity;
  return node.signers.some(
    ({ identity: own }) => 'hash' in own && Buffer.compare(hash, own.hash) === 0,
  );
}

function codeAt(view: DataView, start: number): number | undefined {
  const at =
    start +
    FIXED_HEADER_LENGTH +
    view.getUint16(start + AT_VIA_LENGTH) +
    view.getUint16(start + AT_DESTINATION_LENGTH) +
    view.getUint16(start + AT_OPTIONS_LENGTH);
  return at + 2 <= view.byteLength ? view.getUint16(at) : undefined;
}

function isChosen(view: DataView, start: number, share: number): boolean {
  return share >= 1 || view.getUint32(start + AT_TRANSACTION) / 2 ** 32 < share;
}

const NO_MESSAGES: readonly Message[] = [];
const AT_TRANSACTION = FixedHeader.offsetOf('transactionId');
const AT_VIA_LENGTH = FixedHeader.offsetOf('viaListLength');
const AT_DESTINATION_LENGTH = FixedHeader.offsetOf('destinationListLength');
const AT_OPTIONS_LENGTH = FixedHeader.offsetOf('optionsLength');
