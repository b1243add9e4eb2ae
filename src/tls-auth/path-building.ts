import type { Certificate } from './certificate.ts';
import { CertificateRefusal, refuse } from './certificate-refusal.ts';
import { keyFault } from './key-strength.ts';
import { nameWork } from './name-constraints.ts';
import { type PathRequirements, type ValidPath, validatePath } from './path-validation.ts';
import { type SignatureVerifier, signatureAlgorithmPair } from './signature-verifier.ts';

/** Where a path may lead and what it may pass. */
export interface PathMaterial {
  /** Other certificates in any order; trust anchors among them do no harm. */
  readonly pool: readonly Certificate[];
  readonly anchors: readonly Certificate[];
  readonly verifySignature: SignatureVerifier;
  /** What is known of signatures from earlier searches with the same Certificate objects. */
  readonly knownSignatures?: KnownSignatures;
}

/** Whether the second certificate's key signed the first, or why not. */
export type KnownSignatures = WeakMap<
  Certificate,
  WeakMap<Certificate, CertificateRefusal | 'signed'>
>;

/**
 * The first valid path from `leaf` to an anchor — RFC 5280 §6.1, with every way through the pool
 * tried (RFC 4158 calls it path building) until `signatureChecksMax`. The refusal is that of the
 * path that came closest.
 */
export function findPath(
  leaf: Certificate,
  material: PathMaterial,
  requirements: PathRequirements,
): ValidPath | CertificateRefusal {
  const search = new PathSearch(material, requirements);
  return search.extend([leaf]) ?? search.refusal(leaf);
}

class PathSearch {
  private readonly material: PathMaterial;
  private readonly requirements: PathRequirements;
  private readonly knownSignatures: KnownSignatures;
  private signatureChecks = 0;
  private steps = 0;
  private validations = 0;
  private readonly nameWork = nameWork();
  private closest: CertificateRefusal | undefined;
  private closestRank = 0;

  constructor(material: PathMaterial, requirements: PathRequirements) {
    this.material = material;
    this.requirements = requirements;
    this.knownSignatures = material.knownSignatures ?? new WeakMap();
  }

  /** `path` has the leaf first; returns a valid path that begins with it. */
  extend(path: readonly Certificate[]): ValidPath | undefined {
    const last = path.at(-1);
    if (last === undefined || this.isExhausted) return undefined;
    this.steps++;
    for (const anchor of this.issuersOf(last, this.material.anchors)) {
      if (this.isExhausted) return undefined;
      if (!this.isSignedBy(last, anchor)) continue;
      this.validations++;
      const result = validatePath(path, anchor, this.requirements, this.nameWork);
      if (!(result instanceof CertificateRefusal)) return result;
      // Dates before all else: whoever keeps the answer must know that time can turn it.
      const isOfTime = result.code === 'expired' || result.code === 'not-yet-valid';
      this.note(result, isOfTime ? 4 : 3);
    }
    if (path.length >= pathCertificatesMax) {
      const detail = `no anchor within ${pathCertificatesMax} certificates`;
      this.note(refuse('path-too-long', last, 'limit pathCertificatesMax', detail), 2);
      return undefined;
    }
    for (const issuer of this.issuersOf(last, this.material.pool)) {
      if (isOnPath(issuer, path) || !this.isSignedBy(last, issuer)) continue;
      const result = this.extend([...path, issuer]);
      if (result !== undefined) return result;
    }
    return undefined;
  }

  refusal(leaf: Certificate): CertificateRefusal {
    if (this.isExhausted) {
      const { signatureChecks, steps, validations } = this;
      const done = `${signatureChecks} signatures, ${validations} paths, ${steps} steps`;
      const rule = 'limits signatureChecksMax, validationsMax, stepsMax, nameComparisonsMax';
      return refuse('work-limit', leaf, rule, `no path after ${done}`);
    }
    const detail = `nobody here issued it as "${leaf.issuer.text.slice(0, shownLengthMax)}"`;
    return this.closest ?? refuse('no-path', leaf, 'RFC 5280 §6.1 path', detail);
  }

