import type { AuthenticatedNode } from './authenticated-node.ts';
import { CertificateRefusal } from './certificate-refusal.ts';
import { formatUnixMs } from './der-time.ts';
import { type KnownListSignatures, ListIssuers } from './list-issuers.ts';
import { type ListAsker, type ListPoint, ListPoints, publicKeyOf } from './list-points.ts';
import { isValidAt, type ValidPath } from './path-validation.ts';
import {
  REVOCATION_GRACE_MS,
  RevocationCheck,
  type RevocationPolicy,
  type RevocationWork,
} from './revocation-check.ts';
import { parseRevocationList, type RevocationList } from './revocation-list.ts';
import { scopeFault } from './revocation-scope.ts';
import { RevokedNodes } from './revoked-nodes.ts';
import { sameBytes } from './shared-verdicts.ts';
import { type SignatureVerifier, verifyWithKey } from './signature-verifier.ts';

export interface RevocationListsOptions {
  readonly policy: Exclude<RevocationPolicy, 'off'>;
  readonly verifySignature?: SignatureVerifier;
  /**
   * Told once of each URL that a certificate names whose path is valid up to revocation: a list
   * from there is wanted. Must not call back.
   */
  readonly whenWanted?: (url: string) => void;
}

/** What became of a list that was offered. */
export type OfferedList =
  | { readonly type: 'taken' | 'unchanged'; readonly list: RevocationList }
  | { readonly type: 'refused'; readonly refusal: CertificateRefusal };

/** What the lists that are held say of a path. */
export interface RevocationVerdict {
  /** Why the path does not pass; undefined when it does. */
  readonly refusal: CertificateRefusal | undefined;
  /** The verdict may be another one after that, ms since 1970. */
  readonly untilUnixMs: number;
}

/**
 * The revocation lists that one peer holds, each signed by an authority of somebody's valid path,
 * and the newest of its kind. Says of a path whether it passes the policy, and which lists are
 * wanted for it; fetching them is the business of whoever has a network.
 */
export class RevocationLists {
  readonly policy: Exclude<RevocationPolicy, 'off'>;
  /** Whose certificates were met and are revoked. */
  readonly revokedNodes = new RevokedNodes();
  private readonly verifySignature: SignatureVerifier;
  private readonly whenWanted: (url: string) => void;
  private readonly points = new ListPoints();
  /** Lists by the public key that signed them, then by issuer and scope. */
  private readonly held = new Map<string, Map<string, RevocationList>>();
  private readonly knownListSignatures: KnownListSignatures = new WeakMap();
  /** Lists of an earlier run, by URL, that nobody has asked for in this one. */
  private readonly remembered = new Map<string, Uint8Array>();
  private readonly passed = new WeakMap<AuthenticatedNode, Passed>();
  private changes = 0;
  private bytes = 0;

  constructor(options: RevocationListsOptions) {
    this.policy = options.policy;
    this.verifySignature = options.verifySignature ?? verifyWithKey;
    this.whenWanted = options.whenWanted ?? (() => undefined);
  }

  /** Another number whenever another list is held: what was said before counts no more. */
  get epoch(): number {
    return this.changes;
  }

  /** The URLs from which lists are wanted, with the list from there that is held. */
  wanted(): Pick<ListPoint, 'url' | 'list'>[] {
    return Array.from(this.points.values(), ({ url, list }) => ({ url, list }));
  }

  /** Whether a list from this URL is still wanted. */
  wants(url: string): boolean {
    return this.points.get(url) !== undefined;
  }

  /** The list from this URL that is held. */
  heldFrom(url: string): RevocationList | undefined {
    return this.points.get(url)?.list;
  }

  /** A list of an earlier run. It is looked at once a path names the URL; its age is no fault. */
  remember(url: string, der: Uint8Array): void {
    if (this.remembered.size < REMEMBERED_MAX) this.remembered.set(url, der);
  }

