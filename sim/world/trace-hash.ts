/**
 * A hash over everything that happened, in order: the same seed and commit give the same one. What
 * goes in depends on sizes and times, never on the bytes of keys and signatures, which are random.
 * Two lanes of 32 bits (FNV-1a and a multiplicative hash): it finds differences, it is no
 * protection against anybody.
 */
export class TraceHash {
  private one = 0x811c9dc5;
  private other = 0x9e3779b9;
  private readonly words = new Uint32Array(2);
  private readonly float = new Float64Array(this.words.buffer);

  /** `value`: any number; its 64 bits count. */
  add(value: number): void {
    this.float[0] = value;
    this.mix(this.words[0] as number);
    this.mix(this.words[1] as number);
  }

  /** `text`: a short name. */
  addText(text: string): void {
    for (let at = 0; at < text.length; at++) this.mix(text.charCodeAt(at));
    this.mix(text.length);
  }

  /** 16 hex digits. */
  digest(): string {
    return hex(this.one) + hex(this.other);
  }

  private mix(word: number): void {
    this.one = Math.imul(this.one ^ word, 0x01000193);
    this.one ^= this.one >>> 15;
    this.other = Math.imul((this.other + word) | 0, 0x85ebca6b);
    this.other ^= this.other >>> 13;
  }
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0');
}
