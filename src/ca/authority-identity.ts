import { isHostName, isXmppDomain } from './host-name.ts';
import type { SubjectAltName } from './subject-alt-name.ts';

/** Whom the certificate of an authority below another one is about. */
export interface AuthorityIdentity {
  readonly commonName: string;
  /** The one domain whose users it certifies (XEP-0416 §2), as A-labels; undefined: of any. */
  readonly domain: string | undefined;
  /** Of the XMPP server that takes requests for it — XEP-0417: node and resource are empty. */
  readonly xmppAddress: string | undefined;
}

/** The names of an authority's certificate. */
export function authorityNames(identity: AuthorityIdentity): SubjectAltName[] {
  const { domain, xmppAddress } = identity;
  return [
    ...(domain === undefined ? [] : [{ type: 'dnsName', value: domain } as const]),
    ...(xmppAddress === undefined ? [] : [{ type: 'xmppAddr', value: xmppAddress } as const]),
  ];
}

/** Half a sentence; undefined: an authority may be called so. */
export function faultOfAuthorityIdentity(identity: AuthorityIdentity): string | undefined {
  const { domain, xmppAddress } = identity;
  if (domain !== undefined && !isHostName(domain)) {
    return `the domain "${domain.slice(0, 80)}" is not a lower-case host name`;
  }
  if (xmppAddress !== undefined && !isXmppDomain(xmppAddress)) {
    return `the XMPP address "${xmppAddress.slice(0, 80)}" is not the domain of a server`;
  }
  return undefined;
}
