import type { Jid } from '../../xmpp-address/jid.ts';
import type { XmppElement } from '../stanza/xmpp-element.ts';

/**
 * What is done to messages on the way over the account's server (XEP-0415 §8). The server of the
 * sender, and of the addressee, can read and write all of it; whoever can prove more than their
 * word does it here.
 */
export interface ServerPathHooks {
  /** A message as it leaves, instead of the one that is given. It has an origin-id if it is kept. */
  outgoing(message: XmppElement): XmppElement;
  /**
   * A message that came, with `CAME_BY_SERVER` on it; `from` is the server's word. `then` is called
   * once, at once or later, with what clients and archive get, or with why nobody gets it. The next
   * message of the same sender waits for it.
   */
  incoming(message: XmppElement, from: Jid, then: (outcome: IncomingOutcome) => void): void;
}

export type IncomingOutcome =
  | { readonly type: 'taken'; readonly message: XmppElement }
  | { readonly type: 'refused'; readonly reason: string };

/** Messages as they are. */
export const PLAIN_SERVER_PATH: ServerPathHooks = {
  outgoing: (message) => message,
  incoming: (message, _from, then) => then({ type: 'taken', message }),
};
