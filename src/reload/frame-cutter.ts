import { decode } from '../wire/codec.ts';
import {
  ACK_FRAME_LENGTH,
  DATA_FRAME_HEADER_LENGTH,
  FramedMessage,
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
  private readonly messageBytesMax: number;
  private unfinished: Uint8Array = EMPTY;

  /** `messageBytesMax`: the overlay's max-message-size and what a sender may exceed it by. */
  constructor(messageBytesMax: number) {
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
      const frame = decode(FramedMessage, input.subarray(at, at + length));
      if (frame instanceof MalformedMessage) return { frames, fault: frame };
      frames.push(frame);
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
    if (length > this.messageBytesMax) {
      return fault('message', at, `expected at most ${this.messageBytesMax} bytes, got ${length}`);
    }
    return DATA_FRAME_HEADER_LENGTH + length;
  }
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
