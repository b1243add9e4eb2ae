import { UNSENT_BYTES_MAX, UNSENT_MS_MAX, UNSENT_STANZAS_MAX } from './component-limits.ts';

/** Stanzas, as text, that wait for a stream. The oldest make room for new ones. */
export class UnsentStanzas {
  private readonly waiting: UnsentStanza[] = [];
  private bytes = 0;

  push(text: string, nowMs: number): void {
    const bytes = Buffer.byteLength(text);
    this.waiting.push({ text, bytes, atMs: nowMs });
    this.bytes += bytes;
    while (this.waiting.length > UNSENT_STANZAS_MAX || this.bytes > UNSENT_BYTES_MAX) {
      this.bytes -= this.waiting.shift()?.bytes ?? 0;
    }
  }

  /** Those that somebody still waits for, oldest first; none is left. */
  take(nowMs: number): readonly string[] {
    const fresh = this.waiting.filter(({ atMs }) => nowMs - atMs <= UNSENT_MS_MAX);
    this.clear();
    return fresh.map(({ text }) => text);
  }

  clear(): void {
    this.waiting.length = 0;
    this.bytes = 0;
  }
}

interface UnsentStanza {
  readonly text: string;
  readonly bytes: number;
  readonly atMs: number;
}
