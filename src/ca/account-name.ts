import type { CertificateProfile } from '../tls-auth/trust-settings.ts';
import { isAscii } from '../tls-auth/xmpp-address.ts';
import { AddressFault } from '../xmpp-address/address-fault.ts';
import { type Jid, parseJid } from '../xmpp-address/jid.ts';

declare const prepared: unique symbol;

/** A bare JID in the one form that certificates of this authority carry. */
export type AccountName = string & { readonly [prepared]: true };

/** Why a text is no account name; `reason` is a sentence for the operator. */
export interface AccountNameRefusal {
  readonly reason: string;
}

/**
 * The account name that `text` is, for an overlay of the given profile. It is prepared with PRECIS
 * (RFC 7622) and nothing is converted: a JID that is not in its prepared form already is refused,
 * so that two spellings never become one account and whoever compares octets (RFC 6940 §11.3)
 * finds what was certified.
 *
 * The rules are narrower than RFC 7622's:
 * - `localpart@domainpart`, no resource, and no IPv6 address as the domain;
 * - ASCII localparts have lower-case letters, digits and ``.!#$%*+=?^_`{|}~-``, dots only between
 *   others: what is a JID and an e-mail address (rfc822Name) at once;
 * - the profile rfc6940 names users by rfc822Name alone, which is ASCII.
 */
export function prepareAccountName(
  text: string,
  profile: CertificateProfile,
): AccountName | AccountNameRefusal {
  const jid = parseJid(text);
  const reason = jid instanceof AddressFault ? jid.describe() : faultOfAccount(jid, text, profile);
  if (reason === undefined) return text as AccountName;
  const shown = JSON.stringify(text.slice(0, SHOWN_LENGTH_MAX));
  return { reason: `${shown} cannot be an account: ${reason}` };
}

function faultOfAccount(jid: Jid, text: string, profile: CertificateProfile): string | undefined {
  const { localpart, domainpart, resourcepart, bare } = jid;
  if (localpart === undefined) return 'it needs the form localpart@domain';
  if (resourcepart !== undefined) return `it has a resource; write "${bare}"`;
  if (domainpart.startsWith('[')) return 'the domain is an IPv6 address; write a host name';
  if (isAscii(localpart) && !MAILBOX.test(localpart)) {
    return 'an ASCII localpart must be that of an e-mail address too (a dot-atom of RFC 5322)';
  }
  if (profile === 'rfc6940' && !isAscii(bare)) return 'the profile rfc6940 takes ASCII names only';
  return bare === text ? undefined : `it is not in its prepared form; write "${bare}"`;
}

const SHOWN_LENGTH_MAX = 80;
/** A dot-atom of RFC 5322 §3.2.3 without the characters that RFC 7622 §3.3.1 excludes. */
const MAILBOX = /^[a-z0-9!#$%*+=?^_`{|}~-]+(?:\.[a-z0-9!#$%*+=?^_`{|}~-]+)*$/;
