import { createHash, randomBytes } from 'node:crypto';
import type { AccountName } from '../../../ca/account-name.ts';
import { type Challenge, ChallengeTable } from '../../../ca/challenge-table.ts';
import { readRevocation } from '../../../ca/revocation-request.ts';
import { laterRefusal, refusalOfToken, type XmppRefusal } from '../../../ca/xmpp-refusal.ts';
import { readXmppRequest, senderOf, type XmppRequest } from '../../../ca/xmpp-request.ts';
import { discoveryAnswer, resultOf } from '../../../xmpp/component/component-discovery.ts';
import { CLIENT_NAMESPACE, isStanza, stanzaError } from '../../../xmpp/stanza/stanza.ts';
import {
  childElements,
  element,
  withAttributes,
  type XmppElement,
} from '../../../xmpp/stanza/xmpp-element.ts';
import { withChallengeKey } from '../../../xmpp/x509/challenge-key.ts';
import {
  authorityListElement,
  certificateChainElement,
  challengeElement,
  challengeInput,
  octetsOf,
  X509_NAMESPACE,
} from '../../../xmpp/x509/x509-element.ts';
import { publicKeySha256 } from '../../enrollment/enrollment-key.ts';
import type { Log } from '../../log.ts';
import type { Authority } from '../authority.ts';
import { AuthorityBusy } from '../authority-state.ts';
import type { CertifyOutcome } from '../issuer.ts';
import { LedgerUnavailable } from '../ledger/ledger-store.ts';
import { RequestLimits } from '../request-limits.ts';
import { type ChallengeSigner, challengeSignerOf } from './challenge-signer.ts';

/** A request over XMPP that waits for its challenge. */
export interface ChallengedRequest extends XmppRequest {
  /** SHA-256 of the request, lower-case hex. */
  readonly requestSha256: string;
  /** SHA-256 of the key of the request, lower-case hex. */
  readonly keySha256: string;
  /** The request's stanza, which is answered in the end; without what is inside. */
  readonly iq: XmppElement;
}

/** What an EnrollmentComponent needs besides its authority. */
export interface EnrollmentComponentParts {
  readonly jid: string;
  readonly trustsServer: boolean;
  /** `https://HOST:PORT` of the web server that has the challenges. */
  readonly publicUrl: string;
  /** Gives a stanza to the XMPP server. */
  readonly send: (stanza: XmppElement) => void;
  readonly log: Log;
}

/**
 * An authority as a component of an XMPP server (XEP-0417): takes the stanzas that the server
 * routes to it, and answers them. Certificates are made by the same issuer, in the same steps, as
 * over HTTPS.
 */
export class EnrollmentComponent {
  readonly challenges: ChallengeTable<ChallengedRequest>;
  private readonly authority: Authority;
  private readonly parts: EnrollmentComponentParts;
  private readonly requests: RequestLimits;
  private readonly sign: ChallengeSigner;
  private running = 0;

  constructor(authority: Authority, parts: EnrollmentComponentParts) {
    this.authority = authority;
    this.parts = parts;
    const { limits, keys } = authority.state;
    this.challenges = new ChallengeTable(limits);
    this.requests = new RequestLimits(limits);
    this.sign = challengeSignerOf(keys.issuer);
  }

  /** How many stanzas are being answered. */
  get runningCount(): number {
    return this.running;
  }

  /** Answers one stanza of the server. Never rejects. */
  async take(stanza: XmppElement): Promise<void> {
    if (!isStanza(stanza) || stanza.name !== 'iq') return;
    const type = stanza.attributes.get('type');
    const from = stanza.attributes.get('from');
    if (from === undefined || (type !== 'get' && type !== 'set')) return;
    this.running += 1;
    try {
      await this.answer(stanza, from, type);
    } catch (error) {
      this.refuse(stanza, this.refusalOfFailure(error));
    } finally {
      this.running -= 1;
    }
  }

  /** Ends the challenges whose time is over. `nowMs`: monotonic. */
  expire(nowMs: number): void {
    for (const { request } of this.challenges.expire(nowMs)) {
      const minutes = Math.round(this.authority.state.limits.challengeMsMax / 60_000);
      const text = `The challenge was not answered within ${minutes} minutes; ask again.`;
      this.failed(request, text);
    }
  }

