import { BoundedCache } from './bounded-cache.ts';
import { type Certificate, parseCertificate } from './certificate.ts';
import { CertificateRefusal } from './certificate-refusal.ts';
import type { KnownSignatures } from './path-building.ts';
import type { ValidPath } from './path-validation.ts';
import { TrueSignatures } from './true-signatures.ts';

/**
 * What is the same whoever asks: what stands in a certificate, which one signed which, whom a path
 * names, which signatures of values are true. Each Authenticator has its own, unless many of one
 * process share one, as in the simulator: that saves memory and work and changes no answer. Those
 * that share it must check signatures in the same way. Whom an Authenticator knows, and so finds by
 * a hash alone, is no part of this.
 */
export class SharedVerdicts {
  /** Which certificate's key signed which certificate. */
  readonly signatures: KnownSignatures = new WeakMap();
  /** Of stored values, which come again and again; those of messages never do. */
  readonly trueDataSignatures: TrueSignatures;
  private readonly certificates: BoundedCache<number, Certificate>;
  private readonly named = new WeakMap<Certificate, Named>();

  /** Bounds: certificates that are kept, and true signatures of values. */
  constructor(certificatesMax = CERTIFICATES_MAX, trueSignaturesMax?: number) {
    this.certificates = new BoundedCache(certificatesMax);
    this.trueDataSignatures = new TrueSignatures(trueSignaturesMax);
  }

  /** What stands in `der`; the same bytes give the same object while it is kept. */
  read(der: Uint8Array): Certificate | CertificateRefusal {
    const key = tailKey(der);
    const kept = this.certificates.get(key);
    if (kept !== undefined && sameBytes(kept.der, der)) return kept;
    // A copy: the argument is part of a message whose buffer must not live as long as the cache.
    const certificate = parseCertificate(new Uint8Array(der));
    if (!(certificate instanceof CertificateRefusal)) this.certificates.set(key, certificate);
    return certificate;
  }

  /**
   * What `make` makes of a path from `leaf`, or what it made earlier of the same certificates in
   * the same order and the same anchor under the same `rules`. The anchor's dates are part of the
   * answer, and the next root may have the name and the key of the one before.
   */
  namedBy<T>(leaf: Certificate, path: NamedPath, rules: string, make: () => T): T {
    const earlier = this.named.get(leaf);
    if (earlier?.rules === rules && isSamePath(earlier, path)) return earlier.value as T;
    const value = make();
    const { certificates, anchor } = path;
    this.named.set(leaf, { certificates, anchor, rules, value });
    return value;
  }
}

type NamedPath = Pick<ValidPath, 'certificates' | 'anchor'>;

interface Named extends NamedPath {
  readonly rules: string;
  readonly value: unknown;
}

function isSamePath(one: NamedPath, other: NamedPath): boolean {
  if (one.anchor !== other.anchor && !sameBytes(one.anchor.der, other.anchor.der)) return false;
  return (
    one.certificates.length === other.certificates.length &&
    one.certificates.every((certificate, at) => certificate === other.certificates[at])
  );
}

/** The last six bytes: part of a signature, so as good as random and cheaper than a hash. */
export function tailKey(der: Uint8Array): number {
  let key = der.length;
  for (let at = Math.max(0, der.length - 6); at < der.length; at++) {
    key = (key * 256 + (der[at] ?? 0)) % Number.MAX_SAFE_INTEGER;
  }
  return key;
}

export function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  if (one === other) return true;
  return one.length === other.length && Buffer.compare(one, other) === 0;
}

const CERTIFICATES_MAX = 1024;
