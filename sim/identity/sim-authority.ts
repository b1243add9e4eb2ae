import { Authenticator } from '../../src/tls-auth/authenticator.ts';
import type { Certificate } from '../../src/tls-auth/certificate.ts';
import { CertificateRefusal } from '../../src/tls-auth/certificate-refusal.ts';
import { reloadUri } from '../../src/tls-auth/node-identity.ts';
import { SignatureOid } from '../../src/tls-auth/object-identifier.ts';
import { RevocationLists } from '../../src/tls-auth/revocation-lists.ts';
import { SharedVerdicts } from '../../src/tls-auth/shared-verdicts.ts';
import { type Signer, signerIdentityOf } from '../../src/tls-auth/signer.ts';
import type { TrustSettings } from '../../src/tls-auth/trust-settings.ts';
import type { NodeId } from '../../src/wire/node-id.ts';
import {
  CertificateType,
  HashAlgorithm,
  SignatureAlgorithm,
} from '../../src/wire/security-block.ts';
import { certificateDer } from '../certificates/certificate-maker.ts';
import {
  authorityKeyIdentifier,
  basicConstraints,
  crlDistributionPoints,
  generalName,
  keyUsage,
  subjectAltName,
  subjectKeyIdentifier,
  type TestExtension,
  type TestName,
} from '../certificates/extension-maker.ts';
import { entryOf, listDer, listNumber } from '../certificates/revocation-list-maker.ts';
import type { SignatureScheme, SimKeyPair } from './signature-scheme.ts';

/** Who a simulated certificate is for. */
export interface LeafPlan {
  readonly key: SimKeyPair;
  readonly nodeId: NodeId;
  readonly userName: string;
  readonly notBeforeUnixMs?: number;
  readonly notAfterUnixMs?: number;
}

/** The root authority of a simulated overlay: issues what the profile xep-0416 asks for. */
export class SimAuthority {
  readonly rootCertificate: Uint8Array;
  private readonly overlayName: string;
  private readonly scheme: SignatureScheme;
  private readonly key: SimKeyPair;
  private readonly signBytes: (input: Uint8Array) => Uint8Array;
  private readonly authenticator: Authenticator;
  /** One for all nodes: they would find the same out again and again. */
  private readonly shared = new SharedVerdicts(SHARED_CERTIFICATES_MAX, SHARED_SIGNATURES_MAX);
  private nextSerial = FIRST_SERIAL;

  constructor(overlayName: string, scheme: SignatureScheme, key: SimKeyPair) {
    this.overlayName = overlayName;
    this.scheme = scheme;
    this.key = key;
    this.signBytes = scheme.signerOf(key);
    this.rootCertificate = this.issue(NAME, key.publicKey, ROOT_VALIDITY, {
      basicConstraints: basicConstraints(true),
      keyUsage: keyUsage('digitalSignature', 'keyCertSign', 'cRLSign'),
      subjectKeyIdentifier: subjectKeyIdentifier(key.publicKey),
    });
    this.authenticator = this.newAuthenticator();
  }

  /** A new Authenticator of an overlay with this root, which asks `lists` where there are any. */
  newAuthenticator(
    settings: TrustSettings = this.trustSettings(),
    lists?: RevocationLists,
  ): Authenticator {
    return new Authenticator(settings, this.scheme.verify, this.shared, lists);
  }

  /** The lists of one node, empty at first. */
  newRevocationLists(): RevocationLists {
    return new RevocationLists({ policy: 'prefer', verifySignature: this.scheme.verify });
  }

