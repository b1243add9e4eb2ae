import { createHash, randomBytes } from 'node:crypto';
import type { AccountName } from '../../ca/account-name.ts';
import { type AuthorityRequest, readAuthorityRequest } from '../../ca/authority-request.ts';
import {
  authorityCertificateContent,
  type CertificateContent,
  leafCertificateContent,
  serialNumberFrom,
  shardOf,
  validityFrom,
} from '../../ca/certificate-content.ts';
import type { RegisteredCertificate } from '../../ca/certificate-register.ts';
import type { SigningRequestFault } from '../../ca/certification-request.ts';
import {
  type Applicant,
  decideEnrollment,
  type EnrollmentDecision,
  type EnrollmentToken,
  type EnrollmentWish,
} from '../../ca/enrollment-decision.ts';
import { authorityLint, type IssuerChain, leafLint } from '../../ca/issuance-lint.ts';
import { readSigningRequest, type SigningRequest } from '../../ca/signing-request.ts';
import type { Authenticator } from '../../tls-auth/authenticator.ts';
import { type NodeId, nodeIdFromBytes } from '../../wire/node-id.ts';
import { publicKeySha256 } from '../enrollment/enrollment-key.ts';
import { AuthorityFailure } from './authority-failure.ts';
import type { AuthorityState } from './authority-state.ts';
import { buildCertificate } from './certificate-builder.ts';
import { NotIssuable } from './not-issuable.ts';
import type { RevocationPublisher } from './revocation-publisher.ts';

/** What became of a request of an authenticated sender. */
export type CertifyOutcome =
  | {
      readonly type: 'certificate';
      readonly der: Uint8Array;
      readonly serialNumber: string;
      /** The certificates between it and the root, the issuer's first. DER. */
      readonly chain: readonly Uint8Array[];
      readonly nodeIds: readonly NodeId[];
    }
  | { readonly type: 'refuse'; readonly token: EnrollmentToken; readonly detail: string }
  | { readonly type: 'later'; readonly retryAfterSeconds: number };

/**
 * Issues. Each certificate is decided, built, looked at as a peer would, and written to the ledger
 * before the next one, and nothing is handed out BEFORE its event is on disk: what a client has
 * seen survives a crash.
 */
export class AuthorityIssuer {
  private readonly state: AuthorityState;
  private readonly authenticator: Authenticator;
  private readonly lists: RevocationPublisher;
  private refusals = 0;

  constructor(state: AuthorityState, authenticator: Authenticator, lists: RevocationPublisher) {
    this.state = state;
    this.authenticator = authenticator;
    this.lists = lists;
  }

  /** Certificates that were made and not issued, because a peer would have refused them. */
  get refusedByLint(): number {
    return this.refusals;
  }

  /**
   * Answers a request of RFC 6940 §11.3; `nodeIdCount` is the form's `nodeids`. With `repeats` the
   * very same request gets its certificate again as long as that is in force (XEP-0417 §6.1), and
   * not only while it is young.
   */
  async certify(
    applicant: Applicant,
    request: Uint8Array,
    nodeIdCount: string | undefined,
    repeats: 'youngCertificates' | 'sameRequests' = 'youngCertificates',
  ): Promise<CertifyOutcome> {
    const wish = this.wishOf(request, nodeIdCount, repeats);
    const outcome = await this.state.exclusive(async (): Promise<CertifyOutcome> => {
      const { settings, hierarchy } = this.state;
      const { chain } = hierarchy;
      const unixMs = this.state.nowUnixMs();
      const decision = this.decide(applicant, wish, unixMs);
      if (decision.type === 'repeat') return this.again(decision.certificate);
      if (decision.type === 'refuse') {
        const { token, detail } = decision;
        const { userName } = applicant;
        this.state.record({ type: 'enrollmentRefused', unixMs, userName, token, detail });
      }
      if (decision.type !== 'issue') return decision;
      const userName = applicant.userName as AccountName;
      const { nodeIds } = decision;
      const leaf = await this.issueLeaf(
        userName,
        nodeIds,
        subjectKeyOf(wish),
        settings.certificateDays,
        sha256(request),
      );
      return { type: 'certificate', ...leaf, chain, nodeIds };
    });
    if (outcome.type === 'certificate') await this.lists.prepareFor(outcome.serialNumber);
    return outcome;
  }

