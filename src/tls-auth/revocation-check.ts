import type { Certificate } from './certificate.ts';
import type { DistributionPoint } from './certificate-extension.ts';
import { CertificateRefusal } from './certificate-refusal.ts';
import { formatUnixMs } from './der-time.ts';
import { type KnownListSignatures, ListIssuers } from './list-issuers.ts';
import { isValidAt, type ValidPath } from './path-validation.ts';
import type { RevocationList } from './revocation-list.ts';
import { groupLists, type ListGroup } from './revocation-list-group.ts';
import {
  ALL_REASONS,
  canCombine,
  coveredReasons,
  listIssuerKeys,
  pointsOf,
  reasonNames,
  scopeFault,
} from './revocation-scope.ts';
import type { RevocationReason, RevokedEntry } from './revoked-entries.ts';
import type { SignatureVerifier } from './signature-verifier.ts';

/**
 * `require`: every certificate must be shown not to be revoked. `prefer`: one of which no list is
 * held passes, and a list counts for a day after its nextUpdate. `off`: nothing is looked at.
 */
export type RevocationPolicy = 'require' | 'prefer' | 'off';

/** What a check looks into. */
export interface RevocationMaterial {
  /** In any order. Whoever fetches lists hands over only those that belong to somebody's path. */
  readonly lists: readonly RevocationList[];
  /** Where certificates of list issuers may be. */
  readonly pool: readonly Certificate[];
  readonly verifySignature: SignatureVerifier;
  /** ms since 1970. */
  readonly unixMs: number;
  readonly policy: RevocationPolicy;
  /** What is known of signatures from earlier checks with the same lists. */
  readonly knownListSignatures?: KnownListSignatures;
  /** What the checks of one search have spent together; left out: this check alone. */
  readonly work?: RevocationWork;
}

/** Lists asked about certificates so far; beyond `stepsMax` nothing is decided. */
export interface RevocationWork {
  steps: number;
}

/** What the lists say of one certificate. */
export type RevocationStatus =
  | { readonly status: 'good' }
  | {
      readonly status: 'revoked';
      readonly sinceUnixMs: number;
      readonly reason: RevocationReason;
      /** Since when it is known or suspected to be invalid, where the list says so. */
      readonly invalidUnixMs: number | undefined;
      /** The list that says it, for people. */
      readonly list: string;
    }
  | {
      readonly status: 'undetermined';
      /** Document and section of the step that was not passed. */
      readonly rule: string;
      readonly why: string;
      /** A list about this certificate was there, though it could not be used. */
      readonly isListHeld: boolean;
    };

/**
 * Revocation by lists — RFC 5280 §6.3, for the certificates of paths under one anchor. One check
 * serves all paths of one search and has one bound on its work.
 */
export class RevocationCheck {
  private readonly material: RevocationMaterial;
  private readonly groups: ReadonlyMap<string, ListGroup>;
  private readonly issuers: ListIssuers;
  private readonly isOverfull: boolean;
  private readonly work: RevocationWork;
  private untilUnixMs = Number.POSITIVE_INFINITY;

  constructor(material: RevocationMaterial) {
    this.material = material;
    this.work = material.work ?? { steps: 0 };
    this.isOverfull = material.lists.length > listsMax;
    this.groups = groupLists(this.isOverfull ? [] : material.lists);
    this.issuers = new ListIssuers(material, (path) => this.refusal(path));
  }

  /** Until when the lists that this check rested on are current enough, ms since 1970. */
  get goodUntilUnixMs(): number {
    return this.untilUnixMs;
  }

  /**
   * Why a path does not pass the policy, issuers before what they issued; undefined when it does.
   * Serves as `PathRequirements.furtherRule`.
   */
  refusal(path: ValidPath): CertificateRefusal | undefined {
    if (this.material.policy === 'off') return undefined;
    for (const certificate of path.certificates.toReversed()) {
      const refusal = this.refusalOf(certificate, path);
      if (refusal !== undefined) return refusal;
    }
    return undefined;
  }

