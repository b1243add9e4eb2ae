import type { Certificate } from '../../tls-auth/certificate.ts';
import { childElements, type XmppElement } from '../stanza/xmpp-element.ts';
import { challengeKeyOf } from '../x509/challenge-key.ts';
import { challengeInput, octetsOf, X509_NAMESPACE } from '../x509/x509-element.ts';
import { CHALLENGE_URI_LENGTH_MAX } from './enrollment-limits.ts';
import type { ExchangeRefusal } from './exchange-refusal.ts';
import { isSignedBy } from './xmpp-signature.ts';

/** A page that the authority itself wants the user to open. */
export interface Challenge {
  /** https, printable ASCII. */
  readonly uri: string;
}

/**
 * A challenge that is in order (XEP-0417 §6.2): for this transaction, signed by the authority, to a
 * page over HTTPS, and for the own key where it says for which. The sender is checked by the
 * caller.
 */
export function readChallenge(
  challenge: XmppElement,
  transaction: string,
  authority: Certificate,
  keySha256: string,
): Challenge | ExchangeRefusal {
  const uri = challenge.attributes.get('uri');
  const named = challenge.attributes.get('transaction');
  const signature = signatureIn(challenge);
  if (uri === undefined || named === undefined || signature === undefined) {
    const reason =
      'a challenge came without its transaction, its page or its one signature; it is passed over';
    return { code: 'malformed', reason };
  }
  if (named !== transaction) {
    const reason = 'a challenge came for a transaction that is not under way; it is passed over';
    return { code: 'wrong-transaction', reason };
  }
  if (!isSignedBy(authority, challengeInput(transaction, uri), signature)) {
    const reason =
      'a challenge came that the authority did not sign: somebody on the way has made or changed ' +
      'it; do not open what it names';
    return { code: 'challenge-signature', reason };
  }
  if (!isHttpsPage(uri)) return { code: 'challenge-uri', reason: NO_HTTPS_PAGE };
  const isOfOwnKey = (challengeKeyOf(uri) ?? keySha256) === keySha256;
  return isOfOwnKey ? { uri } : { code: 'challenge-key', reason: ANOTHER_KEY };
}

function signatureIn(challenge: XmppElement): Uint8Array | undefined {
  const [signature, ...others] = childElements(challenge).filter(
    ({ name, namespace }) => name === 'x509-signature' && namespace === X509_NAMESPACE,
  );
  return signature === undefined || others.length > 0 ? undefined : octetsOf(signature);
}

/** Nothing but a URL that a browser opens as it stands, and a terminal shows as it stands. */
function isHttpsPage(uri: string): boolean {
  if (uri.length > CHALLENGE_URI_LENGTH_MAX || !/^https:\/\/(?![/\\])[!-~]+$/.test(uri))
    return false;
  if (!URL.canParse(uri)) return false;
  const { hostname, username, password } = new URL(uri);
  return hostname !== '' && username === '' && password === '';
}

const ANOTHER_KEY =
  'the authority asks about the key of somebody else: a server on the way has put another ' +
  'request in the place of yours; do not open what it names, and ask another way';
const NO_HTTPS_PAGE =
  'the authority wants a page opened that is no HTTPS page, which XEP-0417 forbids; tell its ' +
  'operator';
