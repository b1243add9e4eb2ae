import { createHash } from 'node:crypto';
import { toHex } from '../wire/hex.ts';
import { type NodeId, nodeIdBytes } from '../wire/node-id.ts';
import type { AuthenticatedNode } from './authenticated-node.ts';
import { BoundedCache } from './bounded-cache.ts';
import type { Certificate } from './certificate.ts';
import { leafIdentity, pathProfileRefusal } from './certificate-profile.ts';
import { CertificateRefusal, type CertificateRefusalCode, refuse } from './certificate-refusal.ts';
import { findPath, signatureRefusal } from './path-building.ts';
import { isValidAt, type ValidPath, validityRefusal } from './path-validation.ts';
import type { ProfileRules } from './profile-rule.ts';
import type { RevocationWork } from './revocation-check.ts';
import type { RevocationLists } from './revocation-lists.ts';
import { selfSignedPath } from './self-signed.ts';
import { SharedVerdicts, sameBytes, tailKey } from './shared-verdicts.ts';
import { type SignatureVerifier, verifyWithKey } from './signature-verifier.ts';
import type { TrueSignatures } from './true-signatures.ts';
import type { TrustSettings } from './trust-settings.ts';

/** A node that was authenticated before, found by a hash that a SignerIdentity can hold. */
export interface KnownSigner {
  readonly node: AuthenticatedNode;
  /** The Node-ID that the hash designates. */
  readonly nodeId: NodeId;
  readonly identityType: 'certHash' | 'certHashNodeId';
}

/**
 * Says which node a certificate makes its holder, or why it makes nobody: the path is valid under
 * the roots in force (RFC 5280 §6), the profile is obeyed, the Node-ID is no bad-node (RFC 6940
 * §11.3). Answers are remembered, in bounds, until the settings change; the time is looked at on
 * every call. With revocation lists, no certificate of the path is revoked; each answer counts
 * until another list is held.
 */
export class Authenticator {
  readonly verifySignature: SignatureVerifier;
  /** Undefined: revocation is not looked at. */
  readonly revocation: RevocationLists | undefined;
  private readonly shared: SharedVerdicts;
  private settings: TrustSettings;
  private anchors: readonly Certificate[] = [];
  private readonly knownNodes: BoundedCache<number, KnownNode>;
  private readonly signersByHash = new Map<string, KnownSigner>();
  private readonly refusals = new BoundedCache<string, CertificateRefusal>(refusalsMax);
  /** The epoch of `revocation` that the refusals are of. */
  private refusalsEpoch = 0;

  constructor(
    settings: TrustSettings,
    verifySignature: SignatureVerifier = verifyWithKey,
    shared: SharedVerdicts = new SharedVerdicts(),
    revocation?: RevocationLists,
  ) {
    this.verifySignature = verifySignature;
    this.revocation = revocation;
    this.shared = shared;
    this.settings = settings;
    this.knownNodes = new BoundedCache(knownNodesMax, ({ signers }) => {
      for (const [hash] of signers) this.signersByHash.delete(hash);
    });
    this.replaceSettings(settings);
  }

  /**
   * A new epoch: every cached answer is asked again. Roots that cannot be read are left out; the
   * configuration's own checks name them.
   */
  replaceSettings(settings: TrustSettings): void {
    this.settings = settings;
    this.knownNodes.clear();
    this.signersByHash.clear();
    this.refusals.clear();
    this.anchors = settings.rootCertificates.flatMap((der) => {
      const certificate = this.shared.read(der);
      return certificate instanceof CertificateRefusal ? [] : [certificate];
    });
  }

  /** Signatures of stored values that were found true. */
  get trueDataSignatures(): TrueSignatures {
    return this.shared.trueDataSignatures;
  }

  get trustSettings(): TrustSettings {
    return this.settings;
  }

  /**
   * The node of `leaf` (DER), whose chain is looked for in `pool` (DER, any order, the root may be
   * there) at `unixMs`. Never throws, and keeps no view of its arguments.
   */
  authenticate(
    leaf: Uint8Array,
    pool: readonly Uint8Array[],
    unixMs: number,
  ): AuthenticatedNode | CertificateRefusal {
    const known = this.knownNodes.get(tailKey(leaf));
    if (known !== undefined && sameBytes(known.node.certificate.der, leaf)) {
      if (this.isStillValid(known, unixMs)) return known.node;
      // An issuer may have been renewed since: only the leaf's own dates are final.
      const refusal = validityRefusal(known.node.certificate, unixMs);
      if (refusal !== undefined) return refusal;
    }
    this.dropOldRefusals();
    const key = refusalKey(leaf, pool);
    const refused = this.refusals.get(key);
    if (refused !== undefined) return refused;
    const answer = this.judge(leaf, pool, unixMs);
    if (answer instanceof CertificateRefusal && !timeDependentCodes.has(answer.code)) {
      this.refusals.set(key, answer);
    }
    return answer;
  }

