import { createHash } from 'node:crypto';
import { toHex } from '../wire/hex.ts';
import { type NodeId, nodeIdBytes } from '../wire/node-id.ts';
import type { AuthenticatedNode } from './authenticated-node.ts';
import { BoundedCache } from './bounded-cache.ts';
import type { Certificate } from './certificate.ts';
import { leafIdentity, pathProfileRefusal } from './certificate-profile.ts';
import { CertificateRefusal, type CertificateRefusalCode } from './certificate-refusal.ts';
import { findPath, signatureRefusal } from './path-building.ts';
import { isValidAt, type ValidPath, validityRefusal } from './path-validation.ts';
import type { ProfileRules } from './profile-rule.ts';
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
 * every call.
 */
export class Authenticator {
  readonly verifySignature: SignatureVerifier;
  private readonly shared: SharedVerdicts;
  private settings: TrustSettings;
  private anchors: readonly Certificate[] = [];
  private readonly knownNodes: BoundedCache<number, KnownNode>;
  private readonly signersByHash = new Map<string, KnownSigner>();
  private readonly refusals = new BoundedCache<string, CertificateRefusal>(refusalsMax);

  constructor(
    settings: TrustSettings,
    verifySignature: SignatureVerifier = verifyWithKey,
    shared: SharedVerdicts = new SharedVerdicts(),
  ) {
    this.verifySignature = verifySignature;
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
      if (isValidAt(known.notBeforeUnixMs, known.notAfterUnixMs, unixMs)) return known.node;
      // An issuer may have been renewed since: only the leaf's own dates are final.
      const refusal = validityRefusal(known.node.certificate, unixMs);
      if (refusal !== undefined) return refusal;
    }
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
    return isValidAt(known.notBeforeUnixMs, known.notAfterUnixMs, unixMs) ? signer : undefined;
  }

  private judge(
    leaf: Uint8Array,
    pool: readonly Uint8Array[],
    unixMs: number,
  ): AuthenticatedNode | CertificateRefusal {
    const certificate = this.shared.read(leaf);
    if (certificate instanceof CertificateRefusal) return certificate;
    const path = this.pathOf(certificate, pool, unixMs);
    if (path instanceof CertificateRefusal) return path;
    const { profile, overlayName, nodeIdLength } = this.settings;
    const rules = `${profile} ${nodeIdLength} ${overlayName}`;
    const known = this.shared.namedBy(certificate, path.certificates, rules, () =>
      knownNode(certificate, path, this.settings),
    );
    if (known === undefined) {
      return refusalOf('certificate-profile', certificate, 'RFC 6940 §11.3', 'no identity');
    }
    const { node } = known;
    const badNode = node.nodeIds.find((nodeId) => this.settings.badNodes.has(nodeId));
    if (badNode !== undefined) {
      const detail = `Node-ID ${badNode} is a bad-node of the configuration`;
      return refusalOf('bad-node', certificate, 'RFC 6940 §11.1 bad-node', detail);
    }
    this.knownNodes.set(tailKey(certificate.der), known);
    for (const [hash, signer] of known.signers) this.signersByHash.set(hash, signer);
    return node;
  }

  private pathOf(
    leaf: Certificate,
    pool: readonly Uint8Array[],
    unixMs: number,
  ): ValidPath | CertificateRefusal {
    const { settings, verifySignature } = this;
    const isOwnIssuer =
      settings.selfSignedDigest !== undefined &&
      leaf.isSelfIssued &&
      signatureRefusal(leaf, leaf, verifySignature) === undefined;
    if (isOwnIssuer) return selfSignedPath(leaf, settings, unixMs);
    return findPath(
      leaf,
      {
        pool: this.readPool(pool),
        anchors: this.anchors,
        verifySignature,
        knownSignatures: this.shared.signatures,
      },
      { unixMs, furtherRule: (path) => pathProfileRefusal(path, settings) },
    );
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

function refusalOf(
  code: CertificateRefusalCode,
  certificate: Certificate,
  rule: string,
  detail: string,
): CertificateRefusal {
  return new CertificateRefusal(code, certificate.describe(), rule, detail);
}

/** Refusals that another moment could turn; `findPath` names them before all others. */
const timeDependentCodes: ReadonlySet<CertificateRefusalCode> = new Set([
  'not-yet-valid',
  'expired',
]);

const knownNodesMax = 4096;
const refusalsMax = 256;

/** Certificates of one pool that are looked at; those of a SecurityBlock fit. */
const poolMax = 256;
