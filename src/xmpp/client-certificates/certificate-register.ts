import type { PersistRecord } from '../../storage/persist-record.ts';
import { removal } from '../routing/routing-records.ts';
import { certificateKey, certificateRecord } from './certificate-records.ts';
import {
  CERTIFICATES_BYTES_MAX,
  CERTIFICATES_MAX,
  EXPIRED_SHOWN_MS,
  LAST_USED_PRECISION_MS,
  REMEMBERED_MAX,
} from './client-certificate-limits.ts';
import {
  type CertificateState,
  certificateOf,
  fingerprintOf,
  hasExpired,
  type RegisteredCertificate,
  signedHashOf,
} from './registered-certificate.ts';

/** By what a certificate is meant. */
export type CertificateSelector = { readonly name: string } | { readonly fingerprint: string };

/**
 * The user's client certificates, in memory and as one record for each: those that can be used,
 * which have the names, and until their notAfter those that were revoked or disabled. Each change
 * returns the records that have to be written.
 */
export class CertificateRegister {
  private readonly certificates = new Map<string, RegisteredCertificate>();
  /** The active ones, by name. */
  private readonly named = new Map<string, RegisteredCertificate>();
  /** By what their issuers signed, which stays when somebody alters a signature. */
  private readonly signed = new Map<string, RegisteredCertificate>();
  private bytes = 0;

  constructor(restored: Iterable<RegisteredCertificate>) {
    for (const certificate of restored) this.keep(certificate);
  }

  /** Active, in the order in which they were added. */
  listed(): RegisteredCertificate[] {
    return [...this.named.values()].sort((a, b) => a.addedUnixMs - b.addedUnixMs);
  }

  /** In any state. */
  get(fingerprint: string): RegisteredCertificate | undefined {
    return this.certificates.get(fingerprint);
  }

  withSignedHash(signedHash: string): RegisteredCertificate | undefined {
    return this.signed.get(signedHash);
  }

  /** What a client showed, in any state, also where somebody has altered its signature. */
  ofLeaf(leaf: Uint8Array): RegisteredCertificate | undefined {
    const known = this.certificates.get(fingerprintOf(leaf));
    if (known !== undefined) return known;
    const certificate = certificateOf(leaf);
    return certificate && this.signed.get(signedHashOf(certificate));
  }

  /** A name means the active certificate, else the last one that had the name. */
  find(selector: CertificateSelector): RegisteredCertificate | undefined {
    if ('fingerprint' in selector) return this.certificates.get(selector.fingerprint);
    const active = this.named.get(selector.name);
    if (active !== undefined) return active;
    return [...this.certificates.values()].findLast(({ name }) => name === selector.name);
  }

  withName(name: string): RegisteredCertificate | undefined {
    return this.named.get(name);
  }

  /** The active one with this key. */
  withKey(keyHash: string): RegisteredCertificate | undefined {
    return [...this.named.values()].find((one) => one.keyHash === keyHash);
  }

  /** Whoever revoked a certificate takes its key to be in the wrong hands. */
  hasRevokedKey(keyHash: string): boolean {
    for (const { keyHash: one, state } of this.certificates.values()) {
      if (one === keyHash && state === 'revoked') return true;
    }
    return false;
  }

  /** Why there is no room for another of so many bytes; undefined: there is. */
  roomFault(bytes: number): string | undefined {
    if (this.named.size >= CERTIFICATES_MAX) {
      return `there are ${CERTIFICATES_MAX} certificates already; disable some first`;
    }
    if (this.bytes + bytes > CERTIFICATES_BYTES_MAX) {
      return `all certificates together have ${CERTIFICATES_BYTES_MAX} bytes at most`;
    }
    if (this.certificates.size >= REMEMBERED_MAX) {
      return 'too many certificates were revoked or disabled that have not expired yet';
    }
    return undefined;
  }

  /** Adds one that was checked, or replaces what was said of it; a name stays. */
  set(certificate: RegisteredCertificate): PersistRecord[] {
    const former = this.certificates.get(certificate.fingerprint);
    // What only was used keeps its place in the list.
    if (former?.state === 'active') this.bytes -= former.der.length;
    if (former?.state === 'active' && certificate.state !== 'active')
      this.named.delete(former.name);
    this.keep(certificate);
    return [certificateRecord(certificate)];
  }

  setState(certificate: RegisteredCertificate, state: CertificateState): PersistRecord[] {
    return this.set({ ...certificate, state });
  }

  /** Of a login: what is to be written, if it is time for that. */
  used(fingerprint: string, unixMs: number): PersistRecord[] {
    const certificate = this.certificates.get(fingerprint);
    if (certificate === undefined) return [];
    const { lastUsedUnixMs = 0 } = certificate;
    if (unixMs - lastUsedUnixMs < LAST_USED_PRECISION_MS) return [];
    return this.set({ ...certificate, lastUsedUnixMs: unixMs });
  }

  /** Removes what has expired long enough ago, and denials of what has expired. */
  sweep(unixMs: number): PersistRecord[] {
    const over = [...this.certificates.values()].filter((certificate) =>
      hasExpired(certificate, unixMs - (certificate.state === 'active' ? EXPIRED_SHOWN_MS : 0)),
    );
    for (const { fingerprint } of over) this.drop(fingerprint);
    return over.map(({ fingerprint }) => removal(certificateKey(fingerprint)));
  }

  private keep(certificate: RegisteredCertificate): void {
    this.certificates.set(certificate.fingerprint, certificate);
    this.signed.set(certificate.signedHash, certificate);
    if (certificate.state !== 'active') return;
    this.named.set(certificate.name, certificate);
    this.bytes += certificate.der.length;
  }

  private drop(fingerprint: string): void {
    const certificate = this.certificates.get(fingerprint);
    if (certificate === undefined) return;
    this.certificates.delete(fingerprint);
    this.signed.delete(certificate.signedHash);
    if (certificate.state !== 'active') return;
    this.named.delete(certificate.name);
    this.bytes -= certificate.der.length;
  }
}
