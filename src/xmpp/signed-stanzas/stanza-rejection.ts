import { mayBeAnsweredByError, type StanzaErrorCondition, stanzaError } from '../stanza/stanza.ts';
import { element, type XmppElement } from '../stanza/xmpp-element.ts';
import { SIGNED_NAMESPACE } from './signed-limits.ts';
import type { StanzaRefusal, StanzaRefusalCode } from './stanza-refusal.ts';

/**
 * The error that tells a sender why its stanza was not taken (XEP-0285 §4), where RFC 6120 §8.3.1
 * allows one. None for what came twice: the first one was taken, and its sender must not be told
 * otherwise by whoever plays it again.
 */
export function stanzaRejection(
  outer: XmppElement,
  { code, detail }: StanzaRefusal,
): XmppElement | undefined {
  if (code === 'replayed' || !mayBeAnsweredByError(outer)) return undefined;
  const [condition, application] = conditionsOf(code);
  const further = application === undefined ? [] : [element(application, SIGNED_NAMESPACE)];
  return stanzaError(outer, condition, `${code}: ${detail}`, further);
}

function conditionsOf(code: StanzaRefusalCode): [StanzaErrorCondition, string | undefined] {
  switch (code) {
    case 'unsigned':
      return ['policy-violation', undefined];
    case 'too-busy':
    case 'replay-guard-full':
      return ['resource-constraint', undefined];
    case 'future-timestamp':
    case 'old-timestamp':
    case 'delay-disagrees':
    case 'withheld':
    case 'too-old':
    case 'before-replay-guard':
    case 'out-of-order':
      return ['not-acceptable', 'bad-timestamp'];
    default:
      return ['bad-request', 'bad-signature'];
  }
}
