import { element, type XmppElement } from '../stanza/xmpp-element.ts';

/** Of `<stream:stream>`, `<stream:features>` and `<stream:error>` (RFC 6120 §4.8.1). */
export const STREAMS_NAMESPACE = 'http://etherx.jabber.org/streams';
/** Of the conditions in `<stream:error>` (RFC 6120 §4.9.2). */
export const STREAM_ERROR_NAMESPACE = 'urn:ietf:params:xml:ns:xmpp-streams';

/** RFC 6120 §4.9.3: those that this program sends. */
export type StreamErrorCondition =
  | 'bad-format'
  | 'conflict'
  | 'connection-timeout'
  | 'host-unknown'
  | 'improper-addressing'
  | 'internal-server-error'
  | 'invalid-from'
  | 'invalid-namespace'
  | 'invalid-xml'
  | 'not-authorized'
  | 'not-well-formed'
  | 'policy-violation'
  | 'reset'
  | 'resource-constraint'
  | 'restricted-xml'
  | 'system-shutdown'
  | 'undefined-condition'
  | 'unsupported-encoding'
  | 'unsupported-feature'
  | 'unsupported-stanza-type'
  | 'unsupported-version';

/**
 * `<stream:error>`: the condition and a sentence for people (RFC 6120 §4.9.2). It goes behind an
 * opened stream and in front of its end, and is never answered.
 */
export function streamError(
  condition: StreamErrorCondition,
  text: string,
  applicationCondition: readonly XmppElement[] = [],
): XmppElement {
  return element('error', STREAMS_NAMESPACE, {}, [
    element(condition, STREAM_ERROR_NAMESPACE),
    element('text', STREAM_ERROR_NAMESPACE, { 'xml:lang': 'en' }, [text]),
    ...applicationCondition,
  ]);
}