  /** RFC 5280 §6.3.3 for one certificate of a path. */
  status(certificate: Certificate, path: ValidPath): RevocationStatus {
    if (this.isOverfull) return WORK_LIMIT;
    const search = new StatusSearch();
    for (const point of pointsOf(certificate)) {
      for (const issuerKey of new Set(listIssuerKeys(certificate, point))) {
        for (const list of this.groups.get(issuerKey)?.complete ?? []) {
          if (++this.work.steps > stepsMax || this.issuers.isExhausted) return WORK_LIMIT;
          const revoked = this.tryList(search, { list, certificate, point, path });
          if (revoked !== undefined) return revoked;
          if (search.coveredMask === ALL_REASONS) return { status: 'good' };
        }
        this.noteLonelyDeltas(search, issuerKey, certificate, point);
      }
    }
    return this.issuers.isExhausted ? WORK_LIMIT : search.undetermined(certificate);
  }

  private refusalOf(certificate: Certificate, path: ValidPath): CertificateRefusal | undefined {
    const status = this.status(certificate, path);
    const name = certificate.describe();
    if (status.status === 'good') return undefined;
    if (status.status === 'revoked') {
      const since = formatUnixMs(status.sinceUnixMs);
      const detail = `revoked since ${since} for ${status.reason}, says the ${status.list}`;
      const rule = 'RFC 5280 §6.3.3 revocation';
      return new CertificateRefusal('revoked', name, rule, detail, status);
    }
    if (this.material.policy === 'prefer' && !status.isListHeld) return undefined;
    return new CertificateRefusal('revocation-undetermined', name, status.rule, status.why);
  }

  /** RFC 5280 §6.3.3 (a) to (l) for one complete list; returns only that it revokes. */
  private tryList(search: StatusSearch, about: ListQuestion): RevocationStatus | undefined {
    const { list, certificate, point, path } = about;
    const fault = scopeFault(list, certificate, point);
    if (fault !== undefined) {
      search.note(1, 'RFC 5280 §6.3.3 (b) scope', list, fault);
      return undefined;
    }
    const reasons = coveredReasons(list, point);
    if ((reasons & ~search.coveredMask) === 0) return undefined;
    const issuer = this.issuers.issuerOf(list, path);
    if (issuer instanceof CertificateRefusal) {
      search.note(2, issuer.rule, list, issuer.detail);
      return undefined;
    }
    if (list.unknownCritical !== undefined) {
      const why = `critical extension ${list.unknownCritical} is not known`;
      search.note(3, 'RFC 5280 §5.2 critical', list, why);
      return undefined;
    }
    const delta = this.deltaFor(list, issuer);
    const { entries } = list;
    const { issuer: name, serialNumber } = certificate;
    const changed = delta?.entries.find(name, serialNumber);
    const entry = changed ?? entries.find(name, serialNumber);
    // What an old list revokes stays revoked; only a hold can have ended since.
    const dateFault = delta === undefined ? this.dateFault(list) : undefined;
    if (dateFault !== undefined && (entry === undefined || entry.reason === 'certificateHold')) {
      search.note(3, dateFault.rule, list, dateFault.why);
      return undefined;
    }
    if (entry !== undefined && entry.reason !== 'removeFromCRL') {
      return revokedBy(entry, changed !== undefined && delta !== undefined ? delta : list);
    }
    search.cover(reasons);
    this.restOn(delta ?? list);
    return undefined;
  }

  private restOn({ nextUpdateUnixMs }: RevocationList): void {
    const untilUnixMs = nextUpdateUnixMs + this.graceMs;
    this.untilUnixMs = Math.min(this.untilUnixMs, untilUnixMs);
  }

  /** Where there is only a change of a complete list, that list is missing, not unheard of. */
  private noteLonelyDeltas(
    search: StatusSearch,
    issuerKey: string,
    certificate: Certificate,
    point: DistributionPoint,
  ): void {
    const deltas = this.groups.get(issuerKey)?.deltas ?? [];
    const delta = deltas.find((one) => scopeFault(one, certificate, point) === undefined);
    if (delta === undefined) return;
    const why = 'the complete list that it changes is not here';
    search.note(2, 'RFC 5280 §5.2.4 deltaCRLIndicator', delta, why);
  }