  /** RFC 5280 §6.3 for a path that is valid up to this; `work` is that of the search it is from. */
  judge(path: ValidPath, unixMs: number, work: RevocationWork): RevocationVerdict {
    for (const certificate of path.certificates) {
      for (const { point, isNew } of this.points.ask(certificate, path)) {
        if (isNew) this.handleWanted(point, unixMs);
      }
    }
    const { policy, verifySignature, knownListSignatures } = this;
    const signers = [...path.certificates.slice(1), path.anchor].map(publicKeyOf);
    const lists = [...new Set(signers)].flatMap((key) => [...(this.held.get(key)?.values() ?? [])]);
    const check = new RevocationCheck({
      lists,
      pool: [],
      verifySignature,
      unixMs,
      policy,
      knownListSignatures,
      work,
    });
    const refusal = check.refusal(path);
    return { refusal, untilUnixMs: check.goodUntilUnixMs };
  }

  /** The node's path has passed under the lists held now. */
  notePassed(node: AuthenticatedNode, untilUnixMs: number): void {
    this.passed.set(node, { epoch: this.changes, untilUnixMs });
  }

  /** Whether the node's path has passed and nothing has changed since. */
  hasPassed(node: AuthenticatedNode, unixMs: number): boolean {
    const passed = this.passed.get(node);
    return passed?.epoch === this.changes && unixMs < passed.untilUnixMs + 1000;
  }

  /**
   * A list that came from a URL. It is taken when an authority of a path that names the URL signed
   * it for that certificate and it is not older than the one held: a smaller cRLNumber or an
   * earlier thisUpdate is an old list played again. Never throws.
   */
  offer(url: string, der: Uint8Array, unixMs: number): OfferedList {
    const point = this.points.get(url);
    if (point === undefined) return refused(url, 'limit LIST_POINTS_MAX', 'nobody asks for it');
    if (point.list !== undefined && sameBytes(point.list.der, der)) {
      return { type: 'unchanged', list: point.list };
    }
    return this.take(point, der, unixMs, false);
  }

  private handleWanted(point: ListPoint, unixMs: number): void {
    const earlier = this.remembered.get(point.url);
    if (earlier !== undefined && this.take(point, earlier, unixMs, true).type !== 'refused') {
      this.remembered.delete(point.url);
    }
    this.whenWanted(point.url);
  }

  private take(
    point: ListPoint,
    der: Uint8Array,
    unixMs: number,
    isRemembered: boolean,
  ): OfferedList {
    const list = parseRevocationList(der);
    if (list instanceof CertificateRefusal) return { type: 'refused', refusal: list };
    const name = list.describe();
    const fault = faultOf(list, unixMs, isRemembered);
    if (fault !== undefined) return refused(name, fault[0], fault[1]);
    const signer = this.signerFor(list, point.askers, unixMs);
    if (signer instanceof CertificateRefusal) return { type: 'refused', refusal: signer };
    const ofSigner = this.held.get(signer) ?? new Map<string, RevocationList>();
    const scope = scopeKey(list);
    const earlier = ofSigner.get(scope);
    if (earlier !== undefined && sameBytes(earlier.der, der)) {
      point.list = earlier;
      return { type: 'unchanged', list: earlier };
    }
    const age = earlier === undefined ? undefined : ageFault(list, earlier);
    if (age !== undefined) return refused(name, age[0], age[1]);
    const bytes = this.bytes + der.length - (earlier?.der.length ?? 0);
    const limit = limitFault(
      [...ofSigner.values()].filter((one) => one !== earlier),
      list,
      bytes,
    );
    if (limit !== undefined) return refused(name, limit, 'too many lists are held already');
    this.bytes = bytes;
    ofSigner.set(scope, list);
    this.held.set(signer, ofSigner);
    point.list = list;
    this.changes++;
    return { type: 'taken', list };
  }

  /** The public key of the authority that signed the list for one of those who asked. */
  private signerFor(
    list: RevocationList,
    askers: readonly ListAsker[],
    unixMs: number,
  ): string | CertificateRefusal {
    const { verifySignature, knownListSignatures } = this;
    // Lists of issuers that stand in no path are not used here, so nobody's path is looked for.
    const issuers = new ListIssuers(
      { pool: [], verifySignature, unixMs, knownListSignatures },
      () => undefined,
    );
    let closest: CertificateRefusal | undefined;
    for (const { certificate, point, path } of askers) {
      const fault = scopeFault(list, certificate, point);
      if (fault !== undefined) {
        const about = `${fault} than that of ${certificate.describe()}`;
        closest ??= refusalOf(list.describe(), 'RFC 5280 §6.3.3 (b) scope', about);
        continue;
      }
      const issuer = issuers.issuerOf(list, path);
      if (!(issuer instanceof CertificateRefusal)) return publicKeyOf(issuer);
      closest = issuer;
    }
    return (
      closest ?? refusalOf(list.describe(), 'RFC 5280 §6.3.3 (f) issuer', 'nobody asks for it')
    );
  }
}

