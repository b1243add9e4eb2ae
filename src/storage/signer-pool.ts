import { createHash } from 'node:crypto';
import type { AuthenticatedNode } from '../tls-auth/authenticated-node.ts';
import type { VerifiedSigner } from '../tls-auth/verified-signer.ts';
import { CertificateType, type GenericCertificate } from '../wire/security-block.ts';

/** A signer with the certificates that prove it: shared by all its values. */
export interface KeptSigner {
  readonly signer: VerifiedSigner;
  /** The chain, leaf first: what goes into a SecurityBlock with a value of this signer. */
  readonly certificates: readonly GenericCertificate[];
}

/**
 * The signers of all stored values. A storing peer must hand out the certificates of its values
 * (RFC 6940 §6.3.4); here each certificate is kept once, as long as a value needs it.
 */
export class SignerPool {
  private readonly signers = new Map<string, CountedSigner>();
  private readonly certificates = new Map<string, CountedCertificate>();
  private bytes = 0;

  get certificateCount(): number {
    return this.certificates.size;
  }

  get certificateBytes(): number {
    return this.bytes;
  }

  /** What `retain` of all these would add. */
  missing(signers: Iterable<VerifiedSigner>): { certificates: number; bytes: number } {
    const seen = new Set<string>();
    let bytes = 0;
    for (const signer of signers) {
      if (this.signers.has(signerName(signer))) continue;
      for (const [index, fingerprint] of chainFingerprints(signer.node).entries()) {
        if (this.certificates.has(fingerprint) || seen.has(fingerprint)) continue;
        seen.add(fingerprint);
        bytes += signer.node.chain[index]?.length ?? 0;
      }
    }
    return { certificates: seen.size, bytes };
  }

  /** Counts one more value of this signer; the same object for all of them. */
  retain(signer: VerifiedSigner): KeptSigner {
    const name = signerName(signer);
    let kept = this.signers.get(name);
    if (kept === undefined) {
      kept = { name, signer, certificates: this.retainChain(signer.node), references: 0 };
      this.signers.set(name, kept);
    }
    kept.references++;
    return kept;
  }

  /** Counts one value less; forgets signer and certificates with the last. */
  release(signer: VerifiedSigner): void {
    const name = signerName(signer);
    const kept = this.signers.get(name);
    if (kept === undefined) throw new Error(`signer ${name} was never retained`);
    kept.references--;
    if (kept.references > 0) return;
    this.signers.delete(name);
    for (const fingerprint of chainFingerprints(kept.signer.node)) {
      this.releaseCertificate(fingerprint);
    }
  }

  private retainChain(node: AuthenticatedNode): GenericCertificate[] {
    const fingerprints = chainFingerprints(node);
    return node.chain.map((der, index) => {
      const fingerprint = fingerprints[index] ?? '';
      let counted = this.certificates.get(fingerprint);
      if (counted === undefined) {
        const certificate = { type: CertificateType.x509, certificate: der };
        counted = { certificate, references: 0 };
        this.certificates.set(fingerprint, counted);
        this.bytes += der.length;
      }
      counted.references++;
      return counted.certificate;
    });
  }

  private releaseCertificate(fingerprint: string): void {
    const counted = this.certificates.get(fingerprint);
    if (counted === undefined) throw new Error(`certificate ${fingerprint} was never retained`);
    counted.references--;
    if (counted.references > 0) return;
    this.certificates.delete(fingerprint);
    this.bytes -= counted.certificate.certificate.length;
  }
}

interface CountedSigner extends KeptSigner {
  readonly name: string;
  references: number;
}

interface CountedCertificate {
  readonly certificate: GenericCertificate;
  references: number;
}

/** Two signers are the same when the designated Node-ID and the whole chain are. */
function signerName(signer: VerifiedSigner): string {
  return `${signer.nodeId} ${chainFingerprints(signer.node).join(' ')}`;
}

/** SHA-256 of each certificate of the chain; asked for often, so remembered with the node. */
function chainFingerprints(node: AuthenticatedNode): readonly string[] {
  let fingerprints = rememberedFingerprints.get(node);
  if (fingerprints === undefined) {
    fingerprints = node.chain.map((der) => createHash('sha256').update(der).digest('hex'));
    rememberedFingerprints.set(node, fingerprints);
  }
  return fingerprints;
}

const rememberedFingerprints = new WeakMap<AuthenticatedNode, readonly string[]>();
