import type { PersistRecord } from '../../storage/persist-record.ts';
import { AddressFault } from '../../xmpp-address/address-fault.ts';
import { type BareJid, parseJid } from '../../xmpp-address/jid.ts';
import {
  isTime,
  jsonOf,
  jsonRecord,
  removal,
  type StoredRecord,
} from '../routing/routing-records.ts';
import { fromBase64, toBase64 } from '../sasl/base64.ts';
import { type CertificateChain, chainOf } from './certificate-chain.ts';
import {
  CERTIFIED_USERS_MAX,
  CHAIN_CERTIFICATES_MAX,
  CHAINS_PER_USER_MAX,
  REMEMBERED_CERTIFICATE_BYTES_MAX,
} from './signed-limits.ts';

/** The certificates of a user as they were when they were last asked for. */
export interface RememberedUser {
  readonly chains: readonly CertificateChain[];
  readonly askedUnixMs: number;
}

/**
 * Certificates of users, so that signatures can be checked while the overlay cannot be reached, and
 * over restarts. Only what was found is here; each is judged again whenever it is used. Those asked
 * for longest ago go first.
 */
export class RememberedCertificates {
  private readonly users = new Map<BareJid, RememberedUser>();
  private bytes = 0;
  /** Keys of records that are damaged or have no room. */
  private readonly dropped: string[] = [];

  /** `records`: those of CERTIFICATES_PREFIX that a former run left. */
  constructor(records: Iterable<StoredRecord>) {
    const read: [BareJid, RememberedUser][] = [];
    for (const record of records) {
      const user = parseJid(record.key.slice(CERTIFICATES_PREFIX.length));
      const remembered = rememberedOf(record);
      if (user instanceof AddressFault || remembered === undefined) this.dropped.push(record.key);
      else read.push([user.bare, remembered]);
    }
    read.sort(([, a], [, b]) => a.askedUnixMs - b.askedUnixMs);
    for (const [user, remembered] of read) {
      const gone = this.put(user, remembered).filter((one) => one !== user);
      this.dropped.push(...gone.map(certificatesKey));
    }
  }

  get(user: BareJid): RememberedUser | undefined {
    return this.users.get(user);
  }

  /** To remove what a former run left and cannot be used; once. */
  begin(): PersistRecord[] {
    return this.dropped.splice(0).map(removal);
  }

  set(user: BareJid, chains: readonly CertificateChain[], unixMs: number): PersistRecord[] {
    const kept = chains.slice(0, CHAINS_PER_USER_MAX);
    const gone = this.put(user, { chains: kept, askedUnixMs: unixMs });
    const written = kept.map(({ leaf, pool }) => [leaf, ...pool].map(toBase64));
    return [
      ...gone.filter((one) => one !== user).map((one) => removal(certificatesKey(one))),
      jsonRecord(certificatesKey(user), [unixMs, written]),
    ];
  }

  /** Which users had to go for it. */
  private put(user: BareJid, remembered: RememberedUser): BareJid[] {
    this.forget(user);
    this.users.set(user, remembered);
    this.bytes += bytesOf(remembered);
    const gone: BareJid[] = [];
    for (const oldest of this.users.keys()) {
      const fits =
        this.users.size <= CERTIFIED_USERS_MAX && this.bytes <= REMEMBERED_CERTIFICATE_BYTES_MAX;
      if (fits || oldest === user) break;
      this.forget(oldest);
      gone.push(oldest);
    }
    return gone;
  }

  private forget(user: BareJid): void {
    const remembered = this.users.get(user);
    if (remembered === undefined) return;
    this.users.delete(user);
    this.bytes -= bytesOf(remembered);
  }
}

export const CERTIFICATES_PREFIX = 'signed-certificates/';

function certificatesKey(user: BareJid): string {
  return CERTIFICATES_PREFIX + user;
}

function bytesOf({ chains }: RememberedUser): number {
  return chains
    .flatMap(({ leaf, pool }) => [leaf, ...pool])
    .reduce((sum, { length }) => sum + length, 0);
}

function rememberedOf(record: StoredRecord): RememberedUser | undefined {
  const value = jsonOf(record);
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  const [askedUnixMs, written] = value as readonly unknown[];
  if (!isTime(askedUnixMs) || !Array.isArray(written)) return undefined;
  const chains = written.slice(0, CHAINS_PER_USER_MAX).map(writtenChain);
  const read = chains.filter((chain) => chain !== undefined);
  return read.length === chains.length ? { chains: read, askedUnixMs } : undefined;
}

function writtenChain(value: unknown): CertificateChain | undefined {
  if (!Array.isArray(value) || value.length > CHAIN_CERTIFICATES_MAX) return undefined;
  const ders = value.map((text) => (typeof text === 'string' ? fromBase64(text) : undefined));
  const read = ders.filter((der) => der !== undefined);
  return read.length === ders.length ? chainOf(read) : undefined;
}
