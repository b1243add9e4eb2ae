import { AddressFault } from '../../xmpp-address/address-fault.ts';
import { parseJid } from '../../xmpp-address/jid.ts';
import { CLIENT_NAMESPACE } from '../stanza/stanza.ts';
import { childElement, childElements, textOf, type XmppElement } from '../stanza/xmpp-element.ts';
import {
  STREAM_ERROR_NAMESPACE,
  STREAMS_NAMESPACE,
  type StreamErrorCondition,
} from '../stream/stream-error.ts';
import type { StreamOpened } from '../stream/stream-reader.ts';
import { quoted, type ServerFailure } from './server-failure.ts';

/** Why a server's header begins no stream of this domain (RFC 6120 §4.7). */
export function whatIsWrongWithServer(
  { header, contentNamespace }: StreamOpened,
  domain: string,
): { readonly condition: StreamErrorCondition; readonly text: string } | undefined {
  const isStream = header.name === 'stream' && header.namespace === STREAMS_NAMESPACE;
  if (!isStream || contentNamespace !== CLIENT_NAMESPACE) {
    const text = 'expected the header of a stream of jabber:client';
    return { condition: 'invalid-namespace', text };
  }
  if (!/^0*[1-9]\d{0,3}\.\d{1,4}$/.test(header.attributes.get('version') ?? '')) {
    return { condition: 'unsupported-version', text: 'expected version 1.0' };
  }
  const from = header.attributes.get('from');
  if (from === undefined || preparedAddress(from) === domain) return undefined;
  return { condition: 'invalid-from', text: `expected a stream from ${domain}` };
}

/** What a server's `<stream:error/>` says (RFC 6120 §4.9.2). */
export function streamFailure(error: XmppElement, domain: string): ServerFailure {
  const parts = childElements(error).filter((child) => child.namespace === STREAM_ERROR_NAMESPACE);
  const condition = quoted(
    parts.find(({ name }) => name !== 'text')?.name ?? 'undefined-condition',
  );
  const text = childElement(error, 'text', STREAM_ERROR_NAMESPACE);
  const said = text === undefined ? '' : ` ("${quoted(textOf(text))}")`;
  const reason = `${domain} has ended the stream: ${condition}${said}`;
  return { code: 'stream-error', condition, reason };
}

function preparedAddress(text: string): string | undefined {
  const jid = parseJid(text);
  return jid instanceof AddressFault ? undefined : jid.text;
}
