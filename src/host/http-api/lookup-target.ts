import { parseNodeId } from '../../tls-auth/node-identity.ts';
import type { NodeId } from '../../wire/node-id.ts';
import { AddressFault } from '../../xmpp-address/address-fault.ts';
import { parseJid } from '../../xmpp-address/jid.ts';

/** A text of an operator that cannot be read: one sentence. */
export interface UnreadableText {
  readonly fault: string;
}

/** Whose certificates are asked for: a node's, or a user's by XMPP address. */
export function readLookupTarget(
  text: string,
): { readonly nodeId: NodeId } | { readonly userName: string } | UnreadableText {
  if (text.includes('@')) return readUserName(text);
  const nodeId = readNodeIdText(text);
  return typeof nodeId === 'string' ? { nodeId } : nodeId;
}

/**
 * A Node-ID in any of its three forms: that of RELOAD URIs (RFC 6940 §14.15, a Destination in hex:
 * 0110 and 32 digits), 32 bare hex digits, or a decimal number. 32 digits without a letter could
 * be either of the last two.
 */
export function readNodeIdText(text: string): NodeId | UnreadableText {
  if (/^[0-9]{32}$/.test(text)) {
    return { fault: `"${text}" can be hex or decimal; write 0110${text} if it is hex` };
  }
  return parseNodeId(text) ?? { fault: `"${text.slice(0, SHOWN_MAX)}" is no Node-ID` };
}

/** A bare XMPP address as certificates have it: whoever asks prepares it (RFC 7622). */
function readUserName(text: string): { readonly userName: string } | UnreadableText {
  const jid = parseJid(text);
  const shown = `"${text.slice(0, SHOWN_MAX)}" is no bare XMPP address (local@domain)`;
  if (jid instanceof AddressFault) return { fault: `${shown}: ${jid.describe()}` };
  const isBare = jid.localpart !== undefined && jid.resourcepart === undefined;
  return isBare ? { userName: jid.bare } : { fault: shown };
}

const SHOWN_MAX = 80;