  /** The list of this number that names these certificates, of an hour ago and for a week. */
  revocationList(number: number, revoked: readonly Certificate[], unixMs: number): Uint8Array {
    const entries = revoked.map(({ serialNumber }) =>
      entryOf(BigInt(`0x${serialNumber}`), 'keyCompromise'),
    );
    return listDer(
      {
        version: 1,
        signatureOid: SignatureOid.ecdsaWithSha256,
        issuer: NAME,
        thisUpdateUnixMs: unixMs - HOUR_MS,
        nextUpdateUnixMs: unixMs + 7 * 24 * HOUR_MS,
        entries: entries.length === 0 ? undefined : entries,
        extensions: {
          authorityKeyIdentifier: authorityKeyIdentifier(this.key.publicKey),
          listNumber: listNumber(number),
        },
      },
      this.signBytes,
    );
  }

  leafCertificate(plan: LeafPlan): Uint8Array {
    const { nodeId, userName, key } = plan;
    const names = [
      generalName.xmppAddr(userName),
      generalName.uri(reloadUri(nodeId, this.overlayName)),
      generalName.rfc822Name(userName),
    ];
    const validity = { ...VALIDITY, ...plan };
    return this.issue([['CN', nodeId]], key.publicKey, validity, {
      basicConstraints: basicConstraints(false),
      keyUsage: keyUsage('digitalSignature'),
      subjectKeyIdentifier: subjectKeyIdentifier(key.publicKey),
      authorityKeyIdentifier: authorityKeyIdentifier(this.key.publicKey),
      crlDistributionPoints: crlDistributionPoints(CRL_URI),
      subjectAltName: subjectAltName(names),
    });
  }

  /** What a node signs with; `unixMs`: a moment at which its certificate is valid. */
  signer(plan: LeafPlan, unixMs: number): Signer {
    const node = this.authenticator.authenticate(this.leafCertificate(plan), [], unixMs);
    if (node instanceof CertificateRefusal) throw new Error(node.describe());
    const signBytes = this.scheme.signerOf(plan.key);
    return {
      node,
      nodeId: plan.nodeId,
      identity: signerIdentityOf(node, plan.nodeId),
      certificates: node.chain.map((certificate) => ({ type: CertificateType.x509, certificate })),
      sign: (input) => ({
        hashAlgorithm: HashAlgorithm.sha256,
        signatureAlgorithm: SignatureAlgorithm.ecdsa,
        value: signBytes(input),
      }),
    };
  }

  private trustSettings(): TrustSettings {
    return {
      overlayName: this.overlayName,
      nodeIdLength: 16,
      profile: 'xep-0416',
      rootCertificates: [this.rootCertificate],
      badNodes: new Set(),
      selfSignedDigest: undefined,
    };
  }

  private issue(
    subject: TestName,
    subjectPublicKeyInfo: Uint8Array,
    validity: { readonly notBeforeUnixMs: number; readonly notAfterUnixMs: number },
    extensions: Readonly<Record<string, TestExtension>>,
  ): Uint8Array {
    const { notBeforeUnixMs, notAfterUnixMs } = validity;
    return certificateDer(
      {
        version: 2,
        serialNumber: this.nextSerial++,
        signatureOid: SignatureOid.ecdsaWithSha256,
        issuer: NAME,
        subject,
        subjectPublicKeyInfo,
        notBeforeUnixMs,
        notAfterUnixMs,
        extensions,
      },
      this.signBytes,
    );
  }
}

const NAME: TestName = [['CN', 'Simulated Root']];
/** Where the certificates say that the list is. */
export const CRL_URI = 'http://crl.example.org/simulated.crl';
/** 2025 to 2035. */
const VALIDITY = { notBeforeUnixMs: 1_735_689_600_000, notAfterUnixMs: 2_051_222_400_000 };
/** Until 2045, so that renewed certificates may last longer than the first ones. */
const ROOT_VALIDITY = { ...VALIDITY, notAfterUnixMs: 2_366_841_600_000 };
const HOUR_MS = 3_600_000;
const SHARED_CERTIFICATES_MAX = 65_536;
const SHARED_SIGNATURES_MAX = 262_144;
/** All serial numbers have one length. */
const FIRST_SERIAL = 0x4000_0000_0000n;