  /** Whoever answers the challenge of a request has proved to be its user: it is certified. */
  async certifyChallenged(challenge: Challenge<ChallengedRequest>): Promise<CertifyOutcome> {
    const { token, request } = challenge;
    const outcome = await this.certify(request);
    const ended = this.challenges.end(token, outcome.type === 'certificate' ? 'passed' : 'failed');
    // The client may have asked once more meanwhile, which began a challenge of its own.
    if (ended !== undefined) this.answerWith(request, request.iq, outcome);
    const asked = this.challenges.endSame(request, 'passed');
    if (asked !== undefined) this.answerWith(asked.request, asked.request.iq, outcome);
    return outcome;
  }

  /** The answer to a challenge that its user did not pass. */
  failed(request: ChallengedRequest, text: string): void {
    this.log('the challenge failed', request.userName, { reason: text });
    this.refuse(request.iq, { condition: 'forbidden', text, isChallengeFailed: true });
  }

  private async answer(iq: XmppElement, from: string, type: 'get' | 'set'): Promise<void> {
    const [payload, ...more] = childElements(iq);
    if ((iq.attributes.get('id') ?? '').length > ID_LENGTH_MAX) {
      const text = `"id" has more than ${ID_LENGTH_MAX} characters; write fewer.`;
      this.refuse(withAttributes(iq, { id: undefined }), { condition: 'not-acceptable', text });
    } else if (payload === undefined || more.length > 0) {
      this.refuse(iq, { condition: 'bad-request', text: 'An iq has exactly one child element.' });
    } else if (iq.attributes.get('to') !== this.parts.jid) {
      const text = `Nobody is there; ask ${this.parts.jid}.`;
      this.refuse(iq, { condition: 'service-unavailable', text });
    } else if (payload.namespace !== X509_NAMESPACE) {
      this.discover(iq);
    } else if (payload.name === 'x509-csr') {
      await this.request(iq, from, payload);
    } else if (payload.name === 'x509-revoke' && type === 'set') {
      await this.revoke(iq, from, payload);
    } else if (payload.name === 'x509-ca-list' && type === 'get') {
      const { keys, hierarchy } = this.authority.state;
      const own = new Set(
        [keys.issuer.certificate, ...hierarchy.chain, hierarchy.root].map(base64),
      );
      const certificates = [...own].map((text) => new Uint8Array(Buffer.from(text, 'base64')));
      this.parts.send(resultOf(iq, [authorityListElement(certificates)]));
    } else {
      const name = payload.name.slice(0, SHOWN_LENGTH_MAX);
      const text = `<${name}/> is nothing to ask in an iq "${type}".`;
      this.refuse(iq, { condition: 'bad-request', text });
    }
  }

  private discover(iq: XmppElement): void {
    const answer = discoveryAnswer(iq, this.authority.state.issuerCommonName);
    if (answer === undefined) {
      const text = 'This is a certificate authority (XEP-0417), and nothing else.';
      this.refuse(iq, { condition: 'service-unavailable', text });
    } else if (answer === 'no-such-node') {
      this.refuse(iq, { condition: 'item-not-found', text: 'There are no nodes here.' });
    } else this.parts.send(answer);
  }

  /** `<x509-csr/>` (XEP-0417 §6.1). */
  private async request(iq: XmppElement, from: string, csr: XmppElement): Promise<void> {
    const sender = this.senderWithin(from);
    if (typeof sender !== 'string') {
      this.refuse(iq, sender);
      return;
    }
    const { settings } = this.authority.state;
    const transaction = ownCopy(csr.attributes.get('transaction'));
    const name = ownCopy(csr.attributes.get('name'));
    const arrived = { from: ownCopy(from) ?? '', transaction, name, der: octetsOf(csr) };
    const read = readXmppRequest(arrived, settings.profile);
    if ('condition' in read) {
      this.log('the request is refused', sender, { reason: read.text });
      this.refuse(iq, read);
      return;
    }
    const requestSha256 = createHash('sha256').update(read.der).digest('hex');
    const keySha256 = publicKeySha256(read.signingRequest.subjectPublicKeyInfo);
    const request = { ...read, requestSha256, keySha256, iq: bareIq(iq) };
    this.replace(request);
    if (this.parts.trustsServer) {
      this.answerWith(request, iq, await this.certifyTrusted(request));
      return;
    }
    const { issuer } = this.authority;
    const applicant = { userName: request.userName, device: undefined };
    const before = await issuer.issuedBefore(applicant, request.der);
    if (before !== undefined) this.answerWith(request, iq, before);
    else await this.challenge(request);
  }

