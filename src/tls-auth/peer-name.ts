import type { Certificate } from './certificate.ts';
import { CertificateRefusal } from './certificate-refusal.ts';
import { domainKey, isAscii } from './xmpp-address.ts';

/** Whom a certificate must name; an IP address as 4 or 16 bytes. */
export type PeerName =
  | { readonly kind: 'dns' | 'email'; readonly value: string }
  | { readonly kind: 'ip'; readonly value: Uint8Array };

/**
 * Whether the subjectAltName names the peer — RFC 6125 §6.4; the subject's CN is never looked at.
 * A wildcard is the whole left-most label and stands for exactly one label. Undefined when it does.
 */
export function peerNameRefusal(
  certificate: Certificate,
  peerName: PeerName,
): CertificateRefusal | undefined {
  const names = certificate.extensions.subjectAltName;
  const isNamed =
    names !== undefined &&
    (peerName.kind === 'ip'
      ? names.ipAddresses.some((octets) => Buffer.compare(octets, peerName.value) === 0)
      : peerName.kind === 'dns'
        ? names.dnsNames.some((name) => matchesDnsName(name, peerName.value))
        : names.rfc822Names.some((name) => mailboxKey(name) === mailboxKey(peerName.value)));
  if (isNamed) return undefined;
  const shown = peerName.kind === 'ip' ? peerName.value.join('.') : peerName.value;
  const detail = `subjectAltName does not name ${peerName.kind} ${shown}`;
  return new CertificateRefusal('peer-name', certificate.describe(), 'RFC 6125 §6.4', detail);
}

function matchesDnsName(presented: string, wanted: string): boolean {
  const pattern = presented.toLowerCase();
  // RFC 6125 §6.4.2: U-labels are compared as A-labels.
  const name = (isAscii(wanted) ? wanted.toLowerCase() : domainKey(wanted)).replace(/\.$/, '');
  if (!pattern.startsWith('*.')) return pattern === name;
  const suffix = pattern.slice(1);
  const label = name.slice(0, -suffix.length);
  const isOneLabel = label !== '' && !label.includes('.');
  return isOneLabel && name.endsWith(suffix) && !suffix.includes('*') && suffix.length > 1;
}

/** The local part as it stands, the host in lower case. */
function mailboxKey(mailbox: string): string {
  const at = mailbox.lastIndexOf('@');
  return mailbox.slice(0, at + 1) + mailbox.slice(at + 1).toLowerCase();
}