  /**
   * The signer whose certificate was authenticated before and hashes to `hash` with SHA-256, alone
   * or after its Node-ID (RFC 6940 §6.3.4), if its chain is valid at `unixMs`.
   */
  authenticateByHash(hash: Uint8Array, unixMs: number): KnownSigner | undefined {
    const signer = this.signersByHash.get(toHex(hash));
    if (signer === undefined) return undefined;
    // Through `knownNodes`, so that what is used is not dropped.
    const known = this.knownNodes.get(tailKey(signer.node.certificate.der));
    if (known?.node !== signer.node) return undefined;
    if (this.isStillValid(known, unixMs)) return signer;
    // Of a list that came since the message with the certificates may know nothing.
    const [leaf = NO_BYTES, ...pool] = signer.node.chain;
    const again = this.authenticate(leaf, pool, unixMs);
    return again === signer.node ? signer : undefined;
  }

  /**
   * Asks again about every node that is known, so that those that the lists held now revoke are
   * remembered by their names; whoever holds such a node asks about it himself.
   */
  recheckKnownNodes(unixMs: number): void {
    if (this.revocation === undefined) return;
    for (const { node } of this.knownNodes.values()) {
      const [leaf = NO_BYTES, ...pool] = node.chain;
      this.authenticate(leaf, pool, unixMs);
    }
  }

  /**
   * Why the last certificate seen of a node or user is revoked; undefined where none was, or one
   * that counts was seen since. Only what this Authenticator has met is known here.
   */
  revocationOf(target: { nodeId: NodeId } | { userName: string }): CertificateRefusal | undefined {
    return this.revocation?.revokedNodes.get(target);
  }

  private isStillValid(known: KnownNode, unixMs: number): boolean {
    if (!isValidAt(known.notBeforeUnixMs, known.notAfterUnixMs, unixMs)) return false;
    return this.revocation?.hasPassed(known.node, unixMs) ?? true;
  }

  private dropOldRefusals(): void {
    const epoch = this.revocation?.epoch ?? 0;
    if (epoch === this.refusalsEpoch) return;
    this.refusals.clear();
    this.refusalsEpoch = epoch;
  }

  private judge(
    leaf: Uint8Array,
    pool: readonly Uint8Array[],
    unixMs: number,
  ): AuthenticatedNode | CertificateRefusal {
    const certificate = this.shared.read(leaf);
    if (certificate instanceof CertificateRefusal) return certificate;
    let untilUnixMs = Number.POSITIVE_INFINITY;
    const path = this.pathOf(certificate, pool, unixMs, (until) => {
      untilUnixMs = until;
    });
    if (path instanceof CertificateRefusal) {
      this.noteRefused(certificate, path);
      return path;
    }
    const { profile, overlayName, nodeIdLength } = this.settings;
    const rules = `${profile} ${nodeIdLength} ${overlayName}`;
    const known = this.shared.namedBy(certificate, path, rules, () =>
      knownNode(certificate, path, this.settings),
    );
    if (known === undefined) {
      return refuse('certificate-profile', certificate, 'RFC 6940 §11.3', 'no identity');
    }
    const { node } = known;
    const badNode = node.nodeIds.find((nodeId) => this.settings.badNodes.has(nodeId));
    if (badNode !== undefined) {
      const detail = `Node-ID ${badNode} is a bad-node of the configuration`;
      return refuse('bad-node', certificate, 'RFC 6940 §11.1 bad-node', detail);
    }
    this.knownNodes.set(tailKey(certificate.der), known);
    for (const [hash, signer] of known.signers) this.signersByHash.set(hash, signer);
    this.revocation?.notePassed(node, untilUnixMs);
    this.revocation?.revokedNodes.forget(node);
    return node;
  }