  /**
   * The certificate that the very same request, or its key a short time ago, has got already;
   * undefined: there is none. It is on disk when this resolves.
   */
  issuedBefore(applicant: Applicant, request: Uint8Array): Promise<CertifyOutcome | undefined> {
    const wish = this.wishOf(request, undefined, 'sameRequests');
    return this.state.exclusive(async () => {
      const decision = this.decide(applicant, wish, this.state.nowUnixMs());
      return decision.type === 'repeat' ? this.again(decision.certificate) : undefined;
    });
  }

  private wishOf(
    request: Uint8Array,
    nodeIdCount: string | undefined,
    repeats: 'youngCertificates' | 'sameRequests',
  ): EnrollmentWish {
    const signingRequest = this.requestOf(request);
    const key = subjectKeyOf({ signingRequest });
    return {
      signingRequest,
      publicKeySha256: publicKeySha256(key),
      requestSha256: repeats === 'sameRequests' ? sha256(request) : undefined,
      nodeIdCount,
    };
  }

  /** Within a change. */
  private decide(applicant: Applicant, wish: EnrollmentWish, unixMs: number): EnrollmentDecision {
    const { register, settings } = this.state;
    const drawNodeId = () => nodeIdFromBytes(randomBytes(NODE_ID_BYTES));
    return decideEnrollment(register, settings, applicant, wish, drawNodeId, unixMs);
  }

  private again({ certificate, nodeIds, serialNumber }: RegisteredCertificate): CertifyOutcome {
    const { chain } = this.state.hierarchy;
    return { type: 'certificate', der: bytesOf(certificate), serialNumber, chain, nodeIds };
  }

  private requestOf(der: Uint8Array): SigningRequest | SigningRequestFault {
    const request = readSigningRequest(der);
    if ('detail' in request) return request;
    const { issuer, httpsRoot, httpsServer } = this.state.keys;
    const isOwn = [issuer, httpsRoot, httpsServer].some(
      (own) => Buffer.compare(own.subjectPublicKeyInfo, request.subjectPublicKeyInfo) === 0,
    );
    return isOwn ? { detail: 'its key is one of the authority' } : request;
  }

  /** A certificate for one of the authority's own signers, with the Node-IDs it has. */
  async issueToSigner(
    userName: AccountName,
    nodeIds: readonly NodeId[],
    subjectPublicKeyInfo: Uint8Array,
    days: number,
  ): Promise<Uint8Array> {
    const { der } = await this.state.exclusive(() =>
      this.issueLeaf(userName, nodeIds, subjectPublicKeyInfo, days),
    );
    return der;
  }

  /**
   * Certifies an authority below this one (XEP-0416 §2). Throws AuthorityFailure when its request
   * is refused. `domain` is what the operator allows: undefined is an authority for any domain.
   */
  certifyAuthority(request: Uint8Array, domain: string | undefined): Promise<IssuerChain> {
    return this.state.exclusive(async () => {
      const wish = readAuthorityRequest(request);
      const fault = 'detail' in wish ? wish.detail : this.faultOfAuthority(wish, domain);
      if ('detail' in wish || fault !== undefined) {
        throw new AuthorityFailure(`the request of the authority is refused: ${fault}`);
      }
      const { hierarchy, settings, register } = this.state;
      const unixMs = this.state.nowUnixMs();
      const content = authorityCertificateContent(
        wish,
        this.state.issuerCommonName,
        this.newSerialNumber(),
        validityFrom(unixMs, AUTHORITY_DAYS, this.state.issuerNotAfterUnixMs),
        this.lists.urlOf(shardOf(register.issuedCount)),
      );
      const der = await this.build(content, wish.subjectPublicKeyInfo);
      const rules = {
        profile: settings.profile,
        overlayName: settings.overlayName,
        nodeIdLength: NODE_ID_BYTES,
      };
      this.refuse(
        'a certificate of an authority',
        authorityLint(der, wish, hierarchy, rules, unixMs),
      );
      this.state.record({
        ...issuedFields(content, wish.subjectPublicKeyInfo, der),
        type: 'authorityCertified',
        unixMs,
        commonName: wish.commonName,
        domain: domain ?? '',
      });
      return { chain: [der, ...hierarchy.chain], root: hierarchy.root };
    });
  }

