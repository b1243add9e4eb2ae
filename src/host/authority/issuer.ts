import { createHash, randomBytes } from 'node:crypto';
import type { AccountName } from '../../ca/account-name.ts';
import {
  type CertificateContent,
  leafCertificateContent,
  serialNumberFrom,
  validityFrom,
} from '../../ca/certificate-content.ts';
import type { RegisteredCertificate } from '../../ca/certificate-register.ts';
import {
  type Applicant,
  decideEnrollment,
  type EnrollmentToken,
} from '../../ca/enrollment-decision.ts';
import type { RevocationListContent } from '../../ca/revocation-list-content.ts';
import { isRevocationListDue, nextRevocationList } from '../../ca/revocation-list-content.ts';
import type { RevocationReason } from '../../ca/revocation-reason.ts';
import { readSigningRequest } from '../../ca/signing-request.ts';
import { type NodeId, nodeIdFromBytes } from '../../wire/node-id.ts';
import { publicKeySha256 } from '../enrollment/enrollment-key.ts';
import { AuthorityFailure } from './authority-failure.ts';
import type { AuthorityState } from './authority-state.ts';
import { buildCertificate } from './certificate-builder.ts';
import type { HttpDocument } from './http-exchange.ts';
import { buildRevocationList } from './revocation-list-builder.ts';

/** What became of a request of an authenticated sender. */
export type CertifyOutcome =
  | { readonly type: 'certificate'; readonly der: Uint8Array; readonly nodeIds: readonly NodeId[] }
  | { readonly type: 'refuse'; readonly token: EnrollmentToken; readonly detail: string }
  | { readonly type: 'later'; readonly retryAfterSeconds: number };

/**
 * Issues and revokes. Each change is decided, built and written to the ledger before the next one
 * is looked at, and nothing is handed out BEFORE its event is on disk: what a client has seen
 * survives a crash.
 */
export class AuthorityIssuer {
  private readonly state: AuthorityState;
  private publicUrl = '';
  private list: { content: RevocationListContent; document: HttpDocument } | undefined;

  constructor(state: AuthorityState) {
    this.state = state;
  }

  /** Where peers reach this authority: `https://HOST:PORT`; certificates point there. */
  setPublicUrl(publicUrl: string): void {
    this.publicUrl = publicUrl;
  }

  get revocationListPath(): string {
    return `/crl/${this.state.settings.name}.crl`;
  }

  get revocationListUrl(): string {
    return `${this.publicUrl}${this.revocationListPath}`;
  }

  /** Answers a request of RFC 6940 §11.3; `nodeIdCount` is the form's `nodeids`. */
  certify(
    applicant: Applicant,
    request: Uint8Array,
    nodeIdCount: string | undefined,
  ): Promise<CertifyOutcome> {
    const signingRequest = readSigningRequest(request);
    const isBad = 'detail' in signingRequest;
    const key = isBad ? new Uint8Array() : signingRequest.subjectPublicKeyInfo;
    const wish = { signingRequest, publicKeySha256: publicKeySha256(key), nodeIdCount };
    return this.state.exclusive(async (): Promise<CertifyOutcome> => {
      const { register, settings } = this.state;
      const unixMs = this.state.nowUnixMs();
      const drawNodeId = () => nodeIdFromBytes(randomBytes(NODE_ID_BYTES));
      const { profile } = settings;
      const decision = decideEnrollment(register, profile, applicant, wish, drawNodeId, unixMs);
      if (decision.type === 'repeat') {
        const { certificate, nodeIds } = decision.certificate;
        return { type: 'certificate', der: bytesOf(certificate), nodeIds };
      }
      if (decision.type !== 'issue') return decision;
      const userName = applicant.userName as AccountName;
      const { nodeIds } = decision;
      const der = await this.issueLeaf(userName, nodeIds, key, settings.certificateDays);
      return { type: 'certificate', der, nodeIds };
    });
  }

  /** A certificate for one of the authority's own signers, with the Node-IDs it has. */
  issueToSigner(
    userName: AccountName,
    nodeIds: readonly NodeId[],
    subjectPublicKeyInfo: Uint8Array,
    days: number,
  ): Promise<Uint8Array> {
    return this.state.exclusive(() =>
      this.issueLeaf(userName, nodeIds, subjectPublicKeyInfo, days),
    );
  }

  /**
   * Revokes those of `certificates` that are not revoked yet and shows a new list. Returns them.
   */
  async revoke(
    certificates: readonly RegisteredCertificate[],
    reason: RevocationReason,
  ): Promise<readonly RegisteredCertificate[]> {
    const revoked = await this.state.exclusive(async () => {
      const { register } = this.state;
      const unixMs = this.state.nowUnixMs();
      const fresh = certificates.filter(
        ({ serialNumber }) => register.certificate(serialNumber)?.revocation === undefined,
      );
      for (const { serialNumber } of fresh) {
        this.state.record({ type: 'certificateRevoked', unixMs, serialNumber, reason });
      }
      return fresh;
    });
    if (revoked.length > 0) await this.publishRevocationList();
    return revoked;
  }

  /** The list in force; the first one is made by `publishRevocationList`. */
  get revocationList(): HttpDocument | undefined {
    return this.list?.document;
  }

  /** Makes a new list when half of the old one's time is over. */
  async refreshRevocationList(): Promise<void> {
    const isDue =
      this.list === undefined || isRevocationListDue(this.list.content, this.state.nowUnixMs());
    if (isDue) await this.publishRevocationList();
  }

  async publishRevocationList(): Promise<void> {
    await this.state.exclusive(async () => {
      const { register, rootCommonName, keys } = this.state;
      const unixMs = this.state.nowUnixMs();
      const content = nextRevocationList(register, rootCommonName, unixMs);
      this.state.record({ type: 'revocationListIssued', unixMs, number: content.number });
      const bytes = await buildRevocationList(content, keys.root);
      const document = { contentType: 'application/pkix-crl', bytes, changedUnixMs: unixMs };
      this.list = { content, document };
    });
  }

  private async issueLeaf(
    userName: AccountName,
    nodeIds: readonly NodeId[],
    key: Uint8Array,
    days: number,
  ): Promise<Uint8Array> {
    const { settings, register, keys, rootCommonName, limits } = this.state;
    if (register.certificateCount >= limits.certificatesMax) {
      throw new AuthorityFailure(`the authority has issued ${limits.certificatesMax} certificates`);
    }
    const unixMs = this.state.nowUnixMs();
    const content: CertificateContent = leafCertificateContent(
      settings.profile,
      { overlayName: settings.overlayName, userName, nodeIds },
      rootCommonName,
      serialNumberFrom(randomBytes(SERIAL_NUMBER_BYTES)),
      validityFrom(unixMs, days, this.state.rootNotAfterUnixMs),
      this.revocationListUrl,
    );
    const der = await buildCertificate(content, key, keys.root);
    this.state.record({
      type: 'certificateIssued',
      unixMs,
      userName,
      nodeIds,
      serialNumber: content.serialNumber,
      publicKeySha256: publicKeySha256(key),
      fingerprintSha256: createHash('sha256').update(der).digest('hex'),
      notBeforeUnixMs: content.notBeforeUnixMs,
      notAfterUnixMs: content.notAfterUnixMs,
      certificate: Buffer.from(der).toString('base64'),
    });
    return der;
  }
}

function bytesOf(base64: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64, 'base64'));
}

const NODE_ID_BYTES = 16;
const SERIAL_NUMBER_BYTES = 20;
