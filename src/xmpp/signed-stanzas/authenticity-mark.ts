import { element, withChildren, type XmppElement } from '../stanza/xmpp-element.ts';
import { formatTimestamp } from './signed-timestamp.ts';
import type { AuthenticStanza } from './verify-stanza.ts';

/**
 * Of the marks that this peer sets on what it hands to the user's clients. Nobody else may: they
 * are taken out of everything that arrives.
 */
export const MARK_NAMESPACE = 'urn:xmpp-over-reload:authenticity:0';

/** What was signed, as clients get it: with who signed it, when, by which certificate. */
export function withSignedMark({
  age,
  signer,
  stanza,
  timestampUnixMs,
}: AuthenticStanza): XmppElement {
  const mark = element('signed', MARK_NAMESPACE, {
    by: signer.xmppAddr,
    at: formatTimestamp(timestampUnixMs),
    certificate: signer.certificate.sha256,
    node: signer.nodeId,
    age,
  });
  return withChildren(withoutMarks(stanza), [mark]);
}

/** Without anything of the marks' namespace, at any depth. The same value where there is none. */
export function withoutMarks(given: XmppElement): XmppElement {
  if (!hasMark(given)) return given;
  const attributes = new Map([...given.attributes].filter(([key]) => !isMarkAttribute(key)));
  const children = given.children
    .filter((node) => typeof node === 'string' || node.namespace !== MARK_NAMESPACE)
    .map((node) => (typeof node === 'string' ? node : withoutMarks(node)));
  return { ...given, attributes, children };
}

function hasMark({ attributes, children }: XmppElement): boolean {
  for (const key of attributes.keys()) if (isMarkAttribute(key)) return true;
  return children.some(
    (node) => typeof node !== 'string' && (node.namespace === MARK_NAMESPACE || hasMark(node)),
  );
}

function isMarkAttribute(key: string): boolean {
  return key.startsWith(MARK_ATTRIBUTE);
}

const MARK_ATTRIBUTE = `{${MARK_NAMESPACE}}`;
