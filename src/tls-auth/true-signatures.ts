import { createHash } from 'node:crypto';
import { BoundedCache } from './bounded-cache.ts';
import type { Certificate } from './certificate.ts';

/**
 * Signatures that were found true: a stored value is fetched many times, and its signature does not
 * change. An entry is a SHA-256 over certificate, algorithm, signed bytes and signature, so nothing
 * but the very same signature is recognised; bounded.
 */
export class TrueSignatures {
  private readonly entries: BoundedCache<string, true>;

  constructor(entriesMax = entriesMaxUsual) {
    this.entries = new BoundedCache(entriesMax);
  }

  key(
    certificate: Certificate,
    hashAlgorithm: number,
    input: Uint8Array,
    signature: Uint8Array,
  ): string {
    // Each part but the last has a fixed length or one that stands before it.
    const head = `${certificate.sha256} ${hashAlgorithm} ${input.length}:`;
    return createHash('sha256').update(head).update(input).update(signature).digest('base64');
  }

  has(key: string): boolean {
    return this.entries.get(key) === true;
  }

  add(key: string): void {
    this.entries.set(key, true);
  }
}

/** About 1 MB when full. */
const entriesMaxUsual = 8_192;
