import { AddressFault } from '../../xmpp-address/address-fault.ts';
import { type Jid, parseJid } from '../../xmpp-address/jid.ts';
import { quoted } from '../account/server-failure.ts';
import { readStanzaError } from '../account/server-requests.ts';
import { childElement, type XmppElement } from '../stanza/xmpp-element.ts';
import { X509_NAMESPACE } from '../x509/x509-element.ts';
import type { ExchangeFailure } from './exchange-refusal.ts';
import type { ResponseFault } from './issued-certificate.ts';

/**
 * What an error stanza means for a request to `authority` (XEP-0417 §6.4). Only the type `wait` is
 * temporary (RFC 6120 §8.3.2); `gone` and `redirect` never are, and their URIs are not looked at.
 */
export function failureOfError(stanza: XmppElement, authority: Jid): ExchangeFailure {
  const { errorType, condition, text } = readStanzaError(stanza);
  const error = childElement(stanza, 'error');
  const said = text === undefined ? '' : `: "${quoted(text)}"`;
  if (error !== undefined && childElement(error, 'x509-challenge-failed', X509_NAMESPACE)) {
    const reason =
      `the authority ${authority.text} says that its challenge was not solved${said}; ` +
      'ask its operator, or name another authority: the request is kept';
    return { code: 'challenge-failed', isTemporary: false, reason };
  }
  const by = parseJid(error?.attributes.get('by') ?? '');
  const isOfAuthority = !(by instanceof AddressFault) && by.text === authority.text;
  const who = isOfAuthority ? 'the authority' : 'a server on the way to';
  const isMoved = condition === 'gone' || condition === 'redirect';
  const isTemporary = errorType === 'wait' && !isMoved;
  const next = isTemporary
    ? 'try again later: the request is kept'
    : 'the same authority will say no again; ask its operator, or name another one';
  return {
    code: 'error-answer',
    isTemporary,
    reason: `${who} ${authority.text} answers ${quoted(condition)}${said}; ${next}`,
  };
}

/**
 * "If either of the checks fails, a client MUST behave as if it received an error response with a
 * permanent condition" (XEP-0417 §6.3).
 */
export function failureOfResponse(fault: ResponseFault, authority: string): ExchangeFailure {
  const reason =
    `the certificate that came in the name of ${authority} does not do: ${quoted(fault.detail)}; ` +
    'nothing is stored; tell the operator of the authority';
  return { code: fault.code, isTemporary: false, reason };
}
