import { shardOf, shardOfSerialNumber } from './certificate-content.ts';
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
 * The lists of these shards after the register's last ones; `urlOf` says where each is found. While
 * all certificates fit on one list, that speaks of all; from the second shard on each list names
 * its distribution point (RFC 5280 §5.2.5), so that none passes for the others.
 *
 * A certificate leaves its list only when it has been expired for longer than a list lives:
 * RFC 5280 §3.3 wants it on one list at least after its end. Lists that are made together have one
 * number: numbers grow within one scope (§5.2.3).
 */
export function nextRevocationLists(
  register: CertificateRegister,
  issuerCommonName: string,
  shards: ReadonlySet<number>,
  urlOf: (shard: number) => string,
  unixMs: number,
): ReadonlyMap<number, RevocationListContent> {
  const entriesOf = new Map<number, RevocationListEntry[]>();
  for (const shard of shards) entriesOf.set(shard, []);
  for (const { serialNumber, notAfterUnixMs, revocation } of register.revoked()) {
    const entries = entriesOf.get(shardOfSerialNumber(serialNumber));
    if (entries === undefined || notAfterUnixMs + REVOCATION_LIST_LIFETIME_MS < unixMs) continue;
    entries.push({
      serialNumber,
      revokedUnixMs: revocation.unixMs,
      reason: revocation.reason,
    });
  }
  const second = unixMs - (unixMs % 1000);
  const hasSeveral = shardCountOf(register) > 1;
  const lists = new Map<number, RevocationListContent>();
  for (const [shard, entries] of entriesOf) {
    lists.set(shard, {
      issuerCommonName,
      number: register.revocationListNumber + 1,
      thisUpdateUnixMs: second,
      nextUpdateUnixMs: second + REVOCATION_LIST_LIFETIME_MS,
      distributionPointUrl: hasSeveral ? urlOf(shard) : undefined,
      entries: entries.sort((a, b) => (a.serialNumber < b.serialNumber ? -1 : 1)),
    });
  }
  return lists;
}

/** How many lists there are, one at least. */
export function shardCountOf(register: CertificateRegister): number {
  return shardOf(Math.max(0, register.issuedCount - 1)) + 1;
}

/** Whether a new list is due: half of the old one's time is over. */
export function isRevocationListDue(
  list: Pick<RevocationListContent, 'thisUpdateUnixMs'>,
  unixMs: number,
): boolean {
  return unixMs >= list.thisUpdateUnixMs + REVOCATION_LIST_LIFETIME_MS / 2;
}

/** A week: an authority that is away for some days stops no peer that wants a fresh list. */
export const REVOCATION_LIST_LIFETIME_MS = 7 * 86_400_000;
