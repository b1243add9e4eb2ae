import type { XmppElement } from '../stanza/xmpp-element.ts';
import { ElementParser, StreamFault } from './element-parser.ts';
import type { StreamLimits } from './stream-limits.ts';
import type { ElementRead, StreamFaulted } from './stream-reader.ts';
import { Utf8Text } from './utf8-text.ts';

/**
 * The one element of a WebSocket message, which is a whole XML document (RFC 7395 §3.3), or why it
 * is none. The limits are those of a stream; the element is at depth 1.
 */
export function readFramed(bytes: Uint8Array, limits: StreamLimits): ElementRead | StreamFaulted {
  try {
    return { type: 'element', element: elementOf(bytes, limits), bytes: bytes.length };
  } catch (error) {
    if (!(error instanceof StreamFault)) throw error;
    return { type: 'fault', condition: error.condition, text: error.message };
  }
}

function elementOf(bytes: Uint8Array, limits: StreamLimits): XmppElement {
  if (bytes.length > limits.stanzaBytesMax) {
    const text = `expected at most ${limits.stanzaBytesMax} bytes, got ${bytes.length}`;
    throw new StreamFault('policy-violation', text);
  }
  const utf8 = new Utf8Text();
  const text = utf8.push(bytes);
  if (utf8.isBroken || utf8.isUnfinished) {
    throw new StreamFault('unsupported-encoding', 'expected UTF-8, got other bytes');
  }
  if (!text.startsWith('<')) {
    throw new StreamFault('bad-format', 'expected "<" as the first character of a message');
  }
  const read: XmppElement[] = [];
  const parser = new ElementParser(limits, 'document', {
    rootClosed: (root) => read.push(root),
  });
  parser.write(text, bytes.length);
  parser.end();
  const [element] = read;
  if (element === undefined) throw new Error('a document without fault has a root element');
  return element;
}
