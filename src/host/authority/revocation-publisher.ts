import { shardOfSerialNumber } from '../../ca/certificate-content.ts';
import { revocationListLint } from '../../ca/issuance-lint.ts';
import {
  isRevocationListDue,
  nextRevocationLists,
  shardCountOf,
} from '../../ca/revocation-list-content.ts';
import type { RevocationReason } from '../../ca/revocation-reason.ts';
import type { AuthorityState } from './authority-state.ts';
import type { HttpDocument } from './http-exchange.ts';
import { NotIssuable } from './not-issuable.ts';
import { buildRevocationList } from './revocation-list-builder.ts';

/**
 * Revokes, and shows the revocation lists: one, or one for each 10,000 certificates. Lists are in
 * the ledger beside the event that has their number, so no number ever names two lists, a restart
 * makes no new ones, and all processes show the same.
 */
export class RevocationPublisher {
  private readonly state: AuthorityState;
  private url = '';
  private readonly parsed = new Map<string, ParsedList>();

  constructor(state: AuthorityState) {
    this.state = state;
  }

  /** Where peers reach this authority: `https://HOST:PORT`; certificates point there. */
  setPublicUrl(publicUrl: string): void {
    this.url = publicUrl;
  }

  /** Empty: it never served. */
  get publicUrl(): string {
    return this.url;
  }

  /** What the URLs of all lists begin with. */
  get listsUrl(): string {
    return `${this.url}${PATHS}`;
  }

  /** Where the list of a shard is; 0 is the first. */
  urlOf(shard: number): string {
    return `${this.url}${this.pathOf(shard)}`;
  }

  /** The list in force at a path; undefined: there is none. */
  listAt(path: string): HttpDocument | undefined {
    const text = this.state.published(path);
    if (text === undefined) return undefined;
    const held = this.parsed.get(path);
    if (held?.text === text) return held.document;
    const { bytes, changedUnixMs } = JSON.parse(text) as PublishedList;
    const document = {
      contentType: 'application/pkix-crl',
      bytes: new Uint8Array(Buffer.from(bytes, 'base64')),
      changedUnixMs,
    };
    this.parsed.set(path, { text, document });
    return document;
  }

  /**
   * Makes new lists in the place of those whose time is half over, and lists that are missing or
   * lack a revocation: the key that signs them may have been away.
   */
  refresh(): Promise<void> {
    return this.state.exclusive(() => this.publishDue(() => true));
  }

  /**
   * Sees to it that the list of a new certificate is there. Where it is the first of another list,
   * all are made anew: the first one spoke of every certificate until now.
   */
  async prepareFor(serialNumber: string): Promise<void> {
    const isThere = (shard: number) => this.state.published(this.pathOf(shard)) !== undefined;
    if (!isThere(0) || isThere(shardOfSerialNumber(serialNumber))) return;
    await this.state.exclusive(() => this.publish(() => true));
  }

  /**
   * Revokes those of these serial numbers that are not revoked yet, with new lists in the same
   * change: no crash comes between the two. Returns them.
   */
  revoke(serialNumbers: readonly string[], reason: RevocationReason): Promise<readonly string[]> {
    return this.state.exclusive(() => this.revokeNow(serialNumbers, reason));
  }

  /** The same within a change. Where it rejects they are revoked, and only the list is missing. */
  async revokeNow(
    serialNumbers: readonly string[],
    reason: RevocationReason,
  ): Promise<readonly string[]> {
    const { register } = this.state;
    const unixMs = this.state.nowUnixMs();
    const fresh = serialNumbers.filter((serialNumber) => {
      const held = register.certificate(serialNumber) ?? register.authority(serialNumber);
      return held !== undefined && held.revocation === undefined;
    });
    for (const serialNumber of fresh) {
      this.state.record({ type: 'certificateRevoked', unixMs, serialNumber, reason });
    }
    const touched = new Set(serialNumbers.map(shardOfSerialNumber));
    await this.publishDue((shard) => touched.has(shard));
    return fresh;
  }

  /** Within a change. */
  private async publishDue(isMeant: (shard: number) => boolean): Promise<void> {
    const counts = this.revokedCounts();
    await this.publish((shard) => isMeant(shard) && this.isDue(shard, counts.get(shard) ?? 0));
  }

  /** How many are revoked, by shard. */
  private revokedCounts(): ReadonlyMap<number, number> {
    const counts = new Map<number, number>();
    for (const { serialNumber } of this.state.register.revoked()) {
      const shard = shardOfSerialNumber(serialNumber);
      counts.set(shard, (counts.get(shard) ?? 0) + 1);
    }
    return counts;
  }

  private isDue(shard: number, revokedCount: number): boolean {
    const text = this.state.published(this.pathOf(shard), 'decided');
    if (text === undefined) return true;
    const list = JSON.parse(text) as PublishedList;
    if (list.revokedCount !== revokedCount || list.url !== this.urlOf(shard)) return true;
    return isRevocationListDue(list, this.state.nowUnixMs());
  }

  private pathOf(shard: number): string {
    const { name } = this.state.settings;
    return shard === 0 ? `${PATHS}${name}.crl` : `${PATHS}${name}-${shard}.crl`;
  }

  /** Within a change. */
  private async publish(isWanted: (shard: number) => boolean): Promise<void> {
    const { register, issuerCommonName, keys } = this.state;
    const unixMs = this.state.nowUnixMs();
    const all = Array.from({ length: shardCountOf(register) }, (_, shard) => shard);
    const shards = new Set(all.filter(isWanted));
    if (shards.size === 0) return;
    const counts = this.revokedCounts();
    const urlOf = (shard: number) => this.urlOf(shard);
    const contents = nextRevocationLists(register, issuerCommonName, shards, urlOf, unixMs);
    this.state.record({
      type: 'revocationListIssued',
      unixMs,
      number: register.revocationListNumber + 1,
    });
    for (const [shard, { thisUpdateUnixMs, ...content }] of contents) {
      const bytes = await buildRevocationList({ thisUpdateUnixMs, ...content }, keys.issuer);
      const fault = revocationListLint(bytes, keys.issuer.certificate);
      if (fault !== undefined) {
        const what = 'a revocation list';
        this.state.record({ type: 'issuanceRefused', unixMs, what, reason: fault });
        throw new NotIssuable(what, fault);
      }
      const list: PublishedList = {
        url: this.urlOf(shard),
        thisUpdateUnixMs,
        changedUnixMs: unixMs,
        revokedCount: counts.get(shard) ?? 0,
        bytes: Buffer.from(bytes).toString('base64'),
      };
      this.state.publish(this.pathOf(shard), JSON.stringify(list));
    }
  }
}

/** A document of the ledger, under the path of the list. */
interface PublishedList {
  readonly url: string;
  readonly thisUpdateUnixMs: number;
  readonly changedUnixMs: number;
  /** Revocations that the ledger had then, also of certificates that have left the list. */
  readonly revokedCount?: number;
  /** DER, base64. */
  readonly bytes: string;
}

interface ParsedList {
  readonly text: string;
  readonly document: HttpDocument;
}

const PATHS = '/crl/';