  /** Whose stanza it is, when there were not too many of theirs. */
  private senderWithin(from: string): AccountName | XmppRefusal {
    const sender = senderOf(from, this.authority.state.settings.profile);
    if (typeof sender !== 'string') return sender;
    const waitSeconds = this.requests.takeOverXmpp(sender, performance.now());
    if (waitSeconds === 0) return sender;
    this.parts.log.warn({ user: sender }, 'too many requests over XMPP');
    return laterRefusal('you or of others', waitSeconds);
  }

  /**
   * "If it has received another request with the same CSR during a challenge procedure, it MUST
   * abort the running procedure, destroy an internal transaction state" (XEP-0417 §6.1).
   */
  private replace(request: ChallengedRequest): void {
    const replaced = this.challenges.endSame(request, 'replaced');
    if (replaced === undefined || isSameStanza(replaced.request.iq, request.iq)) return;
    const text = 'The same request came again; the answer goes to that one.';
    this.refuse(replaced.request.iq, { condition: 'conflict', text });
  }

  private async certifyTrusted(request: ChallengedRequest): Promise<CertifyOutcome | XmppRefusal> {
    const { state } = this.authority;
    await state.synchronize(ACCOUNTS_AGE_MS_MAX);
    if (state.register.account(request.userName) !== undefined) return this.certify(request);
    const text = `This authority has no account ${request.userName}; its operator can add one.`;
    return { condition: 'registration-required', text };
  }

  private certify({ userName, der }: ChallengedRequest): Promise<CertifyOutcome> {
    const applicant = { userName, device: undefined };
    return this.authority.issuer.certify(applicant, der, undefined, 'sameRequests');
  }

  /** `<x509-challenge/>` (XEP-0417 §6.2). */
  private async challenge(request: ChallengedRequest): Promise<void> {
    const { transaction, keySha256, iq } = request;
    const token = randomBytes(TOKEN_BYTES).toString('base64url');
    const page = `${this.parts.publicUrl}${CHALLENGE_PATHS}${token}`;
    const uri = withChallengeKey(page, keySha256);
    const signature = await this.sign(challengeInput(transaction, uri));
    // Since it was looked at, the same request may have come once more.
    this.replace(request);
    const challenge = this.challenges.begin(request, token, performance.now());
    if (challenge === undefined) {
      const text = 'Too many challenges wait for their answers; answer yours, or try again later.';
      this.refuse(iq, { condition: 'resource-constraint', text });
      return;
    }
    this.log('a challenge was sent', request.userName, {});
    const values = { type: 'normal', from: this.parts.jid, to: iq.attributes.get('from') };
    const payload = challengeElement({ transaction, uri, signature });
    this.parts.send(element('message', CLIENT_NAMESPACE, values, [payload]));
  }

  /** `<x509-revoke/>` (XEP-0417 §7). */
  private async revoke(iq: XmppElement, from: string, revoke: XmppElement): Promise<void> {
    const userName = this.senderWithin(from);
    if (typeof userName !== 'string') {
      this.refuse(iq, userName);
      return;
    }
    const { state, revocation } = this.authority;
    await state.synchronize();
    const certificate = onlyOctets(revoke, 'x509-cert');
    const signature = onlyOctets(revoke, 'x509-signature');
    const meant = readRevocation(state.register, { userName, certificate, signature });
    if ('condition' in meant) {
      this.log('a revocation is refused', userName, { reason: meant.text });
      this.refuse(iq, meant);
      return;
    }
    await revocation.revoke([meant.serialNumber], 'unspecified');
    this.log('certificate revoked', userName, { serialNumber: meant.serialNumber });
    this.parts.send(resultOf(iq, []));
  }