  /** Only a path whose signatures are true is ever refused for revocation. */
  private noteRefused(certificate: Certificate, refusal: CertificateRefusal): void {
    if (refusal.code !== 'revoked') return;
    const identity = leafIdentity(certificate, this.settings);
    if (identity !== undefined) this.revocation?.revokedNodes.note(identity, refusal);
    this.knownNodes.delete(tailKey(certificate.der));
  }

  /** `passed` hears until when the lists say of the path what they say now. */
  private pathOf(
    leaf: Certificate,
    pool: readonly Uint8Array[],
    unixMs: number,
    passed: (untilUnixMs: number) => void,
  ): ValidPath | CertificateRefusal {
    const { settings, verifySignature } = this;
    const isOwnIssuer =
      settings.selfSignedDigest !== undefined &&
      leaf.isSelfIssued &&
      signatureRefusal(leaf, leaf, verifySignature) === undefined;
    if (isOwnIssuer) return selfSignedPath(leaf, settings, unixMs);
    const work: RevocationWork = { steps: 0 };
    return findPath(
      leaf,
      {
        pool: this.readPool(pool),
        anchors: this.anchors,
        verifySignature,
        knownSignatures: this.shared.signatures,
      },
      { unixMs, furtherRule: (path) => this.furtherRefusal(path, unixMs, work, passed) },
    );
  }

  /** Revocation comes last: lists are wanted only for what is right in all else. */
  private furtherRefusal(
    path: ValidPath,
    unixMs: number,
    work: RevocationWork,
    passed: (untilUnixMs: number) => void,
  ): CertificateRefusal | undefined {
    const refusal = pathProfileRefusal(path, this.settings);
    if (refusal !== undefined || this.revocation === undefined) return refusal;
    const verdict = this.revocation.judge(path, unixMs, work);
    passed(verdict.untilUnixMs);
    return verdict.refusal;
  }

  /** What can be read of the pool: the others are no part of a path. */
  private readPool(pool: readonly Uint8Array[]): Certificate[] {
    return pool.slice(0, poolMax).flatMap((der) => {
      const certificate = this.shared.read(der);
      return certificate instanceof CertificateRefusal ? [] : [certificate];
    });
  }
}

interface KnownNode {
  readonly node: AuthenticatedNode;
  readonly notBeforeUnixMs: number;
  readonly notAfterUnixMs: number;
  /** What stands of it in `signersByHash`. */
  readonly signers: readonly (readonly [hash: string, signer: KnownSigner])[];
}

/** The node that a valid path makes the holder of its leaf; undefined where that names nobody. */
function knownNode(
  certificate: Certificate,
  path: ValidPath,
  rules: ProfileRules,
): KnownNode | undefined {
  const identity = leafIdentity(certificate, rules);
  const nodeId = identity?.nodeIds[0];
  if (identity === undefined || nodeId === undefined) return undefined;
  const chain: readonly Uint8Array[] = path.certificates.map(({ der }) => der);
  const { notBeforeUnixMs, notAfterUnixMs } = path;
  const node = {
    ...identity,
    nodeId,
    certificate,
    chain,
    validUntilUnixMs: notAfterUnixMs,
  } as AuthenticatedNode;
  return { node, notBeforeUnixMs, notAfterUnixMs, signers: signersOf(node) };
}

/** The one hash that designates each Node-ID: cert_hash for the only one, else the other type. */
function signersOf(node: AuthenticatedNode): [hash: string, signer: KnownSigner][] {
  const { nodeId, certificate } = node;
  if (node.nodeIds.length === 1) {
    return [[certificate.sha256, { node, nodeId, identityType: 'certHash' }]];
  }
  return node.nodeIds.map((id) => {
    const hash = createHash('sha256').update(nodeIdBytes(id)).update(certificate.der).digest('hex');
    return [hash, { node, nodeId: id, identityType: 'certHashNodeId' }];
  });
}

function refusalKey(leaf: Uint8Array, pool: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const der of [leaf, ...pool.slice(0, poolMax)]) hash.update(`${der.length}:`).update(der);
  return hash.digest('base64');
}

/** Refusals that another moment could turn; `findPath` names dates before all others. */
const timeDependentCodes: ReadonlySet<CertificateRefusalCode> = new Set([
  'not-yet-valid',
  'expired',
  'revocation-undetermined',
]);

const NO_BYTES = new Uint8Array(0);
const knownNodesMax = 4096;
const refusalsMax = 256;

/** Certificates of one pool that are looked at; those of a SecurityBlock fit. */
const poolMax = 256;