interface Passed {
  readonly epoch: number;
  readonly untilUnixMs: number;
}

type Fault = readonly [rule: string, detail: string];

/** What is wrong with a list, whoever signed it. */
function faultOf(list: RevocationList, unixMs: number, isRemembered: boolean): Fault | undefined {
  if (list.baseCrlNumber !== undefined) {
    return ['RFC 5280 §5.2.4 deltaCRLIndicator', 'a delta list in the place of a complete one'];
  }
  if (list.unknownCritical !== undefined) {
    return ['RFC 5280 §5.2 critical', `critical extension ${list.unknownCritical} is not known`];
  }
  const { thisUpdateUnixMs, nextUpdateUnixMs } = list;
  if (thisUpdateUnixMs > unixMs) {
    const detail = `thisUpdate ${formatUnixMs(thisUpdateUnixMs)} is still to come`;
    return ['RFC 5280 §5.1.2.4 thisUpdate', detail];
  }
  // Whoever sits on the way must not make everybody refused with a list that was right once.
  if (isRemembered) return undefined;
  if (isValidAt(thisUpdateUnixMs, nextUpdateUnixMs + REVOCATION_GRACE_MS, unixMs)) return undefined;
  const detail = `nextUpdate was ${formatUnixMs(nextUpdateUnixMs)}`;
  return ['RFC 5280 §5.1.2.5 nextUpdate', detail];
}

/** Why a list may not take the place of the one held. */
function ageFault(list: RevocationList, held: RevocationList): Fault | undefined {
  if (held.crlNumber !== undefined && (list.crlNumber ?? -1n) < held.crlNumber) {
    return ['RFC 5280 §5.2.3 cRLNumber', `number ${held.crlNumber} is held already`];
  }
  if (list.thisUpdateUnixMs < held.thisUpdateUnixMs) {
    const detail = `one of ${formatUnixMs(held.thisUpdateUnixMs)} is held already`;
    return ['RFC 5280 §5.1.2.4 thisUpdate', detail];
  }
  return undefined;
}

/** The limit that would be passed, if one is. */
function limitFault(ofSigner: RevocationList[], list: RevocationList, bytes: number) {
  const bytesOfSigner = ofSigner.reduce((sum, { der }) => sum + der.length, list.der.length);
  if (ofSigner.length >= LISTS_PER_SIGNER_MAX) return 'limit LISTS_PER_SIGNER_MAX';
  if (bytesOfSigner > SIGNER_BYTES_MAX) return 'limit SIGNER_BYTES_MAX';
  return bytes > HELD_BYTES_MAX ? 'limit HELD_BYTES_MAX' : undefined;
}

/** Lists with the same key speak of the same certificates: the newer takes the older's place. */
function scopeKey({ issuer, issuingDistributionPoint: scope }: RevocationList): string {
  const der = scope === undefined ? '' : Buffer.from(scope.der).toString('latin1');
  return `${issuer.comparisonKey} ${der}`;
}

function refused(name: string, rule: string, detail: string): OfferedList {
  return { type: 'refused', refusal: refusalOf(name, rule, detail) };
}

function refusalOf(name: string, rule: string, detail: string): CertificateRefusal {
  return new CertificateRefusal('revocation-undetermined', name, rule, detail);
}

/** Shards of one authority. */
const LISTS_PER_SIGNER_MAX = 256;
/** Bytes of the lists of one authority, and of all. */
const SIGNER_BYTES_MAX = 33_554_432;
const HELD_BYTES_MAX = 134_217_728;
/** Lists of an earlier run. */
const REMEMBERED_MAX = 1024;
