import {
  ACK_FRAME_LENGTH,
  DATA_FRAME_HEADER_LENGTH,
  type FramedMessage,
  FrameType,
} from '../wire/framed-message.ts';
import { MalformedMessage } from '../wire/malformed-message.ts';

/** Frames found in a piece of a byte stream, and the fault that ended it, if any. */
export interface CutFrames {
  readonly frames: readonly FramedMessage[];
  readonly fault: MalformedMessage | undefined;
}

/**
 * Cuts the byte stream of a link into FramedMessages (RFC 6940 §6.6.2). It holds at most one
 * unfinished frame, and refuses a frame by its length before it has come.
 */
export class FrameCutter {
  private readonly messageBytesMax: () => number;
  private unfinished: Uint8Array = EMPTY;

  /**
   * `messageBytesMax`: the overlay's max-message-size of the present moment, which a new
   * configuration can change, and what a sender may exceed it by.
   */
  constructor(messageBytesMax: () => number) {
    this.messageBytesMax = messageBytesMax;
  }

  push(bytes: Uint8Array): CutFrames {
    const input = this.unfinished.length === 0 ? bytes : joined(this.unfinished, bytes);
    const frames: FramedMessage[] = [];
    let at = 0;
    while (at < input.length) {
      const length = this.frameLength(input, at);
      if (length instanceof MalformedMessage) return { frames, fault: length };
      if (length === undefined || at + length > input.length) break;
      frames.push(frameAt(input, at, length));
      at += length;
    }
    // A copy: the host may use its receive buffer again.
    this.unfinished = at === input.length ? EMPTY : input.slice(at);
    return { frames, fault: undefined };
  }

  private frameLength(input: Uint8Array, at: number): number | MalformedMessage | undefined {
    const type = input[at];
    if (type === FrameType.ack) return ACK_FRAME_LENGTH;
    if (type !== FrameType.data) {
      return fault('type', at, `expected a frame of type 128 or 129, got ${type}`);
    }
    const high = input[at + 5];
    const middle = input[at + 6];
    const low = input[at + 7];
    if (high === undefined || middle === undefined || low === undefined) return undefined;
    const length = high * 65536 + middle * 256 + low;
    const bytesMax = this.messageBytesMax();
    if (length > bytesMax) {
      return fault('message', at, `expected at most ${bytesMax} bytes, got ${length}`);
    }
    return DATA_FRAME_HEADER_LENGTH + length;
  }
}

/** A whole frame whose type and length were looked at. Read in place: every frame passes here. */
function frameAt(input: Uint8Array, at: number, length: number): FramedMessage {
  const sequence = uint32At(input, at + 1);
  if (input[at] === FrameType.ack) {
    return { type: 'ack', ackSequence: sequence, received: uint32At(input, at + 5) };
  }
  const message = input.subarray(at + DATA_FRAME_HEADER_LENGTH, at + length);
  return { type: 'data', sequence, message };
}

function uint32At(input: Uint8Array, at: number): number {
  const high = (byteAt(input, at) << 8) | byteAt(input, at + 1);
  const low = (byteAt(input, at + 2) << 8) | byteAt(input, at + 3);
  return high * 0x10000 + low;
}

function byteAt(input: Uint8Array, at: number): number {
  return input[at] as number;
}

function fault(field: string, offset: number, detail: string): MalformedMessage {
  const malformed = new MalformedMessage(detail, offset);
  malformed.struct = 'FramedMessage';
  malformed.field = field;
  return malformed;
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const result = new Uint8Array(first.length + second.length);
  result.set(first);
  result.set(second, first.length);
  return result;
}

const EMPTY = new Uint8Array(0);
