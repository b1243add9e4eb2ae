import { escapeXml } from '../../xml/write-xml.ts';
import { CLIENT_NAMESPACE } from '../stanza/stanza.ts';
import { element, writeElement, type XmppElement } from '../stanza/xmpp-element.ts';
import { STREAMS_NAMESPACE } from './stream-error.ts';

/** How a stream is put on its transport: RFC 6120 §4 over TCP, RFC 7395 over WebSocket. */
export type Framing = 'tcp' | 'websocket';

/** The attributes of a stream header (RFC 6120 §4.7). */
export interface StreamHeaderValues {
  /** A client leaves it out before TLS (RFC 6120 §4.7.1). */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly id?: string | undefined;
  readonly language?: string | undefined;
}

/** `<stream:stream …>` behind an XML declaration, or `<open/>`. */
export function writeStreamHeader(framing: Framing, values: StreamHeaderValues): string {
  const { from, to, id, language } = values;
  const attributes = { from, to, id, 'xml:lang': language, version: '1.0' };
  if (framing === 'websocket') return writeElement(element('open', FRAMING_NAMESPACE, attributes));
  const written = Object.entries(attributes)
    .map(([name, value]) => (value === undefined ? '' : ` ${name}="${escapeXml(value)}"`))
    .join('');
  return (
    `<?xml version="1.0"?><stream:stream xmlns="${CLIENT_NAMESPACE}" ` +
    `xmlns:stream="${STREAMS_NAMESPACE}"${written}>`
  );
}

/** `</stream:stream>` or `<close/>`. */
export function writeStreamEnd(framing: Framing): string {
  return framing === 'tcp' ? '</stream:stream>' : writeElement(element('close', FRAMING_NAMESPACE));
}

/**
 * A first-level element. Those of the stream itself get the prefix `stream`, as RFC 6120 §4.8.5
 * wants it; over WebSocket each message declares what it uses (RFC 7395 §3.3.3).
 */
export function writeFirstLevel(framing: Framing, given: XmppElement): string {
  const outer = framing === 'tcp' ? CLIENT_NAMESPACE : undefined;
  if (given.namespace !== STREAMS_NAMESPACE) return writeElement(given, outer);
  const declared = framing === 'tcp' ? '' : ` xmlns:stream="${STREAMS_NAMESPACE}"`;
  const inside = given.children
    .map((node) => (typeof node === 'string' ? escapeXml(node) : writeElement(node, outer)))
    .join('');
  return `<stream:${given.name}${declared}>${inside}</stream:${given.name}>`;
}

/** Of `<open/>` and `<close/>` (RFC 7395 §3.3.2). */
export const FRAMING_NAMESPACE = 'urn:ietf:params:xml:ns:xmpp-framing';
