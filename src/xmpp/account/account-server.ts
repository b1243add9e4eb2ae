import type { Jid } from '../../xmpp-address/jid.ts';
import type { XmppElement } from '../stanza/xmpp-element.ts';
import type { RequestOutcome, ServerRequest } from './server-requests.ts';

/** Names a session with the server; a resumed one keeps its number. */
export type AccountSessionId = number;

/** The user's account at an ordinary server (XEP-0415 §8), as those who route stanzas see it. */
export interface AccountServer {
  /** Logged in: what is sent now leaves at once. */
  readonly isOnline: boolean;
  /** The full address that the server gave; undefined while there is no session. */
  readonly bound: Jid | undefined;
  /**
   * Sends a stanza; `from` is the server's affair. By its tag `acknowledgedByServer` or
   * `lostByServer` follows once; tag 0: neither.
   */
  send(stanza: XmppElement, tag: number): void;
  /** Asks somebody; `then` hears once what became of it. */
  request(request: ServerRequest, then: (outcome: RequestOutcome) => void): void;
  /** The oldest stanza of this session is dealt with and on disk. */
  handled(session: AccountSessionId): void;
}

export interface AccountServerListener {
  /** `isNew`: a session of its own, of which the server knows nothing yet; else a resumed one. */
  serverOnline(isNew: boolean): void;
  serverOffline(): void;
  /** The server has these; in order. */
  acknowledgedByServer(tags: readonly number[]): void;
  /** The session ended before the server acknowledged these: it may have them or not. */
  lostByServer(tags: readonly number[]): void;
  /** A stanza, new and as it came; its `from` is the server's word. */
  stanzaFromServer(session: AccountSessionId, stanza: XmppElement): void;
}