  private answerWith(
    { userName, name }: ChallengedRequest,
    iq: XmppElement,
    outcome: CertifyOutcome | XmppRefusal,
  ): void {
    if ('condition' in outcome) {
      this.log('the request is refused', userName, { reason: outcome.text });
      this.refuse(iq, outcome);
      return;
    }
    switch (outcome.type) {
      case 'certificate': {
        this.log('certificate issued', userName, { nodeIds: outcome.nodeIds });
        const chain = [outcome.der, ...outcome.chain];
        this.parts.send(resultOf(iq, [certificateChainElement(chain, name)]));
        return;
      }
      case 'refuse':
        this.log('the request is refused', userName, { reason: outcome.detail });
        this.refuse(iq, refusalOfToken(outcome.token, outcome.detail));
        return;
      case 'later':
        this.refuse(iq, laterRefusal('this account', outcome.retryAfterSeconds));
    }
  }

  /** XEP-0417 §6.4: the error says by whom it is. */
  private refuse(iq: XmppElement, { condition, text, isChallengeFailed }: XmppRefusal): void {
    const more =
      isChallengeFailed === true ? [element('x509-challenge-failed', X509_NAMESPACE)] : [];
    // A request may name what XML cannot carry.
    const answer = stanzaError(iq, condition, text.replace(NOT_XML, '\ufffd'), more);
    const children = answer.children.map((node) =>
      typeof node === 'string' ? node : withAttributes(node, { by: this.parts.jid }),
    );
    this.parts.send({ ...answer, children });
  }

  private refusalOfFailure(error: unknown): XmppRefusal {
    if (error instanceof AuthorityBusy || error instanceof LedgerUnavailable) {
      this.parts.log.warn({}, error.message);
      const text = 'The authority is busy; try again in some seconds.';
      return { condition: 'resource-constraint', text };
    }
    this.parts.log.error({ error: String(error) }, 'a request over XMPP could not be answered');
    const text = 'The authority failed; its operator finds the reason in its log.';
    return { condition: 'internal-server-error', text };
  }

  private log(what: string, user: string, fields: object): void {
    this.parts.log.info({ user, over: 'xmpp', ...fields }, what);
  }
}

/** What an answer needs of a stanza, and nothing else that came in it. */
function bareIq({ attributes }: XmppElement): XmppElement {
  const names = ['type', 'id', 'from', 'to'];
  const values = Object.fromEntries(names.map((name) => [name, ownCopy(attributes.get(name))]));
  return element('iq', CLIENT_NAMESPACE, values);
}

/** A part of a text keeps the whole of it in memory: here, all that came with a stanza. */
function ownCopy(text: string | undefined): string | undefined {
  return text === undefined ? undefined : Buffer.from(text).toString();
}

/** The same stanza once more: an error would end what the client still waits for. */
function isSameStanza(before: XmppElement, now: XmppElement): boolean {
  return ['from', 'id'].every((name) => before.attributes.get(name) === now.attributes.get(name));
}

/** What the only child of this name says in base64; undefined: it is not there, or not once. */
function onlyOctets(parent: XmppElement, name: string): Uint8Array | undefined {
  const named = childElements(parent).filter(
    (child) => child.name === name && child.namespace === X509_NAMESPACE,
  );
  const [only] = named;
  return only === undefined || named.length > 1 ? undefined : octetsOf(only);
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

/** What the paths of all challenges begin with. */
export const CHALLENGE_PATHS = '/csr/';
/** 192 bits: nobody finds the page of a challenge who was not told. */
const TOKEN_BYTES = 24;
/** For so long an account that another process added may be unknown here. */
const ACCOUNTS_AGE_MS_MAX = 1_000;
const SHOWN_LENGTH_MAX = 80;
/** Of what waits for its challenge, nothing may be large. */
const ID_LENGTH_MAX = 1_024;
/** Outside of Char of XML 1.0 §2.2. */
const NOT_XML = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;
