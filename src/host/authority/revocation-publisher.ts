import { shardOfSerialNumber } from '../../ca/certificate-content.ts';
import { revocationListLint } from '../../ca/issuance-lint.ts';
import {
  isRevocationListDue,
  nextRevocationLists,
  type RevocationListContent,
  shardCountOf,
} from '../../ca/revocation-list-content.ts';
import type { RevocationReason } from '../../ca/revocation-reason.ts';
import type { AuthorityState } from './authority-state.ts';
import type { HttpDocument } from './http-exchange.ts';
import { NotIssuable } from './not-issuable.ts';
import { buildRevocationList } from './revocation-list-builder.ts';

/**
 * Revokes, and shows the revocation lists: one, or one for each 10,000 certificates. A list is
 * shown after its number is in the ledger, so no number ever names two lists.
 */
export class RevocationPublisher {
  private readonly state: AuthorityState;
  private url = '';
  private readonly lists = new Map<number, PublishedList>();

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
    for (const [shard, { document }] of this.lists) {
      if (path === this.pathOf(shard)) return document;
    }
    return undefined;
  }

  /** Makes new lists in the place of those whose time is half over, and lists that are missing. */
  async refresh(): Promise<void> {
    const unixMs = this.state.nowUnixMs();
    const isDue = (shard: number) => {
      const held = this.lists.get(shard);
      return held === undefined || isRevocationListDue(held.content, unixMs);
    };
    await this.publish((shards) => shards.filter(isDue));
  }

  /**
   * Sees to it that the list of a new certificate is there. Where it is the first of another list,
   * all are made anew: the first one spoke of every certificate until now.
   */
  async prepareFor(serialNumber: string): Promise<void> {
    if (this.lists.size === 0 || this.lists.has(shardOfSerialNumber(serialNumber))) return;
    await this.publish((shards) => shards);
  }

  /**
   * Revokes those of these serial numbers that are not revoked yet and shows new lists. Returns
   * them.
   */
  async revoke(
    serialNumbers: readonly string[],
    reason: RevocationReason,
  ): Promise<readonly string[]> {
    const revoked = await this.state.exclusive(async () => {
      const { register } = this.state;
      const unixMs = this.state.nowUnixMs();
      const fresh = serialNumbers.filter((serialNumber) => {
        const held = register.certificate(serialNumber) ?? register.authority(serialNumber);
        return held !== undefined && held.revocation === undefined;
      });
      for (const serialNumber of fresh) {
        this.state.record({ type: 'certificateRevoked', unixMs, serialNumber, reason });
      }
      return fresh;
    });
    const touched = new Set(revoked.map(shardOfSerialNumber));
    if (touched.size > 0) await this.publish((shards) => shards.filter((one) => touched.has(one)));
    return revoked;
  }

  private pathOf(shard: number): string {
    const { name } = this.state.settings;
    return shard === 0 ? `${PATHS}${name}.crl` : `${PATHS}${name}-${shard}.crl`;
  }

  private async publish(choose: (shards: readonly number[]) => readonly number[]): Promise<void> {
    await this.state.exclusive(async () => {
      const { register, issuerCommonName, keys } = this.state;
      const unixMs = this.state.nowUnixMs();
      const all = Array.from({ length: shardCountOf(register) }, (_, shard) => shard);
      const shards = new Set(choose(all));
      if (shards.size === 0) return;
      const urlOf = (shard: number) => this.urlOf(shard);
      const contents = nextRevocationLists(register, issuerCommonName, shards, urlOf, unixMs);
      this.state.record({
        type: 'revocationListIssued',
        unixMs,
        number: register.revocationListNumber + 1,
      });
      for (const [shard, content] of contents) {
        const bytes = await buildRevocationList(content, keys.issuer);
        const fault = revocationListLint(bytes, keys.issuer.certificate);
        if (fault !== undefined) throw new NotIssuable('a revocation list', fault);
        const document = { contentType: 'application/pkix-crl', bytes, changedUnixMs: unixMs };
        this.lists.set(shard, { content, document });
      }
    });
  }
}

const PATHS = '/crl/';

interface PublishedList {
  readonly content: RevocationListContent;
  readonly document: HttpDocument;
}
