import { domainToASCII, domainToUnicode } from 'node:url';
import type { CertificateProfile } from '../tls-auth/trust-settings.ts';
import { isAscii } from '../tls-auth/xmpp-address.ts';

declare const prepared: unique symbol;

/** A bare JID in the one form that certificates of this authority carry. */
export type AccountName = string & { readonly [prepared]: true };

/** Why a text is no account name; `reason` is a sentence for the operator. */
export interface AccountNameRefusal {
  readonly reason: string;
}

/**
 * The account name that `text` is, for an overlay of the given profile. Nothing is converted: a
 * JID that is not in its prepared form already is refused, so that two spellings never become one
 * account and whoever compares octets (RFC 6940 §11.3) finds what was certified.
 *
 * The rules are narrower than RFC 7622's:
 * - `localpart@domainpart`, no resource, at most 1,023 bytes each;
 * - ASCII localparts have lower-case letters, digits and ``.!#$%*+=?^_`{|}~-``, dots only between
 *   others: what is a JID and an e-mail address (rfc822Name) at once;
 * - other characters are letters, marks and digits, lower-case and unchanged by NFKC;
 * - domains are lower-case host names, or their Unicode form as IDNA gives it back;
 * - right-to-left scripts are refused, because their order rule (RFC 5893) is not checked here;
 * - the profile rfc6940 names users by rfc822Name alone, which is ASCII.
 */
export function prepareAccountName(
  text: string,
  profile: CertificateProfile,
): AccountName | AccountNameRefusal {
  const at = text.indexOf('@');
  if (at === -1) return refuse(text, 'it needs the form localpart@domain');
  const reason =
    faultOfPart(text.slice(0, at), 'the localpart', LOCALPART) ??
    faultOfPart(text.slice(at + 1), 'the domain', DOMAIN) ??
    faultOfLocalpart(text.slice(0, at)) ??
    faultOfDomain(text.slice(at + 1)) ??
    (profile === 'rfc6940' && !isAscii(text)
      ? 'the profile rfc6940 takes ASCII names only'
      : undefined);
  return reason === undefined ? (text as AccountName) : refuse(text, reason);
}

function faultOfPart(part: string, which: string, allowed: RegExp): string | undefined {
  if (part === '') return `${which} is empty`;
  if (Buffer.byteLength(part) > PART_BYTES_MAX) return `${which} exceeds ${PART_BYTES_MAX} bytes`;
  const culprit = [...part].find((character) => !allowed.test(character));
  if (culprit !== undefined) {
    return `${which} has the character ${JSON.stringify(culprit)}, which is not allowed there`;
  }
  if (part.normalize('NFKC') !== part || part.toLowerCase() !== part) {
    return `${which} is not in its prepared form; write "${part.normalize('NFKC').toLowerCase()}"`;
  }
  return RIGHT_TO_LEFT.test(part) ? `${which} has a right-to-left script` : undefined;
}

function faultOfLocalpart(part: string): string | undefined {
  return /^\.|\.\.|\.$/.test(part) ? 'dots stand only between other characters' : undefined;
}

function faultOfDomain(domain: string): string | undefined {
  const ascii = domainToASCII(domain);
  const isHostName =
    ascii.length > 0 &&
    ascii.length <= HOST_NAME_LENGTH_MAX &&
    ascii.split('.').every((label) => HOST_LABEL.test(label));
  if (!isHostName) return 'the domain is not a host name';
  const unicode = domainToUnicode(ascii);
  return unicode === domain ? undefined : `the domain is not in its prepared form "${unicode}"`;
}

function refuse(text: string, reason: string): AccountNameRefusal {
  return { reason: `"${text.slice(0, SHOWN_LENGTH_MAX)}" cannot be an account: ${reason}` };
}

/** Bytes of a localpart or domainpart — RFC 7622 §3.2, §3.3. */
const PART_BYTES_MAX = 1_023;
const HOST_NAME_LENGTH_MAX = 253;
const SHOWN_LENGTH_MAX = 80;
const LOCALPART = /^[a-z0-9.!#$%*+=?^_`{|}~\-\p{L}\p{M}\p{Nd}]$/u;
const DOMAIN = /^[a-z0-9.\-\p{L}\p{M}\p{Nd}]$/u;
const HOST_LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** The blocks that Unicode sets aside for right-to-left scripts. */
const RIGHT_TO_LEFT =
  /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;
