import type { ResourceId } from '../wire/resource-id.ts';
import type { GenericCertificate } from '../wire/security-block.ts';
import type { KindId } from '../wire/stored-data.ts';
import { joinBytes } from './join-bytes.ts';
import type { Now } from './now.ts';
import type { ResourceTable } from './resource-table.ts';
import type { ResourceExport } from './store-result.ts';
import {
  encodedForSending,
  isLive,
  remainingLifetimeSeconds,
  type StoredValue,
} from './stored-value.ts';

/**
 * Everything under a Resource-ID as replica Stores (RFC 6940 §7.4.1.1), in parts whose values and
 * certificates together have at most `partBytesMax` bytes; a value that is larger alone is a part
 * of its own. Values made up for gaps are never among them (§7.4.1.3), nor are those that end
 * within this second.
 */
export function exportValues(
  table: ResourceTable,
  resource: ResourceId,
  partBytesMax: number,
  now: Now,
): ResourceExport[] {
  const parts: ResourceExport[] = [];
  let part = new ExportPart();
  for (const [kind, state] of table.kindsOf(resource)) {
    for (const value of state.values.values()) {
      if (!isLive(value, now) || remainingLifetimeSeconds(value, now) === 0) continue;
      if (!part.isEmpty && part.bytesWith(value) > partBytesMax) {
        parts.push(part.finish());
        part = new ExportPart();
      }
      part.add(kind, state.generationCounter, value, now);
    }
  }
  if (!part.isEmpty) parts.push(part.finish());
  return parts;
}

class ExportPart {
  private readonly kinds = new Map<KindId, KindPart>();
  private readonly certificates = new Set<GenericCertificate>();
  private bytes = 0;

  get isEmpty(): boolean {
    return this.kinds.size === 0;
  }

  /** How large the part would be with this value. */
  bytesWith(value: StoredValue): number {
    let bytes = this.bytes + value.encoded.length;
    if (!this.kinds.has(value.kind)) bytes += KIND_HEADER_BYTES;
    for (const certificate of value.kept.certificates) {
      if (this.certificates.has(certificate)) continue;
      bytes += CERTIFICATE_HEADER_BYTES + certificate.certificate.length;
    }
    return bytes;
  }

  add(kind: KindId, generationCounter: bigint, value: StoredValue, now: Now): void {
    this.bytes = this.bytesWith(value);
    for (const certificate of value.kept.certificates) this.certificates.add(certificate);
    let kindPart = this.kinds.get(kind);
    if (kindPart === undefined) {
      kindPart = { generationCounter, values: [] };
      this.kinds.set(kind, kindPart);
    }
    kindPart.values.push(encodedForSending(value, now));
  }

  finish(): ResourceExport {
    const kindData = [...this.kinds].map(([kind, { generationCounter, values }]) => ({
      kind,
      generationCounter,
      values: joinBytes(values),
    }));
    return { kindData, certificates: [...this.certificates] };
  }
}

interface KindPart {
  readonly generationCounter: bigint;
  readonly values: Uint8Array[];
}

/** Kind-ID, generation counter and the length of the values in a StoreKindData. */
const KIND_HEADER_BYTES = 16;
/** Type and length in a GenericCertificate. */
const CERTIFICATE_HEADER_BYTES = 3;
