import { type Codec, inField } from './codec.ts';
import { written } from './writer.ts';

export const FrameType = { data: 128, ack: 129 } as const;

/** FramedMessage — RFC 6940 §6.6.2: what travels on every overlay link. */
export type FramedMessage =
  | { readonly type: 'data'; readonly sequence: number; readonly message: Uint8Array }
  | { readonly type: 'ack'; readonly ackSequence: number; readonly received: number };

export const FramedMessage: Codec<FramedMessage> = {
  read(reader) {
    const at = reader.offset;
    const type = inField('FramedMessage', 'type', () => reader.uint8());
    switch (type) {
      case FrameType.data: {
        const sequence = inField('FramedMessage', 'sequence', () => reader.uint32());
        const message = inField('FramedMessage', 'message', () => reader.take(reader.uint24()));
        return { type: 'data', sequence, message };
      }
      case FrameType.ack: {
        const ackSequence = inField('FramedMessage', 'ackSequence', () => reader.uint32());
        const received = inField('FramedMessage', 'received', () => reader.uint32());
        return { type: 'ack', ackSequence, received };
      }
      default:
        return inField('FramedMessage', 'type', () => {
          throw reader.fault(`expected a frame of type 128 or 129, got ${type}`, at);
        });
    }
  },
  write(writer, frame) {
    if (frame.type === 'data') {
      writer.uint8(FrameType.data);
      writer.uint32(frame.sequence);
      writer.prefixed(3, (inner) => inner.raw(frame.message));
      return;
    }
    writer.uint8(FrameType.ack);
    writer.uint32(frame.ackSequence);
    writer.uint32(frame.received);
  },
};

/** What stands before a message of `messageLength` bytes in its data frame. */
export function dataFrameHead(sequence: number, messageLength: number): Uint8Array {
  return written((writer) => {
    writer.uint8(FrameType.data);
    writer.uint32(sequence);
    writer.uint24(messageLength);
  });
}

/** Bytes before the message in a data frame: type, sequence, length. */
export const DATA_FRAME_HEADER_LENGTH = 8;
/** Bytes of an ack frame. */
export const ACK_FRAME_LENGTH = 9;
