import type { BareJid } from '../../xmpp-address/jid.ts';
import { CLIENT_NAMESPACE } from '../stanza/stanza.ts';
import { STREAMS_NAMESPACE, type StreamErrorCondition } from '../stream/stream-error.ts';
import type { StreamOpened } from '../stream/stream-reader.ts';

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
