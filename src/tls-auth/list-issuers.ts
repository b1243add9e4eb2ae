import type { Certificate } from './certificate.ts';
import { CertificateRefusal } from './certificate-refusal.ts';
import { keyFault } from './key-strength.ts';
import { publicKeyOf } from './list-points.ts';
import { findPath, type KnownSignatures } from './path-building.ts';
import type { ValidPath } from './path-validation.ts';
import type { RevocationList } from './revocation-list.ts';
import { type SignatureVerifier, signatureAlgorithmPair } from './signature-verifier.ts';

/** Where certificates of list issuers are looked for. */
export interface ListIssuerMaterial {
  readonly pool: readonly Certificate[];
  readonly verifySignature: SignatureVerifier;
  /** ms since 1970. */
  readonly unixMs: number;
  readonly knownListSignatures?: KnownListSignatures;
}

/**
 * By a public key, whether it signed the list. One key can stand in any number of certificates, and
 * a list may be large.
 */
export type KnownListSignatures = WeakMap<RevocationList, Map<string, boolean>>;

/** Who may have signed a list, and did — RFC 5280 §6.3.3 (f), (g). */
export class ListIssuers {
  private readonly material: ListIssuerMaterial;
  private readonly revocationRefusal: (path: ValidPath) => CertificateRefusal | undefined;
  private readonly knownSignatures: KnownSignatures = new WeakMap();
  private readonly signers: KnownListSignatures;
  /** SHA-256 of certificates whose own revocation is just being looked at. */
  private readonly inProgress = new Set<string>();
  private signatureChecks = 0;
  private searches = 0;

  /** `revocationRefusal` looks whether the path to another issuer of lists is revoked. */
  constructor(
    material: ListIssuerMaterial,
    revocationRefusal: (path: ValidPath) => CertificateRefusal | undefined,
  ) {
    this.material = material;
    this.signers = material.knownListSignatures ?? new WeakMap();
    this.revocationRefusal = revocationRefusal;
  }

  /** The limits of a check are used up: nothing more is decided. */
  get isExhausted(): boolean {
    return this.signatureChecks > signatureChecksMax || this.searches > issuerSearchesMax;
  }

  /**
   * The certificate whose key signed the list: one of the path that the list is about, or one with
   * a valid path of its own to the same anchor. A certificate whose revocation only a list of its
   * own key can tell is believed as long as that list does not name it: its authority arranged it
   * so, and there is nobody else to ask.
   */
  issuerOf(list: RevocationList, path: ValidPath): Certificate | CertificateRefusal {
    const trusted = [...path.certificates, path.anchor];
    const named = [...trusted, ...this.material.pool].filter(({ subject }) =>
      subject.equals(list.issuer),
    );
    let fault = refusalOf(list, '(f) issuer', 'no certificate of its issuer is here');
    let usageFault: CertificateRefusal | undefined;
    let pathFault: CertificateRefusal | undefined;
    for (const candidate of byKeyIdentifier(named, list)) {
      if (!maySignLists(candidate)) {
        const detail = `${candidate.describe()} may not sign lists: keyUsage lacks cRLSign`;
        usageFault = refusalOf(list, '(f) cRLSign', detail);
      } else if (!this.isSignedBy(list, candidate)) {
        const detail = `not signed by the key of ${candidate.describe()}`;
        fault = refusalOf(list, '(g) signature', detail);
      } else {
        if (trusted.includes(candidate) || this.inProgress.has(candidate.sha256)) return candidate;
        const refusal = this.pathRefusal(candidate, path);
        if (refusal === undefined) return candidate;
        pathFault ??= refusalOf(list, '(f) path of the issuer', refusal.describe());
      }
    }
    return pathFault ?? usageFault ?? fault;
  }

  /** RFC 5280 §6.3.3 (g), (h). */
  isSignedBy(list: RevocationList, signer: Certificate): boolean {
    const answers = this.signers.get(list) ?? new Map<string, boolean>();
    this.signers.set(list, answers);
    const key = publicKeyOf(signer);
    const known = answers.get(key);
    if (known !== undefined) return known;
    if (++this.signatureChecks > signatureChecksMax) return false;
    const answer = isListSignedBy(list, signer, this.material.verifySignature);
    answers.set(key, answer);
    return answer;
  }

  /** RFC 5280 §6.3.3 (f): a path of its own, to the same anchor, and not revoked. */
  private pathRefusal(issuer: Certificate, about: ValidPath): CertificateRefusal | undefined {
    const { verifySignature, unixMs } = this.material;
    const pool = [...about.certificates, ...this.material.pool];
    const anchors = [about.anchor];
    if (++this.searches > issuerSearchesMax || this.inProgress.size >= issuerDepthMax) {
      const rule = 'limits issuerSearchesMax, issuerDepthMax';
      return new CertificateRefusal('work-limit', issuer.describe(), rule, 'too many list issuers');
    }
    this.inProgress.add(issuer.sha256);
    const result = findPath(
      issuer,
      { pool, anchors, verifySignature, knownSignatures: this.knownSignatures },
      { unixMs, furtherRule: (path) => this.revocationRefusal(path) },
    );
    this.inProgress.delete(issuer.sha256);
    return result instanceof CertificateRefusal ? result : undefined;
  }
}

/** Whether the key of `signer` signed the list, by an algorithm and with a key that we take. */
export function isListSignedBy(
  list: RevocationList,
  signer: Certificate,
  verifySignature: SignatureVerifier,
): boolean {
  const pair = signatureAlgorithmPair(list.signatureAlgorithm);
  if (pair === undefined || keyFault(signer.subjectPublicKeyInfo) !== undefined) return false;
  return verifySignature(signer, pair[0], pair[1], list.tbsCertList, list.signatureValue);
}

/**
 * RFC 5280 §6.3.3 (f). Intentional divergence from it: without keyUsage only a CA may sign lists
 * (§4.2.1.3 wants keyUsage there). Else whoever may call himself like an authority could speak for
 * it.
 */
function maySignLists({ extensions }: Certificate): boolean {
  return extensions.keyUsage?.has('cRLSign') ?? extensions.basicConstraints?.isCa === true;
}

/** The one that the list's authorityKeyIdentifier names comes first. */
function byKeyIdentifier(
  candidates: readonly Certificate[],
  list: RevocationList,
): readonly Certificate[] {
  const identifier = list.authorityKeyIdentifier?.keyIdentifier;
  if (candidates.length < 2 || identifier === undefined) return candidates;
  const isNamed = ({ extensions }: Certificate) =>
    extensions.subjectKeyIdentifier !== undefined &&
    Buffer.compare(extensions.subjectKeyIdentifier, identifier) === 0;
  return [...candidates.filter(isNamed), ...candidates.filter((one) => !isNamed(one))];
}

function refusalOf(list: RevocationList, step: string, detail: string): CertificateRefusal {
  const rule = `RFC 5280 §6.3.3 ${step}`;
  return new CertificateRefusal('revocation-undetermined', list.describe(), rule, detail);
}

/** Signatures of lists tried in one check; over a large list one takes 10 ms. */
const signatureChecksMax = 64;

/** Paths looked for to issuers of lists in one check. */
const issuerSearchesMax = 16;

/** Issuers whose revocation rests on lists of others, one behind the other. */
const issuerDepthMax = 4;
