import type { XmppElement } from '../stanza/xmpp-element.ts';
import type { StreamErrorCondition } from '../stream/stream-error.ts';

/** Names a bound session for as long as it lives, over resumptions (XEP-0198); counted up. */
export type SessionId = number;

/**
 * The user's own clients that are logged in, as those who route stanzas see them. Authentication,
 * framing, stream management and its resumption are below.
 */
export interface LocalSessions {
  /** Hands a stanza to a client; kept until acknowledged where stream management is on. */
  send(session: SessionId, stanza: XmppElement): void;
  /**
   * Whether its client keeps up with what it is sent. Who has much to send waits while it does not:
   * a client that is sent too much at once loses its connection.
   */
  hasRoom(session: SessionId): boolean;
  /**
   * The oldest stanza that came from this session and was not said to be handled yet is now dealt
   * with, and what must outlive a crash is on disk: only then an acknowledgement counts it.
   */
  handled(session: SessionId): void;
  /** Ends a session for good with a stream error (RFC 6120 §4.9.3); `sessionEnded` follows. */
  end(session: SessionId, condition: StreamErrorCondition, text: string): void;
}

export interface LocalSessionsListener {
  /**
   * A client was authenticated as this peer's user and wants a resource bound. `wanted` is
   * prepared, or undefined when the client leaves it to us. The answer is the resource that it
   * gets, or the condition of the error.
   */
  sessionBinding(
    session: SessionId,
    wanted: string | undefined,
  ): string | 'conflict' | 'resource-constraint';
  /**
   * A stanza of a bound session, with its `from` set to the session's full JID. `handled` answers
   * it exactly once, in the order of arrival, if the session still lives then.
   */
  stanzaFromSession(session: SessionId, stanza: XmppElement): void;
  /**
   * The session is over: closed, timed out, or not resumed in time. `undelivered` was sent to it
   * and never acknowledged.
   */
  sessionEnded(session: SessionId, undelivered: readonly XmppElement[]): void;
}
