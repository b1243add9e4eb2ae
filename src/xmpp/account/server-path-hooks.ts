import type { Jid } from '../../xmpp-address/jid.ts';
import type { XmppElement } from '../stanza/xmpp-element.ts';

/**
 * What is done to messages on the way over the account's server (XEP-0415 §8). The server of the
 * sender, and of the addressee, can read and write all of it; whoever can prove more than their
 * word does it here.
 */
export interface ServerPathHooks {
  /**
   * A message that is to leave; it has an origin-id if it is kept. `then` is called once, now or
   * later, in the order of the calls for each addressee, with the one that leaves instead.
   */
  outgoing(message: XmppElement, then: (outcome: OutgoingOutcome) => void): void;
  /**
   * A message that came, with `CAME_BY_SERVER` on it; `from` is the server's word. `then` is called
   * once, at once or later, with what clients and archive get, or with why nobody gets it. The next
   * message of the same sender waits for it.
   */
  incoming(message: XmppElement, from: Jid, then: (outcome: IncomingOutcome) => void): void;
  /** The server is logged in at, or no more. */
  serverOnline?(): void;
  serverOffline?(): void;
}

export type OutgoingOutcome =
  | { readonly type: 'leaves'; readonly message: XmppElement }
  /** It cannot go over the server. */
  | { readonly type: 'refused'; readonly reason: string };

export type IncomingOutcome =
  | { readonly type: 'taken'; readonly message: XmppElement }
  /** `answer`: the error that tells its sender, if there is to be one. */
  | {
      readonly type: 'refused';
      /** Its name, for logs. */
      readonly condition: string;
      readonly reason: string;
      readonly answer?: XmppElement | undefined;
    };

/** Messages as they are. */
export const PLAIN_SERVER_PATH: ServerPathHooks = {
  outgoing: (message, then) => then({ type: 'leaves', message }),
  incoming: (message, _from, then) => then({ type: 'taken', message }),
};
