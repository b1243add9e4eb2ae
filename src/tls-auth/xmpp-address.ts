import { domainToASCII } from 'node:url';

/**
 * What keeps `text` from being the bare JID of a user — RFC 7622 §3: `localpart@domainpart`, no
 * resource. It is not prepared here: the authority did that, others compare bytes.
 */
export function bareJidFault(text: string): string | undefined {
  const at = text.indexOf('@');
  if (at < 1) return 'a localpart and a domain are needed';
  const localpart = text.slice(0, at);
  const domain = text.slice(at + 1);
  if (domain === '') return 'the domain is missing';
  if (domain.includes('/')) return 'a resource is not allowed';
  if (/["&'/:<>\s\p{Cc}]/u.test(localpart)) return 'the localpart has a forbidden character';
  if (/[\s\p{Cc}]/u.test(domain) || !isDomainLike(domain)) {
    return 'the domain has a forbidden character';
  }
  const lengths = [Buffer.byteLength(localpart), Buffer.byteLength(domain)];
  if (Math.max(...lengths) > jidPartLengthMax) return `a part has over ${jidPartLengthMax} bytes`;
  return undefined;
}

/** The domain of a bare JID. */
export function jidDomain(jid: string): string {
  return jid.slice(jid.indexOf('@') + 1);
}

/** Two domains are the same when these are: A-labels, lower-case. */
export function domainKey(domain: string): string {
  // What is longer is no domain of anybody, and costs much to convert. And Node reads a domain as a
  // part of a URL: what stands behind "#" or "?" would be overlooked, "%63" would be a "c".
  const isConverted = domain.length <= jidPartLengthMax && isDomainLike(domain);
  const ascii = isConverted ? domainToASCII(domain) : '';
  // Empty means that it is no domain name, for instance an address in brackets.
  return (ascii === '' ? domain : ascii).toLowerCase();
}

/** No ASCII characters but those of host names and IPv6 literals — RFC 7622 §3.2. */
function isDomainLike(domain: string): boolean {
  const isLiteral = /^\[[0-9a-f:.]+\]$/i.test(domain);
  return isLiteral || !/[!-,/:-@[-^`{-~]/.test(domain);
}

export function isAscii(text: string): boolean {
  return !/[^\p{ASCII}]/u.test(text);
}

/** Bytes of UTF-8 — RFC 7622 §3.2 and §3.3. */
const jidPartLengthMax = 1023;
