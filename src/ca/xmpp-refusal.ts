import type { EnrollmentToken } from './enrollment-decision.ts';

/** Stanza errors (RFC 6120 §8.3.3) by which an authority refuses over XMPP. */
export type XmppRefusalCondition =
  | 'bad-request'
  | 'conflict'
  | 'forbidden'
  | 'internal-server-error'
  | 'item-not-found'
  | 'jid-malformed'
  | 'not-acceptable'
  | 'not-allowed'
  | 'registration-required'
  | 'resource-constraint'
  | 'service-unavailable';

/** Why a request over XMPP gets nothing. */
export interface XmppRefusal {
  readonly condition: XmppRefusalCondition;
  /** A sentence that says what to do. */
  readonly text: string;
  /** The error then has `<x509-challenge-failed/>` (XEP-0417 §6.4). */
  readonly isChallengeFailed?: boolean;
}

/** What an account's or device's refusal over HTTPS (RFC 6940 §11.3) is called over XMPP. */
export function refusalOfToken(token: EnrollmentToken, detail: string): XmppRefusal {
  switch (token) {
    case 'bad_CSR':
      // What is wrong with a request by itself was found before: what is left is its key.
      return { condition: 'conflict', text: `The request is refused: ${detail}.` };
    case 'Node-IDs_not_available':
      return { condition: 'resource-constraint', text: `There is no certificate: ${detail}.` };
    case 'username_not_available':
      return { condition: 'not-allowed', text: `There is no certificate for you: ${detail}.` };
    case 'failed_authentication':
      return { condition: 'forbidden', text: `The request is refused: ${detail}.` };
  }
}

/** Come back later. */
export function laterRefusal(whose: string, seconds: number): XmppRefusal {
  const text = `There were too many requests of ${whose}; try again in ${seconds} s.`;
  return { condition: 'resource-constraint', text };
}
