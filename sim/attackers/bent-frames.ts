import { FixedHeader } from '../../src/wire/forwarding-header.ts';
import {
  ACK_FRAME_LENGTH,
  DATA_FRAME_HEADER_LENGTH,
  FrameType,
} from '../../src/wire/framed-message.ts';

/**
 * What its Peer gets instead of a message: the same, other bytes, or nothing. Nothing still is
 * acknowledged, so that the neighbours notice no failure.
 */
export type Treatment = 'pass' | 'discard' | Uint8Array;

/**
 * Shows `treat` every message in `bytes`, which are whole frames as a Peer sends them, and puts the
 * results in their places. The same array comes back if nothing changes.
 */
export function bendFrames(
  bytes: Uint8Array,
  treat: (message: Uint8Array) => Treatment,
): Uint8Array {
  const parts: Uint8Array[] = [];
  let changed = false;
  let at = 0;
  while (at < bytes.length) {
    const length = frameLength(bytes, at);
    if (length === undefined || at + length > bytes.length) return bytes;
    const frame = bytes.subarray(at, at + length);
    at += length;
    const treatment =
      frame[0] === FrameType.data ? treat(frame.subarray(DATA_FRAME_HEADER_LENGTH)) : 'pass';
    if (treatment !== 'pass') changed = true;
    parts.push(treatment === 'pass' ? frame : frameInstead(frame, treatment));
  }
  return changed ? new Uint8Array(Buffer.concat(parts)) : bytes;
}

function frameLength(bytes: Uint8Array, at: number): number | undefined {
  if (bytes[at] === FrameType.ack) return ACK_FRAME_LENGTH;
  const [high, middle, low] = bytes.subarray(at + 5, at + DATA_FRAME_HEADER_LENGTH);
  if (high === undefined || middle === undefined || low === undefined) return undefined;
  return DATA_FRAME_HEADER_LENGTH + high * 65536 + middle * 256 + low;
}

function frameInstead(frame: Uint8Array, treatment: Uint8Array | 'discard'): Uint8Array {
  if (treatment === 'discard') {
    const spoiled = frame.slice();
    // Of another overlay: the Peer acknowledges the frame and looks no further.
    const overlayAt = DATA_FRAME_HEADER_LENGTH + FixedHeader.offsetOf('overlay');
    spoiled[overlayAt] = (spoiled[overlayAt] as number) ^ 0xff;
    return spoiled;
  }
  const { length } = treatment;
  const bent = new Uint8Array(DATA_FRAME_HEADER_LENGTH + length);
  bent.set(frame.subarray(0, 5));
  bent.set([length >>> 16, (length >>> 8) & 0xff, length & 0xff], 5);
  bent.set(treatment, DATA_FRAME_HEADER_LENGTH);
  return bent;
}
