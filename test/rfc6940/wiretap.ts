import { FrameCutter } from '../../src/reload/frame-cutter.ts';
import { MalformedMessage } from '../../src/wire/malformed-message.ts';
import { decodeMessage, type Message } from '../../src/wire/message.ts';
import type { VirtualPeer } from '../reload/virtual-overlay.ts';

/** A message that a peer sent, in the order in which it did. */
export interface TappedMessage {
  readonly from: VirtualPeer;
  readonly to: VirtualPeer;
  readonly bytes: Uint8Array;
  readonly message: Message;
}

/** Reads all that the given peers send, and lets it pass. */
export class Wiretap {
  readonly sent: TappedMessage[] = [];
  private readonly peers: VirtualPeer[] = [];

  constructor(...peers: VirtualPeer[]) {
    for (const peer of peers) this.listen(peer);
  }

  listen(peer: VirtualPeer): void {
    this.peers.push(peer);
    peer.intercept = (bytes, to) => {
      this.note(peer, to, bytes);
      return bytes;
    };
  }

  stop(): void {
    for (const peer of this.peers) peer.intercept = undefined;
  }

  clear(): void {
    this.sent.length = 0;
  }

  ofCode(code: number): TappedMessage[] {
    return this.sent.filter(({ message }) => message.contents.code === code);
  }

  ofTransaction(transactionId: bigint): Message[] {
    return this.sent
      .map(({ message }) => message)
      .filter(({ header }) => header.transactionId === transactionId);
  }

  private note(from: VirtualPeer, to: VirtualPeer, bytes: Uint8Array): void {
    for (const message of messagesIn(bytes)) {
      const decoded = decodeMessage(message);
      if (decoded instanceof MalformedMessage) throw new Error(decoded.describe());
      this.sent.push({ from, to, bytes: message, message: decoded });
    }
  }
}

/** The messages of the data frames in what one `send` hands over. */
export function messagesIn(bytes: Uint8Array): Uint8Array[] {
  const { frames, fault } = new FrameCutter(() => 1 << 20).push(bytes);
  if (fault !== undefined) throw new Error(fault.describe());
  return frames.flatMap((frame) => (frame.type === 'data' ? [frame.message] : []));
}