  /** The most current delta list for a complete one, signed by the same key; §6.3.3 (c), (h). */
  private deltaFor(list: RevocationList, issuer: Certificate): RevocationList | undefined {
    const deltas = this.groups.get(list.issuer.comparisonKey)?.deltas ?? [];
    return deltas.find(
      (delta) =>
        canCombine(list, delta) &&
        delta.unknownCritical === undefined &&
        isValidAt(delta.thisUpdateUnixMs, delta.nextUpdateUnixMs, this.material.unixMs) &&
        this.issuers.isSignedBy(delta, issuer),
    );
  }

  private get graceMs(): number {
    return this.material.policy === 'prefer' ? REVOCATION_GRACE_MS : 0;
  }

  /** A list that is not the current one; undefined when it is, or nearly and `prefer` says so. */
  private dateFault(list: RevocationList): { rule: string; why: string } | undefined {
    const { unixMs } = this.material;
    const { thisUpdateUnixMs, nextUpdateUnixMs } = list;
    if (isValidAt(thisUpdateUnixMs, nextUpdateUnixMs + this.graceMs, unixMs)) return undefined;
    const asked = `asked for ${formatUnixMs(unixMs)}`;
    if (unixMs < thisUpdateUnixMs) {
      const why = `thisUpdate ${formatUnixMs(thisUpdateUnixMs)}, ${asked}`;
      return { rule: 'RFC 5280 §5.1.2.4 thisUpdate', why };
    }
    const why = `nextUpdate ${formatUnixMs(nextUpdateUnixMs)}, ${asked}`;
    return { rule: 'RFC 5280 §5.1.2.5 nextUpdate', why };
  }
}

interface ListQuestion {
  readonly list: RevocationList;
  readonly certificate: Certificate;
  readonly point: DistributionPoint;
  readonly path: ValidPath;
}

/** The state variables of RFC 5280 §6.3.2, and which list came closest. */
class StatusSearch {
  coveredMask = 0;
  private closest: { readonly rank: number; readonly rule: string; readonly why: string } = {
    rank: 0,
    rule: '',
    why: '',
  };

  cover(reasons: number): void {
    this.coveredMask |= reasons;
  }

  /** Keeps the note of the highest rank, of equal ones the first. */
  note(rank: number, rule: string, list: RevocationList, fault: string): void {
    if (rank <= this.closest.rank) return;
    this.closest = { rank, rule, why: `${list.describe()}: ${fault}` };
  }

  undetermined(certificate: Certificate): RevocationStatus {
    const { rank, rule, why } = this.closest;
    const isListHeld = rank >= 2;
    if (!isListHeld && this.coveredMask !== 0) {
      const missing = reasonNames(ALL_REASONS & ~this.coveredMask);
      const text = `no list speaks of revocation for ${missing}`;
      return undetermined('RFC 5280 §6.3.3 (l) reasons_mask', text, false);
    }
    if (rank > 0) return undetermined(rule, why, isListHeld);
    const text = `no list of "${certificate.issuer.text}" or of its distribution points is here`;
    return undetermined('RFC 5280 §6.3.3 revocation list', text, false);
  }
}

function undetermined(rule: string, why: string, isListHeld: boolean): RevocationStatus {
  return { status: 'undetermined', rule, why, isListHeld };
}

function revokedBy(entry: RevokedEntry, list: RevocationList): RevocationStatus {
  return {
    status: 'revoked',
    sinceUnixMs: entry.revokedUnixMs,
    reason: entry.reason,
    invalidUnixMs: entry.invalidUnixMs,
    list: list.describe(),
  };
}

/** Whoever presents certificates must not win by making work: `prefer` refuses this too. */
const WORK_LIMIT = undetermined(
  'limits listsMax, stepsMax, signatureChecksMax, issuerSearchesMax',
  'not decided within the limits of one check',
  true,
);

/** ms after nextUpdate in which `prefer` still takes a list. */
export const REVOCATION_GRACE_MS = 86_400_000;

/** Lists of one check. */
const listsMax = 1024;

/** Lists asked about certificates in one check, or in all of one search. */
const stepsMax = 10_000;
