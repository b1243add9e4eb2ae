/**
 * Stanzas of a client in the order of arrival, from when they come until they are dealt with. Some
 * are answered at once and others wait for the disk, but an acknowledgement counts from the oldest
 * on (XEP-0198 §4).
 */
export class ArrivedStanzas {
  private readonly waiting: ArrivedStanza[] = [];
  private readonly whenHandled: (isCounted: boolean) => void;
  private bytes = 0;

  /** `whenHandled` hears of each stanza once all before it are dealt with, too. */
  constructor(whenHandled: (isCounted: boolean) => void) {
    this.whenHandled = whenHandled;
  }

  get size(): number {
    return this.waiting.length;
  }

  get totalBytes(): number {
    return this.bytes;
  }

  /** Counted are those that came after stream management was enabled. */
  add(bytes: number, isCounted: boolean, isHandled: boolean): void {
    this.waiting.push({ bytes, isCounted, isHandled });
    this.bytes += bytes;
    if (isHandled) this.settle();
  }

  /** The oldest that was not dealt with, is. */
  handleOldest(): void {
    const oldest = this.waiting.find(({ isHandled }) => !isHandled);
    if (oldest === undefined) return;
    oldest.isHandled = true;
    this.settle();
  }

  private settle(): void {
    while (this.waiting[0]?.isHandled) {
      const settled = this.waiting.shift();
      if (settled === undefined) return;
      this.bytes -= settled.bytes;
      this.whenHandled(settled.isCounted);
    }
  }
}

interface ArrivedStanza {
  readonly bytes: number;
  readonly isCounted: boolean;
  isHandled: boolean;
}
