import type { Applicant } from '../../ca/enrollment-decision.ts';
import type { Authenticator } from '../../tls-auth/authenticator.ts';
import { CertificateRefusal } from '../../tls-auth/certificate-refusal.ts';
import { type FormPart, parseForm } from '../enrollment/multipart.ts';
import { toPem } from '../links/link-credentials.ts';
import { defaultLinkLimits } from '../links/link-limits.ts';
import { presentedChain } from '../links/presented-chain.ts';
import type { Log } from '../log.ts';
import type { AuthorityAccounts } from './accounts.ts';
import { AuthorityBusy, type AuthorityState } from './authority-state.ts';
import { type HttpAnswer, type HttpRequest, laterAnswer, textAnswer } from './http-exchange.ts';
import type { AuthorityIssuer } from './issuer.ts';
import { LedgerUnavailable } from './ledger/ledger-store.ts';
import { PasswordChecksExhausted } from './passwords.ts';
import { RequestLimits } from './request-limits.ts';

/**
 * Answers enrollment requests (RFC 6940 §11.3) and renewals. A form with a user name and a password
 * enrolls; a form without them renews the certificate that the client showed and proved in the TLS
 * handshake. Nothing about Node-IDs or accounts is said to whoever is not authenticated.
 */
export class EnrollmentHandler {
  private readonly state: AuthorityState;
  private readonly accounts: AuthorityAccounts;
  private readonly issuer: AuthorityIssuer;
  private readonly authenticator: Authenticator;
  private readonly log: Log;
  private readonly requests: RequestLimits;

  constructor(
    state: AuthorityState,
    accounts: AuthorityAccounts,
    issuer: AuthorityIssuer,
    authenticator: Authenticator,
    log: Log,
  ) {
    this.state = state;
    this.accounts = accounts;
    this.issuer = issuer;
    this.authenticator = authenticator;
    this.log = log;
    this.requests = new RequestLimits(state.limits);
  }

  async answer(request: HttpRequest): Promise<HttpAnswer> {
    const waitSeconds = this.requests.takeFromAddress(request.remoteAddress, performance.now());
    if (waitSeconds > 0) return this.tooMany(request, 'this address', waitSeconds);
    if (!acceptsCertificate(request.headers.accept)) {
      return textAnswer(406, `the answer is ${CERTIFICATE_TYPE}: name it in Accept\n`);
    }
    const form = parseForm(request.headers['content-type'] ?? '', request.body);
    if (!Array.isArray(form)) return textAnswer(400, `not an enrollment request: ${form.detail}\n`);
    try {
      const applicant = await this.authenticate(form, request);
      if ('status' in applicant) return applicant;
      const seconds = this.requests.takeFromAccount(applicant.userName, performance.now());
      return seconds > 0
        ? this.tooMany(request, 'this account or its domain', seconds)
        : await this.certify(applicant, form, request);
    } catch (error) {
      if (!isTemporary(error)) throw error;
      this.log.warn({ address: request.remoteAddress }, error.message);
      return laterAnswer(503, 'the authority is busy; try again later', BUSY_SECONDS);
    }
  }

  private tooMany(request: HttpRequest, whose: string, seconds: number): HttpAnswer {
    this.log.warn({ address: request.remoteAddress }, `too many requests of ${whose}`);
    const text = `too many requests of ${whose}; try again in ${seconds} s`;
    return laterAnswer(429, text, seconds);
  }

  private async authenticate(
    form: readonly FormPart[],
    request: HttpRequest,
  ): Promise<Applicant | HttpAnswer> {
    const userName = fieldOf(form, 'username');
    const password = fieldOf(form, 'password');
    if (userName === undefined && password === undefined) return this.renewing(request);
    const answer = await this.accounts.authenticate(
      userName ?? new Uint8Array(),
      password ?? new Uint8Array(),
      request.remoteAddress,
    );
    switch (answer.type) {
      case 'account':
        return { userName: answer.account.userName, device: undefined };
      case 'later': {
        const seconds = answer.retryAfterSeconds;
        const text = `too many wrong passwords; try again in ${seconds} s`;
        this.log.warn({ address: request.remoteAddress }, 'too many wrong passwords from there');
        return laterAnswer(429, text, seconds);
      }
      case 'wrong':
        return this.notAuthenticated(request, 'wrong user name or password');
    }
  }

