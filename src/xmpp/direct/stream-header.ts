import { escapeXml } from '../../xml/write-xml.ts';
import type { BareJid } from '../../xmpp-address/jid.ts';
import { CLIENT_NAMESPACE } from '../stanza/stanza.ts';
import { STREAMS_NAMESPACE, type StreamErrorCondition } from '../stream/stream-error.ts';
import type { StreamOpened } from '../stream/stream-reader.ts';

/** The header that begins this end's half of a direct stream: RFC 6120 §4.7, with bare JIDs. */
export function streamHeader(names: {
  readonly from: BareJid;
  readonly to: BareJid;
  /** Of the end that takes the stream. */
  readonly id: string | undefined;
}): string {
  const id = names.id === undefined ? '' : ` id="${escapeXml(names.id)}"`;
  return (
    `<?xml version="1.0"?><stream:stream xmlns="${CLIENT_NAMESPACE}" ` +
    `xmlns:stream="${STREAMS_NAMESPACE}" from="${escapeXml(names.from)}" ` +
    `to="${escapeXml(names.to)}"${id} version="1.0">`
  );
}

/** Why a header begins no direct stream: both ends are who their certificates say. */
export function whatIsWrongWithHeader(
  { header, contentNamespace }: StreamOpened,
  expected: { readonly from: BareJid; readonly to: BareJid },
): { readonly condition: StreamErrorCondition; readonly text: string } | undefined {
  const { attributes } = header;
  if (header.name !== 'stream' || header.namespace !== STREAMS_NAMESPACE) {
    return { condition: 'invalid-namespace', text: `expected <stream/> of ${STREAMS_NAMESPACE}` };
  }
  if (contentNamespace !== CLIENT_NAMESPACE) {
    return { condition: 'invalid-namespace', text: `expected stanzas of ${CLIENT_NAMESPACE}` };
  }
  if (attributes.get('version') !== '1.0') {
    return { condition: 'unsupported-version', text: 'expected version 1.0' };
  }
  if (attributes.get('from') !== expected.from) {
    const text = `expected from ${expected.from}, whom the certificate names`;
    return { condition: 'invalid-from', text };
  }
  if (attributes.get('to') !== expected.to) {
    return { condition: 'host-unknown', text: `expected to ${expected.to}` };
  }
  return undefined;
}
