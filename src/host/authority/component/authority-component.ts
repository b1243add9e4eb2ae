import type { XmppElement } from '../../../xmpp/stanza/xmpp-element.ts';
import type { Log } from '../../log.ts';
import type { Authority } from '../authority.ts';
import type { HttpAnswer, HttpRequest } from '../http-exchange.ts';
import { RequestLimits } from '../request-limits.ts';
import { ChallengeHandler } from './challenge-handler.ts';
import { ComponentLink, type ComponentStatus } from './component-link.ts';
import type { ComponentOptions } from './component-place.ts';
import { EnrollmentComponent } from './enrollment-component.ts';

/** A running authority's side of XEP-0417: the link to the XMPP server, and pages of challenges. */
export class AuthorityComponent {
  private readonly link: ComponentLink;
  private readonly enrollment: EnrollmentComponent;
  private readonly pages: ChallengeHandler;
  private readonly expiry: NodeJS.Timeout;

  /** Attaches, now or when the server is there, and again whenever it was away. */
  constructor(authority: Authority, options: ComponentOptions, publicUrl: string, log: Log) {
    const { jid, trustsServer } = options;
    this.link = new ComponentLink(options, (stanza) => this.take(stanza), log);
    const send = (stanza: XmppElement) => this.link.send(stanza);
    const parts = { jid, trustsServer, publicUrl, send, log };
    this.enrollment = new EnrollmentComponent(authority, parts);
    const requests = new RequestLimits(authority.state.limits);
    const { accounts } = authority;
    this.pages = new ChallengeHandler(this.enrollment, accounts, requests, publicUrl, log);
    this.expiry = setInterval(() => this.enrollment.expire(performance.now()), EXPIRY_MS);
    this.expiry.unref();
    this.link.start();
  }

  get status(): ComponentStatus {
    return this.link.status;
  }

  /** Resolves when the server takes it as its component. */
  attached(): Promise<void> {
    return this.link.attached();
  }

  /** A request for a path below `CHALLENGE_PATHS`. */
  answer(request: HttpRequest): Promise<HttpAnswer> {
    return this.pages.answer(request);
  }

  /** Ends the stream. Open challenges are forgotten: clients ask again. */
  async close(): Promise<void> {
    clearInterval(this.expiry);
    await this.link.stop();
  }

  private take(stanza: XmppElement): void {
    void this.enrollment.take(stanza).then(() => this.adjust());
    this.adjust();
  }

  /** What waits for its turn waits at the server, and not in this process. */
  private adjust(): void {
    this.link.hold(this.enrollment.runningCount >= RUNNING_MAX);
  }
}

const EXPIRY_MS = 1_000;
/** Stanzas that are being answered at once: fewer than changes may wait for the ledger. */
const RUNNING_MAX = 128;
