import type { CertificateRegister } from './certificate-register.ts';
import type { RevocationReason } from './revocation-reason.ts';

/** One line of a certificate revocation list — RFC 5280 §5.1.2.6. */
export interface RevocationListEntry {
  /** Lower-case hex. */
  readonly serialNumber: string;
  readonly revokedUnixMs: number;
  readonly reason: RevocationReason;
}

/** All that a certificate revocation list says — RFC 5280 §5.1. */
export interface RevocationListContent {
  readonly issuerCommonName: string;
  /** cRLNumber — RFC 5280 §5.2.3. */
  readonly number: number;
  readonly thisUpdateUnixMs: number;
  readonly nextUpdateUnixMs: number;
  /** The one distribution point that it speaks of; undefined: it speaks of all certificates. */
  readonly distributionPointUrl: string | undefined;
  readonly entries: readonly RevocationListEntry[];
}

/**
 * The list after the register's last one. A certificate leaves it only when it has been expired
 * for longer than a list lives: RFC 5280 §3.3 wants it on one list at least after its end.
 */
export function nextRevocationList(
  register: CertificateRegister,
  issuerCommonName: string,
  unixMs: number,
): RevocationListContent {
  const entries: RevocationListEntry[] = [];
  for (const certificate of register.revoked()) {
    if (certificate.notAfterUnixMs + REVOCATION_LIST_LIFETIME_MS < unixMs) continue;
    entries.push({
      serialNumber: certificate.serialNumber,
      revokedUnixMs: certificate.revocation.unixMs,
      reason: certificate.revocation.reason,
    });
  }
  const second = unixMs - (unixMs % 1000);
  return {
    issuerCommonName,
    number: register.revocationListNumber + 1,
    thisUpdateUnixMs: second,
    nextUpdateUnixMs: second + REVOCATION_LIST_LIFETIME_MS,
    distributionPointUrl: undefined,
    entries: entries.sort((a, b) => (a.serialNumber < b.serialNumber ? -1 : 1)),
  };
}

/** Whether a new list is due: half of the old one's time is over. */
export function isRevocationListDue(list: RevocationListContent, unixMs: number): boolean {
  return unixMs >= list.thisUpdateUnixMs + REVOCATION_LIST_LIFETIME_MS / 2;
}

/** A week: an authority that is away for some days stops no peer that wants a fresh list. */
export const REVOCATION_LIST_LIFETIME_MS = 7 * 86_400_000;