  /**
   * Who shows a certificate of the ledger that is in force. Its Node-ID comes from there alone: a
   * form cannot name another.
   */
  private async renewing(request: HttpRequest): Promise<Applicant | HttpAnswer> {
    const chain = presentedChain(request.socket, defaultLinkLimits);
    if (chain === undefined) {
      return this.notAuthenticated(request, 'neither a password nor a certificate was shown');
    }
    if (typeof chain === 'string') return this.notAuthenticated(request, chain);
    const unixMs = this.state.nowUnixMs();
    const pool = [...chain.pool, ...this.state.hierarchy.chain];
    const node = this.authenticator.authenticate(chain.leaf, pool, unixMs);
    if (node instanceof CertificateRefusal) return this.notAuthenticated(request, node.describe());
    await this.state.synchronize();
    const { register } = this.state;
    const held = register.certificate(node.certificate.serialNumber);
    const device = register.deviceOfNode(node.nodeId);
    if (held?.fingerprintSha256 !== node.certificate.sha256 || device === undefined) {
      return this.notAuthenticated(request, 'the certificate is not in the ledger');
    }
    if (held.revocation !== undefined) {
      return this.notAuthenticated(request, `certificate ${held.serialNumber} is revoked`);
    }
    if (register.account(device.userName) === undefined) {
      return this.notAuthenticated(request, `there is no account ${device.userName}`);
    }
    return { userName: device.userName, device, shownSerialNumber: held.serialNumber };
  }

  private notAuthenticated(request: HttpRequest, reason: string): HttpAnswer {
    this.log.info({ address: request.remoteAddress, reason }, 'enrollment refused');
    return textAnswer(403, 'failed_authentication');
  }

  private async certify(
    applicant: Applicant,
    form: readonly FormPart[],
    request: HttpRequest,
  ): Promise<HttpAnswer> {
    const csr = form.find((part) => part.name === 'csr');
    const isRequest = csr?.contentType === REQUEST_TYPE;
    const count = fieldOf(form, 'nodeids');
    const outcome = await this.issuer.certify(
      applicant,
      isRequest ? csr.value : new Uint8Array(),
      count === undefined ? undefined : Buffer.from(count).toString('latin1'),
    );
    const fields = { address: request.remoteAddress, user: applicant.userName };
    switch (outcome.type) {
      case 'certificate':
        this.log.info({ ...fields, nodeIds: outcome.nodeIds }, 'certificate issued');
        return certificateAnswer([outcome.der, ...outcome.chain], request.headers.accept);
      case 'refuse':
        this.log.info({ ...fields, token: outcome.token, reason: outcome.detail }, 'refused');
        return textAnswer(403, outcome.token);
      case 'later':
        this.log.warn(fields, 'too many certificates for this account');
        return laterAnswer(
          429,
          'too many certificates for this account; try again later',
          outcome.retryAfterSeconds,
        );
    }
  }
}

/** What is gone when the client comes back. */
function isTemporary(error: unknown): error is Error {
  return [PasswordChecksExhausted, AuthorityBusy, LedgerUnavailable].some(
    (kind) => error instanceof kind,
  );
}

function fieldOf(form: readonly FormPart[], name: string): Uint8Array | undefined {
  return form.find((part) => part.name === name)?.value;
}

/**
 * The certificate alone, as RFC 6940 §11.3 has it, unless there are certificates between it and the
 * root and the client says that it takes a chain (RFC 8555 §9.1).
 */
function certificateAnswer(chain: readonly Uint8Array[], accept: string | undefined): HttpAnswer {
  const [certificate = new Uint8Array()] = chain;
  const isChain = chain.length > 1 && (accept ?? '').toLowerCase().includes(CHAIN_TYPE);
  return {
    status: 200,
    headers: {
      'Content-Type': isChain ? CHAIN_TYPE : CERTIFICATE_TYPE,
      'Cache-Control': 'no-store',
    },
    body: isChain ? new Uint8Array(Buffer.from(chain.map(toPem).join(''))) : certificate,
  };
}

/** "The Accept header MUST contain the type application/pkix-cert"; wildcards contain it too. */
function acceptsCertificate(accept: string | undefined): boolean {
  const types = (accept ?? '').split(',').map((range) => range.split(';')[0]?.trim().toLowerCase());
  return [CERTIFICATE_TYPE, 'application/*', '*/*'].some((type) => types.includes(type));
}

const CERTIFICATE_TYPE = 'application/pkix-cert';
const CHAIN_TYPE = 'application/pem-certificate-chain';
const REQUEST_TYPE = 'application/pkcs10';
const BUSY_SECONDS = 5;
