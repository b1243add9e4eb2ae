import { AddressFault } from '../../xmpp-address/address-fault.ts';
import { type Jid, parseJid } from '../../xmpp-address/jid.ts';
import { CLIENT_NAMESPACE } from '../stanza/stanza.ts';
import { STREAMS_NAMESPACE, type StreamErrorCondition } from '../stream/stream-error.ts';
import type { StreamOpened } from '../stream/stream-reader.ts';
import { FRAMING_NAMESPACE, type Framing } from '../stream/write-stream.ts';

/** What a client's stream header says, once it is found right. */
export interface ClientHeader {
  /** Who the client says it is; undefined: it leaves that to the login. */
  readonly from: Jid | undefined;
  /** The language of stanzas that do not name their own (RFC 6120 §4.7.4). */
  readonly language: string | undefined;
}

export interface HeaderFault {
  readonly condition: StreamErrorCondition;
  readonly text: string;
}

/** Checks a client's stream header (RFC 6120 §4.7, RFC 7395 §3.4) for the domain of its user. */
export function readClientHeader(
  opened: StreamOpened,
  framing: Framing,
  domain: string,
): ClientHeader | HeaderFault {
  const { attributes } = opened.header;
  const fault = namespaceFault(opened, framing) ?? versionFault(attributes.get('version'));
  if (fault !== undefined) return fault;
  const to = addressOf(attributes.get('to'));
  if (to?.text !== domain) {
    return { condition: 'host-unknown', text: `expected to='${domain}', which is served here` };
  }
  const from = addressOf(attributes.get('from'));
  if (from === undefined && attributes.has('from')) {
    return { condition: 'invalid-from', text: 'expected an XMPP address in from' };
  }
  return { from, language: attributes.get('xml:lang') };
}

export function isHeaderFault(read: ClientHeader | HeaderFault): read is HeaderFault {
  return 'condition' in read;
}

function namespaceFault(opened: StreamOpened, framing: Framing): HeaderFault | undefined {
  const { header, contentNamespace } = opened;
  const [name, namespace] =
    framing === 'tcp' ? ['stream', STREAMS_NAMESPACE] : ['open', FRAMING_NAMESPACE];
  if (header.namespace !== namespace) {
    const text = `expected the stream header to be of ${namespace}`;
    return { condition: 'invalid-namespace', text };
  }
  if (header.name !== name) {
    return { condition: 'bad-format', text: `expected the stream header to be <${name}/>` };
  }
  if (framing === 'tcp' && contentNamespace !== CLIENT_NAMESPACE) {
    const text = `expected the content namespace ${CLIENT_NAMESPACE}`;
    return { condition: 'invalid-namespace', text };
  }
  return undefined;
}

/** RFC 6120 §4.7.5: without a version it is 0.9; of a later version 1.0 is still understood. */
function versionFault(version: string | undefined): HeaderFault | undefined {
  if (version !== undefined && /^0*[1-9]\d{0,3}\.\d{1,4}$/.test(version)) return undefined;
  return { condition: 'unsupported-version', text: 'expected version 1.0' };
}

function addressOf(text: string | undefined): Jid | undefined {
  if (text === undefined) return undefined;
  const jid = parseJid(text);
  return jid instanceof AddressFault ? undefined : jid;
}