  private get isExhausted(): boolean {
    return (
      this.signatureChecks >= signatureChecksMax ||
      this.steps >= stepsMax ||
      this.validations >= validationsMax ||
      this.nameWork.comparisonsLeft < 0
    );
  }

  /** Those whose subject is the issuer; the one that the key identifier names comes first. */
  private issuersOf(
    certificate: Certificate,
    candidates: readonly Certificate[],
  ): readonly Certificate[] {
    const named = candidates.filter((candidate) => candidate.subject.equals(certificate.issuer));
    const identifier = certificate.extensions.authorityKeyIdentifier?.keyIdentifier;
    if (named.length < 2 || identifier === undefined) return named;
    const isMatch = ({ extensions }: Certificate) =>
      extensions.subjectKeyIdentifier !== undefined &&
      Buffer.compare(extensions.subjectKeyIdentifier, identifier) === 0;
    return [...named.filter(isMatch), ...named.filter((candidate) => !isMatch(candidate))];
  }

  private isSignedBy(certificate: Certificate, issuer: Certificate): boolean {
    let answers = this.knownSignatures.get(certificate);
    if (answers === undefined) {
      answers = new WeakMap();
      this.knownSignatures.set(certificate, answers);
    }
    let answer = answers.get(issuer);
    if (answer === undefined) {
      if (this.isExhausted) return false;
      this.signatureChecks++;
      answer = signatureRefusal(certificate, issuer, this.material.verifySignature) ?? 'signed';
      answers.set(issuer, answer);
    }
    if (answer === 'signed') return true;
    this.note(answer, 1);
    return false;
  }

  /** Keeps the refusal of the highest rank, of equal ones the first. */
  private note(refusal: CertificateRefusal, rank: number): void {
    if (rank <= this.closestRank) return;
    this.closest = refusal;
    this.closestRank = rank;
  }
}

/** RFC 5280 §6.1.3 (a) (1); undefined when the key of `issuer` signed the certificate. */
export function signatureRefusal(
  certificate: Certificate,
  issuer: Certificate,
  verifySignature: SignatureVerifier,
): CertificateRefusal | undefined {
  const { signatureAlgorithm, signatureValue, tbsCertificate } = certificate;
  const pair = signatureAlgorithmPair(signatureAlgorithm);
  if (pair === undefined) {
    const expected = 'expected SHA-256, -384 or -512 with RSA or ECDSA';
    const detail = `${expected}, got ${signatureAlgorithm.oid}`;
    return refuse('signature-algorithm', certificate, 'accepted signature algorithms', detail);
  }
  const fault = keyFault(issuer.subjectPublicKeyInfo);
  if (fault !== undefined) return refuse('weak-key', issuer, 'accepted keys', fault);
  if (verifySignature(issuer, pair[0], pair[1], tbsCertificate, signatureValue)) return undefined;
  const detail = `not signed by the key of ${issuer.describe()}`;
  return refuse('signature-invalid', certificate, 'RFC 5280 §6.1.3 (a) signature', detail);
}

/** The same certificate, or the same name and key again, only makes a path longer. */
function isOnPath(candidate: Certificate, path: readonly Certificate[]): boolean {
  return path.some(
    (certificate) =>
      Buffer.compare(certificate.subjectPublicKeyInfo.der, candidate.subjectPublicKeyInfo.der) ===
        0 && certificate.subject.equals(candidate.subject),
  );
}

/** The leaf and intermediates, self-issued ones included. */
const pathCertificatesMax = 16;

/** Signatures tried in one search; each costs 20 to 300 µs. */
const signatureChecksMax = 100;

/** Whole paths to an anchor that are judged in one search. */
const validationsMax = 100;

/** Certificates put on a path in one search: those that sign each other make many ways. */
const stepsMax = 1000;

/** Characters of an issuer's name that a refusal repeats. */
const shownLengthMax = 200;
