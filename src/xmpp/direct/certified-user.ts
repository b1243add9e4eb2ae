import type { AuthenticatedNode } from '../../tls-auth/authenticated-node.ts';
import { AddressFault } from '../../xmpp-address/address-fault.ts';
import { type BareJid, parseJid } from '../../xmpp-address/jid.ts';

/** The XmppAddr of a certificate where it is a prepared bare JID; only such can have streams. */
export function certifiedUser({ xmppAddr }: AuthenticatedNode): BareJid | undefined {
  if (xmppAddr === undefined) return undefined;
  const jid = parseJid(xmppAddr);
  return jid instanceof AddressFault || jid.bare !== xmppAddr ? undefined : jid.bare;
}
