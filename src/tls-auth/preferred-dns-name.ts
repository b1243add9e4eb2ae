/**
 * Whether a dNSName is in the preferred name syntax that RFC 5280 §4.2.1.6 wants: labels of
 * letters, digits and inner hyphens (RFC 1034 §3.5, RFC 1123 §2.1), in any case. A dotted-decimal
 * address is no name: the last label of a name has a letter. A `*` as the whole first label of
 * several is let pass, since RFC 5280 leaves to others what it means (RFC 6125 §6.4.3).
 */
export function isPreferredDnsName(text: string): boolean {
  if (text.length > NAME_LENGTH_MAX) return false;
  const labels = text.replace(/^\*\./, '').split('.');
  return labels.every((label) => LABEL.test(label)) && !/^\d+$/.test(labels.at(-1) ?? '');
}

const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i;
/** Characters: 255 octets on the wire, of which the first length and the root's take two. */
const NAME_LENGTH_MAX = 253;
