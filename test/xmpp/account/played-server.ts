import type { AccountServer } from '../../../src/xmpp/account/account-server.ts';
import type { ServerBesideOverlay } from '../../../src/xmpp/account/server-path.ts';
import {
  PLAIN_SERVER_PATH,
  type ServerPathHooks,
} from '../../../src/xmpp/account/server-path-hooks.ts';
import type { RequestOutcome, ServerRequest } from '../../../src/xmpp/account/server-requests.ts';
import type { PrimaryWay } from '../../../src/xmpp/account/server-way.ts';
import type { Device } from '../../../src/xmpp/direct/direct-streams.ts';
import type { StanzaRouter } from '../../../src/xmpp/routing/stanza-router.ts';
import { stanzaError } from '../../../src/xmpp/stanza/stanza.ts';
import { withAttributes, type XmppElement } from '../../../src/xmpp/stanza/xmpp-element.ts';
import { AddressFault } from '../../../src/xmpp-address/address-fault.ts';
import { type Jid, parseJid } from '../../../src/xmpp-address/jid.ts';

/** A peer whose user has an account here. */
export interface PlayedPeer {
  readonly device: Device;
  readonly router: StanzaRouter;
  turn(what: () => void): void;
}

/** The one ordinary XMPP server of a test: it carries the accounts of all its peers. */
export class PlayedServer {
  readonly primary: PrimaryWay;
  hooks: ServerPathHooks = PLAIN_SERVER_PATH;
  /** It takes stanzas, and neither delivers nor acknowledges them. */
  isSlow = false;
  /** Whom it does not know: it answers with an error. */
  readonly unknown = new Set<string>();
  /** All that it was sent. */
  readonly sent: XmppElement[] = [];
  readonly requests: ServerRequest[] = [];
  /** What it answers to requests other than for carbons. */
  answer: RequestOutcome = { type: 'unanswered', reason: 'nobody answers' };
  private readonly accounts = new Map<string, PlayedAccount>();
  private readonly due: (() => void)[] = [];

  constructor(primary: PrimaryWay) {
    this.primary = primary;
  }

  beside(peer: PlayedPeer): ServerBesideOverlay {
    const account = new PlayedAccount(this, peer);
    this.accounts.set(peer.device.user, account);
    return { server: account, primary: this.primary, hooks: this.hooks };
  }

  of(peer: PlayedPeer): PlayedAccount {
    const account = this.accounts.get(peer.device.user);
    if (account === undefined) throw new Error(`${peer.device.user} has no account`);
    return account;
  }

  /** Delivers and acknowledges one thing; false when there is none. */
  step(): boolean {
    const next = this.isSlow ? undefined : this.due.shift();
    next?.();
    return next !== undefined;
  }

  take(from: PlayedAccount, given: XmppElement, tag: number): void {
    const stanza = withAttributes(given, { from: from.bound?.text });
    this.sent.push(stanza);
    this.due.push(() => {
      this.deliver(from, stanza);
      if (tag !== 0) from.tell((path) => path?.acknowledgedByServer([tag]));
    });
  }

  private deliver(from: PlayedAccount, stanza: XmppElement): void {
    const to = parseJid(stanza.attributes.get('to') ?? '');
    if (to instanceof AddressFault) return;
    const account = this.unknown.has(to.bare) ? undefined : this.accounts.get(to.bare);
    if (account?.isOnline === true) account.arrives(stanza);
    else from.arrives(stanzaError(stanza, 'service-unavailable', 'There is no such user.'));
  }
}

/** The session of one peer with its account. */
export class PlayedAccount implements AccountServer {
  isOnline = false;
  bound: Jid | undefined;
  /** Stanzas that the peer said to be dealt with. */
  handledCount = 0;
  private readonly server: PlayedServer;
  private readonly peer: PlayedPeer;

  constructor(server: PlayedServer, peer: PlayedPeer) {
    this.server = server;
    this.peer = peer;
  }

  comes(): void {
    const bound = parseJid(`${this.peer.device.user}/peer`);
    if (bound instanceof AddressFault) throw new Error(bound.describe());
    this.bound = bound;
    this.isOnline = true;
    this.tell((path) => path?.serverOnline(true));
  }

  goes(): void {
    this.isOnline = false;
    this.tell((path) => path?.serverOffline());
  }

  /** The server says this to the peer. */
  arrives(stanza: XmppElement): void {
    this.tell((path) => path?.stanzaFromServer(1, stanza));
  }

  send(stanza: XmppElement, tag: number): void {
    if (this.isOnline) this.server.take(this, stanza, tag);
  }

  request(request: ServerRequest, then: (outcome: RequestOutcome) => void): void {
    this.server.requests.push(request);
    then(this.server.answer);
  }

  handled(): void {
    this.handledCount += 1;
  }

  tell(what: (path: StanzaRouter['serverPath']) => void): void {
    this.peer.turn(() => what(this.peer.router.serverPath));
  }
}
