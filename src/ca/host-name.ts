import { domainToASCII, domainToUnicode } from 'node:url';

/** Whether `name` is a host name in the form of certificates: lower-case A-labels, no wildcard. */
export function isHostName(name: string): boolean {
  return (
    name.length <= HOST_NAME_LENGTH_MAX &&
    name.split('.').every((label) => HOST_LABEL.test(label)) &&
    domainToASCII(name) === name
  );
}

/** Whether `domain` is a domain as XMPP addresses have it: a host name in its Unicode form. */
export function isXmppDomain(domain: string): boolean {
  const ascii = domainToASCII(domain);
  // The way back: `domainToASCII` reads past what comes after a slash.
  return isHostName(ascii) && domainToUnicode(ascii) === domain;
}

const HOST_LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const HOST_NAME_LENGTH_MAX = 253;
