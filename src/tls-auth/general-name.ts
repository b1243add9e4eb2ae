import type { DistinguishedName } from './distinguished-name.ts';

/** An otherName that is no XmppAddr — RFC 5280 §4.2.1.6. */
export interface OtherName {
  readonly typeId: string;
  /** DER of what the explicit tag holds. */
  readonly value: Uint8Array;
}

/** The names of a subjectAltName, by form and in their order — RFC 5280 §4.2.1.6. */
export interface GeneralNames {
  readonly uris: readonly string[];
  readonly rfc822Names: readonly string[];
  readonly dnsNames: readonly string[];
  /** otherName id-on-xmppAddr — RFC 6120 §13.7.1.4. */
  readonly xmppAddrs: readonly string[];
  readonly directoryNames: readonly DistinguishedName[];
  /** 4 or 16 bytes each; in name constraints 8 or 32: address and mask. */
  readonly ipAddresses: readonly Uint8Array[];
  readonly registeredIds: readonly string[];
  readonly otherNames: readonly OtherName[];
  /** x400Address and ediPartyName are counted, not read. */
  readonly unreadCount: number;
}