  private faultOfAuthority(wish: AuthorityRequest, domain: string | undefined) {
    const { settings, issuerCommonName, register } = this.state;
    if (settings.domain !== undefined) {
      return `the authority of ${settings.domain} may sign nothing but leaf certificates`;
    }
    if (wish.domain !== domain) {
      const wanted = wish.domain === undefined ? 'any domain' : `the domain ${wish.domain}`;
      const allowed = domain === undefined ? 'any domain' : `the domain ${domain}`;
      return `it is for ${wanted}, and ${allowed} is what you allow`;
    }
    if (wish.commonName === issuerCommonName) {
      return `its name "${wish.commonName}" is the one of the authority above; give another --name`;
    }
    const key = publicKeySha256(wish.subjectPublicKeyInfo);
    for (const { commonName, publicKeySha256: held, revocation } of register.authorities()) {
      if (commonName === wish.commonName && held !== key) {
        return `another authority is called "${commonName}"; give another --name`;
      }
      if (held === key && revocation !== undefined) {
        return 'a certificate of its key was revoked; it needs a new key, from xor ca init';
      }
    }
    return register.deviceOfKey(key) === undefined ? undefined : 'its key is the one of a node';
  }

  private newSerialNumber(): string {
    const shard = shardOf(this.state.register.issuedCount);
    return serialNumberFrom(randomBytes(SERIAL_NUMBER_BYTES), shard);
  }

  private build(content: CertificateContent, key: Uint8Array): Promise<Uint8Array> {
    return buildCertificate(content, key, this.state.keys.issuer);
  }

  /** Throws when a lint found something; that stays in the ledger. */
  private refuse(what: string, reason: string | undefined): void {
    if (reason === undefined) return;
    this.refusals++;
    const unixMs = this.state.nowUnixMs();
    this.state.record({ type: 'issuanceRefused', unixMs, what, reason });
    throw new NotIssuable(what, reason);
  }

  private async issueLeaf(
    userName: AccountName,
    nodeIds: readonly NodeId[],
    key: Uint8Array,
    days: number,
    requestSha256?: string,
  ): Promise<IssuedLeaf> {
    const { settings, register, issuerCommonName, limits, hierarchy } = this.state;
    if (register.issuedCount >= limits.certificatesMax) {
      throw new AuthorityFailure(`the authority has issued ${limits.certificatesMax} certificates`);
    }
    const unixMs = this.state.nowUnixMs();
    const content: CertificateContent = leafCertificateContent(
      settings.profile,
      { overlayName: settings.overlayName, userName, nodeIds },
      issuerCommonName,
      this.newSerialNumber(),
      validityFrom(unixMs, days, this.state.issuerNotAfterUnixMs),
      this.lists.urlOf(shardOf(register.issuedCount)),
    );
    const der = await this.build(content, key);
    const expected = { userName, nodeIds, subjectPublicKeyInfo: key };
    const { authenticator } = this;
    this.refuse(
      `a certificate of ${userName}`,
      leafLint(der, expected, authenticator, hierarchy.chain, unixMs),
    );
    const fields = {
      ...issuedFields(content, key, der),
      ...(requestSha256 === undefined ? {} : { requestSha256 }),
    };
    this.state.record({ ...fields, type: 'certificateIssued', unixMs, userName, nodeIds });
    return { der, serialNumber: content.serialNumber };
  }
}

interface IssuedLeaf {
  readonly der: Uint8Array;
  readonly serialNumber: string;
}

/** What the ledger keeps of any certificate. */
function issuedFields(content: CertificateContent, key: Uint8Array, der: Uint8Array) {
  return {
    serialNumber: content.serialNumber,
    publicKeySha256: publicKeySha256(key),
    fingerprintSha256: sha256(der),
    notBeforeUnixMs: content.notBeforeUnixMs,
    notAfterUnixMs: content.notAfterUnixMs,
    certificate: Buffer.from(der).toString('base64'),
  };
}

/** DER; of nothing where the request is bad. */
function subjectKeyOf({ signingRequest }: Pick<EnrollmentWish, 'signingRequest'>): Uint8Array {
  return 'detail' in signingRequest ? new Uint8Array() : signingRequest.subjectPublicKeyInfo;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function bytesOf(base64: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64, 'base64'));
}

const NODE_ID_BYTES = 16;
const SERIAL_NUMBER_BYTES = 20;
/** Ten years, within the life of the authority above. */
const AUTHORITY_DAYS = 10 * 365;
