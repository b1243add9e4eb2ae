import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Challenge, ChallengeEnd } from '../../../ca/challenge-table.ts';
import type { Log } from '../../log.ts';
import type { AuthorityAccounts } from '../accounts.ts';
import { AuthorityBusy } from '../authority-state.ts';
import type { HttpAnswer, HttpRequest } from '../http-exchange.ts';
import { LedgerUnavailable } from '../ledger/ledger-store.ts';
import { PasswordChecksExhausted } from '../passwords.ts';
import type { RequestLimits } from '../request-limits.ts';
import { challengePage, noticePage, pageAnswer } from './challenge-page.ts';
import {
  CHALLENGE_PATHS,
  type ChallengedRequest,
  type EnrollmentComponent,
} from './enrollment-component.ts';

/**
 * The web page of a challenge (XEP-0417 §6.2). It asks for the password of the account at this
 * authority: whoever carries stanzas can forge a sender and read the page's address, but does not
 * know that. And it shows which device and key ask, so that nobody answers for somebody else's.
 *
 * - An answer counts from its own page alone: the form carries a token that goes with a cookie of
 *   this host and with the challenge, and a browser that says where the form came from must say
 *   here.
 * - A challenge is answered once, in time, and with a few wrong passwords at most; beyond that
 *   wrong passwords count for account and address, as everywhere.
 */
export class ChallengeHandler {
  private readonly component: EnrollmentComponent;
  private readonly accounts: AuthorityAccounts;
  private readonly requests: RequestLimits;
  private readonly origin: string;
  private readonly log: Log;
  private readonly formKey = randomBytes(FORM_KEY_BYTES);

  constructor(
    component: EnrollmentComponent,
    accounts: AuthorityAccounts,
    requests: RequestLimits,
    publicUrl: string,
    log: Log,
  ) {
    this.component = component;
    this.accounts = accounts;
    this.requests = requests;
    this.origin = new URL(publicUrl).origin;
    this.log = log;
  }

  async answer(request: HttpRequest): Promise<HttpAnswer> {
    const waitSeconds = this.requests.takeFromAddress(request.remoteAddress, performance.now());
    if (waitSeconds > 0) return this.later(`There were too many requests`, waitSeconds);
    const token = request.path.slice(CHALLENGE_PATHS.length);
    const challenge = this.component.challenges.find(token);
    if (challenge === undefined) {
      const text = 'This challenge is not known. Ask for a certificate once more on your device.';
      return pageAnswer(404, noticePage('There is nothing here', text));
    }
    const isOver = performance.now() >= challenge.deadlineMs && challenge.state === 'waiting';
    if (isOver) return endedAnswer('expired');
    switch (challenge.state) {
      case 'waiting':
        break;
      case 'answering':
        return pageAnswer(409, noticePage(ENDED_TITLE, 'Another answer is being looked at.'));
      default:
        return endedAnswer(challenge.state);
    }
    if (request.method === 'POST') return this.take(challenge, request);
    return ['GET', 'HEAD'].includes(request.method)
      ? this.page(challenge, request)
      : pageAnswer(405, noticePage('Not so', 'This takes GET and POST.'), {
          Allow: 'GET, HEAD, POST',
        });
  }

  private page(
    challenge: Challenge<ChallengedRequest>,
    request: HttpRequest,
    status = 200,
    complaint?: string,
  ): HttpAnswer {
    const { userName, name, keySha256 } = challenge.request;
    const cookie = cookieOf(request) ?? randomBytes(COOKIE_BYTES).toString('base64url');
    const leftMs = challenge.deadlineMs - performance.now();
    const html = challengePage({
      userName,
      deviceName: name,
      keySha256,
      minutesLeft: Math.max(1, Math.ceil(leftMs / 60_000)),
      path: request.path,
      formToken: this.formToken(cookie, challenge.token),
      complaint,
    });
    const attributes = `Path=/; Secure; HttpOnly; SameSite=Strict`;
    return pageAnswer(status, html, { 'Set-Cookie': `${COOKIE}=${cookie}; ${attributes}` });
  }

  private async take(
    challenge: Challenge<ChallengedRequest>,
    request: HttpRequest,
  ): Promise<HttpAnswer> {
    const form = new URLSearchParams(Buffer.from(request.body).toString('utf8'));
    if (!this.isFromOwnPage(challenge, request, form.get('form') ?? '')) {
      const complaint = 'The form did not come from this page, or cookies are off. Answer here.';
      return this.page(challenge, request, 403, complaint);
    }
    if (form.get('answer') === 'refuse') return this.refused(challenge);
    if (form.get('mine') !== 'yes') {
      return this.page(
        challenge,
        request,
        400,
        'Say that you asked for this, or that you did not.',
      );
    }
    const claimed = this.component.challenges.claim(challenge.token, performance.now());
    if (claimed === undefined) return endedAnswer('expired');
    try {
      return await this.judge(claimed, request, form.get('password') ?? '');
    } catch (error) {
      this.component.challenges.release(challenge.token);
      if (!isTemporary(error)) throw error;
      this.log.warn({ address: request.remoteAddress }, error.message);
      return this.later('The authority is busy', BUSY_SECONDS);
    }
  }

