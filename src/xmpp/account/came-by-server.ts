import {
  element,
  isElement,
  withChildren,
  withoutChildren,
  type XmppElement,
} from '../stanza/xmpp-element.ts';

/**
 * `<came-by-server server='…'/>` in a message: unless the mark of a signature stands beside it, no
 * certificate stands for its `from`, only the word of this server. It is put on by the peer alone.
 */
export const CAME_BY_SERVER = 'came-by-server';
export const SERVER_PATH_NAMESPACE = 'urn:xmpp-over-reload:server-path:0';

/** With the mark for this server, as the only one. */
export function markedByServer(message: XmppElement, server: string): XmppElement {
  const others = withoutChildren(message, isMark);
  return withChildren(others, [element(CAME_BY_SERVER, SERVER_PATH_NAMESPACE, { server })]);
}

function isMark(child: XmppElement): boolean {
  return isElement(child, CAME_BY_SERVER, SERVER_PATH_NAMESPACE);
}
