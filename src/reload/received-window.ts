/**
 * The 32 most recently received sequence numbers of a link — RFC 6940 §6.6.2. Bit N−M of the
 * bitmap says that M was received before N; nothing depends on the other side's bits.
 */
export class ReceivedWindow {
  private readonly recent: number[] = [];
  private next = 0;

  /** Notes `sequence` and returns the `received` word of its acknowledgement. */
  receive(sequence: number): number {
    let received = 0;
    for (const earlier of this.recent) {
      const behind = (sequence - earlier) >>> 0;
      if (behind >= 1 && behind < WINDOW) received |= 1 << behind;
    }
    this.recent[this.next] = sequence;
    this.next = (this.next + 1) % WINDOW;
    return received >>> 0;
  }
}

const WINDOW = 32;