  private async judge(
    challenge: Challenge<ChallengedRequest>,
    request: HttpRequest,
    password: string,
  ): Promise<HttpAnswer> {
    const { userName } = challenge.request;
    const answer = await this.accounts.authenticate(
      Buffer.from(userName),
      Buffer.from(password),
      request.remoteAddress,
    );
    switch (answer.type) {
      case 'account':
        return this.passed(challenge);
      case 'later':
        this.component.challenges.release(challenge.token);
        return this.later('There were too many wrong passwords', answer.retryAfterSeconds);
      case 'wrong':
        return this.wrong(challenge, request);
    }
  }

  private async passed(challenge: Challenge<ChallengedRequest>): Promise<HttpAnswer> {
    const outcome = await this.component.certifyChallenged(challenge);
    switch (outcome.type) {
      case 'certificate':
        return endedAnswer('passed', 200);
      case 'refuse': {
        const text = `The certificate cannot be issued: ${outcome.detail}.`;
        return pageAnswer(409, noticePage('There is no certificate', text));
      }
      case 'later':
        return this.later('The account has got many certificates', outcome.retryAfterSeconds);
    }
  }

  private wrong(challenge: Challenge<ChallengedRequest>, request: HttpRequest): HttpAnswer {
    const after = this.component.challenges.refuse(challenge.token);
    if (after?.state === 'waiting') {
      return this.page(after, request, 403, 'The password is wrong. Try again.');
    }
    if (after?.state === 'replaced') return endedAnswer('replaced');
    this.component.failed(challenge.request, 'The challenge was answered wrongly too often.');
    return endedAnswer('failed', 403);
  }

  private refused(challenge: Challenge<ChallengedRequest>): HttpAnswer {
    const ended = this.component.challenges.end(challenge.token, 'failed');
    if (ended !== undefined) {
      this.component.failed(ended.request, 'The user says that this request is not theirs.');
    }
    const text =
      'The request is refused. Somebody asked for a certificate in your name, or you took back ' +
      'your own request; if it was not you, tell the operator of your server.';
    return pageAnswer(200, noticePage('Refused', text));
  }

  private isFromOwnPage(
    { token }: Challenge<ChallengedRequest>,
    request: HttpRequest,
    formToken: string,
  ): boolean {
    const { origin, 'sec-fetch-site': site } = request.headers;
    if (origin !== undefined && origin !== this.origin) return false;
    if (site !== undefined && site !== 'same-origin') return false;
    const cookie = cookieOf(request);
    return cookie !== undefined && isSame(formToken, this.formToken(cookie, token));
  }

  private formToken(cookie: string, token: string): string {
    return createHmac('sha256', this.formKey).update(`${cookie} ${token}`).digest('base64url');
  }

  private later(what: string, seconds: number): HttpAnswer {
    const text = `${what}. Come back to this page in ${seconds} s.`;
    const headers = { 'Retry-After': String(Math.max(1, seconds)) };
    return pageAnswer(429, noticePage('A moment, please', text), headers);
  }
}

function endedAnswer(how: ChallengeEnd, status = 410): HttpAnswer {
  return pageAnswer(status, noticePage(ENDED_TITLE, ENDED[how]));
}

function cookieOf(request: HttpRequest): string | undefined {
  const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim());
  const own = pairs.find((pair) => pair.startsWith(`${COOKIE}=`));
  const value = own?.slice(COOKIE.length + 1);
  return value !== undefined && COOKIE_VALUE.test(value) ? value : undefined;
}

function isSame(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** What is gone when the user comes back. */
function isTemporary(error: unknown): error is Error {
  return [PasswordChecksExhausted, AuthorityBusy, LedgerUnavailable].some(
    (kind) => error instanceof kind,
  );
}

const ENDED_TITLE = 'This challenge is answered';
const ENDED: Readonly<Record<ChallengeEnd, string>> = {
  passed: 'The certificate is issued and on its way to your device. You can close this page.',
  failed: 'No certificate was issued. Ask once more on your device if you want one.',
  expired: 'It is too late for an answer. Ask for a certificate once more on your device.',
  replaced: 'Your device has asked once more. Answer the page that it opened last.',
};
const COOKIE = '__Host-xor-challenge';
const COOKIE_BYTES = 32;
const COOKIE_VALUE = /^[A-Za-z0-9_-]{43}$/;
const FORM_KEY_BYTES = 32;
const BUSY_SECONDS = 5;
