import { createHash } from 'node:crypto';
import { toHex } from '../wire/hex.ts';
import { type NodeId, nodeIdBytes } from '../wire/node-id.ts';
import type { AuthenticatedNode } from './authenticated-node.ts';
import { BoundedCache } from './bounded-cache.ts';
import { type Certificate, parseCertificate } from './certificate.ts';
import { leafIdentity, pathProfileRefusal } from './certificate-profile.ts';
import { CertificateRefusal, type CertificateRefusalCode } from './certificate-refusal.ts';
import { findPath, type KnownSignatures, signatureRefusal } from './path-building.ts';
import { isValidAt, type ValidPath, validityRefusal } from './path-validation.ts';
import { selfSignedPath } from './self-signed.ts';
import { type SignatureVerifier, verifyWithKey } from './signature-verifier.ts';
import { TrueSignatures } from './true-signatures.ts';
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
  /** Of stored values, which come again and again; those of messages never do. */
  readonly trueDataSignatures = new TrueSignatures();
  private settings: TrustSettings;
  private anchors: readonly Certificate[] = [];
  private readonly knownNodes: BoundedCache<number, KnownNode>;
  private readonly signersByHash = new Map<string, KnownSigner>();
  private readonly refusals = new BoundedCache<string, CertificateRefusal>(refusalsMax);
  private readonly knownSignatures: KnownSignatures = new WeakMap();
  private readonly poolCertificates = new BoundedCache<number, Certificate>(poolCertificatesMax);

  constructor(settings: TrustSettings, verifySignature: SignatureVerifier = verifyWithKey) {
    this.verifySignature = verifySignature;
    this.settings = settings;
    this.knownNodes = new BoundedCache(knownNodesMax, ({ hashes }) => {
      for (const hash of hashes) this.signersByHash.delete(hash);
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
      const certificate = parseCertificate(new Uint8Array(der));
      return certificate instanceof CertificateRefusal ? [] : [certificate];
    });
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
    // A copy: the argument is part of a message whose buffer must not live as long as the cache.
    const certificate = parseCertificate(new Uint8Array(leaf));
    if (certificate instanceof CertificateRefusal) return certificate;
    const path = this.pathOf(certificate, pool, unixMs);
    if (path instanceof CertificateRefusal) return path;
    const identity = leafIdentity(certificate, this.settings);
    if (identity === undefined) {
      return refusalOf('certificate-profile', certificate, 'RFC 6940 §11.3', 'no identity');
    }
    const badNode = identity.nodeIds.find((nodeId) => this.settings.badNodes.has(nodeId));
    const [nodeId] = identity.nodeIds;
    if (badNode !== undefined || nodeId === undefined) {
      const detail = `Node-ID ${badNode} is a bad-node of the configuration`;
      return refusalOf('bad-node', certificate, 'RFC 6940 §11.1 bad-node', detail);
    }
    const chain: readonly Uint8Array[] = path.certificates.map(({ der }) => der);
    const node = {
      ...identity,
      nodeId,
      certificate,
      chain,
      validUntilUnixMs: path.notAfterUnixMs,
    } as AuthenticatedNode;
    this.remember(node, path);
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
        knownSignatures: this.knownSignatures,
      },
      { unixMs, furtherRule: (path) => pathProfileRefusal(path, settings) },
    );
  }

  /** What can be read of the pool: the others are no part of a path. */
  private readPool(pool: readonly Uint8Array[]): Certificate[] {
    const certificates: Certificate[] = [];
    for (const der of pool.slice(0, poolMax)) {
      const key = tailKey(der);
      const cached = this.poolCertificates.get(key);
      if (cached !== undefined && sameBytes(cached.der, der)) {
        certificates.push(cached);
        continue;
      }
      const certificate = parseCertificate(new Uint8Array(der));
      if (certificate instanceof CertificateRefusal) continue;
      this.poolCertificates.set(key, certificate);
      certificates.push(certificate);
    }
    return certificates;
  }

  private remember(node: AuthenticatedNode, path: ValidPath): void {
    const signers = signersOf(node);
    this.knownNodes.set(tailKey(node.certificate.der), {
      node,
      notBeforeUnixMs: path.notBeforeUnixMs,
      notAfterUnixMs: path.notAfterUnixMs,
      hashes: signers.map(([hash]) => hash),
    });
    for (const [hash, signer] of signers) this.signersByHash.set(hash, signer);
  }
}

interface KnownNode {
  readonly node: AuthenticatedNode;
  readonly notBeforeUnixMs: number;
  readonly notAfterUnixMs: number;
  /** Its keys in `signersByHash`. */
  readonly hashes: readonly string[];
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

/** The last six bytes: part of a signature, so as good as random and cheaper than a hash. */
function tailKey(der: Uint8Array): number {
  let key = der.length;
  for (let at = Math.max(0, der.length - 6); at < der.length; at++) {
    key = (key * 256 + (der[at] ?? 0)) % Number.MAX_SAFE_INTEGER;
  }
  return key;
}

function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && Buffer.compare(one, other) === 0;
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
const poolCertificatesMax = 1024;

/** Certificates of one pool that are looked at; those of a SecurityBlock fit. */
const poolMax = 256;
