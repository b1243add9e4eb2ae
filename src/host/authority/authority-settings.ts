import { isIP } from 'node:net';
import { faultOfAuthorityIdentity } from '../../ca/authority-identity.ts';
import { isHostName } from '../../ca/host-name.ts';
import type { CertificateProfile } from '../../tls-auth/trust-settings.ts';

/** Key types that an authority signs with; WebCrypto, which signs its certificates, has these. */
export const AUTHORITY_KEY_TYPES = ['p256', 'p384', 'rsa'] as const;
export type AuthorityKeyType = (typeof AUTHORITY_KEY_TYPES)[number];

export const CERTIFICATE_PROFILES = ['xep-0416', 'rfc6940'] as const;

/** What `xor ca init` decides once and for all; the file `settings.json` of the state. */
export interface AuthoritySettings {
  /** The overlay's name: instance-name of its configuration. */
  readonly overlayName: string;
  /** Names the authority in its root certificate and the file of its revocation list. */
  readonly name: string;
  readonly profile: CertificateProfile;
  readonly keyType: AuthorityKeyType;
  /** Host names and IP addresses of the HTTPS certificate beside the overlay's and this host's. */
  readonly httpsNames: readonly string[];
  /** For how many days a node's certificate is valid. */
  readonly certificateDays: number;
  /** Another authority has certified it; it signs no configuration. */
  readonly isSubordinate?: boolean | undefined;
  /** The one domain whose users it certifies (XEP-0416 §2), as A-labels; undefined: any. */
  readonly domain?: string | undefined;
  /** Of the XMPP server that takes requests for it (XEP-0417 §2.1); undefined: there is none. */
  readonly xmppAddress?: string | undefined;
}

/** What is wrong with settings, as a sentence; undefined: nothing. */
export function faultOfSettings(settings: AuthoritySettings): string | undefined {
  if (!isHostName(settings.overlayName)) {
    return `the overlay name "${settings.overlayName}" is not a lower-case host name`;
  }
  if (!AUTHORITY_NAME.test(settings.name)) {
    return `the name "${settings.name}" does not consist of 1 to 32 of a-z, 0-9 and -`;
  }
  if (!CERTIFICATE_PROFILES.includes(settings.profile)) {
    return `the profile "${settings.profile}" is none of ${CERTIFICATE_PROFILES.join(', ')}`;
  }
  if (settings.overlayName === XMPP_OVERLAY && settings.profile !== 'xep-0416') {
    return `the overlay ${XMPP_OVERLAY} uses the profile xep-0416`;
  }
  if (!AUTHORITY_KEY_TYPES.includes(settings.keyType)) {
    return `the key type "${settings.keyType}" is none of ${AUTHORITY_KEY_TYPES.join(', ')}`;
  }
  const badName = settings.httpsNames.find((name) => !isHostName(name) && !isIpAddress(name));
  if (badName !== undefined) return `"${badName}" is neither a host name nor an IP address`;
  if (settings.httpsNames.length > HTTPS_NAMES_MAX) return `more than ${HTTPS_NAMES_MAX} names`;
  if (settings.domain !== undefined && settings.isSubordinate !== true) {
    return 'the authority of a domain is certified by another one; name it with --parent';
  }
  if (settings.domain !== undefined && settings.profile !== 'xep-0416') {
    return 'only the profile xep-0416 knows authorities of a domain';
  }
  const identityFault = faultOfAuthorityIdentity({
    commonName: '',
    domain: settings.domain,
    xmppAddress: settings.xmppAddress,
  });
  if (identityFault !== undefined) return identityFault;
  const { certificateDays } = settings;
  const isDays = Number.isSafeInteger(certificateDays) && certificateDays >= 1;
  return isDays && certificateDays <= CERTIFICATE_DAYS_MAX
    ? undefined
    : `certificates are valid for 1 to ${CERTIFICATE_DAYS_MAX} days`;
}

/** Reads `settings.json`. Returns what is wrong with it as a sentence. */
export function parseSettings(text: string): AuthoritySettings | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'it is not JSON';
  }
  if (typeof value !== 'object' || value === null) return 'it is not a JSON object';
  const { overlayName, name, profile, keyType, httpsNames, certificateDays } =
    value as Partial<AuthoritySettings>;
  const { isSubordinate = false, domain, xmppAddress } = value as Partial<AuthoritySettings>;
  const isShaped =
    [overlayName, name, profile, keyType].every((field) => typeof field === 'string') &&
    Array.isArray(httpsNames) &&
    httpsNames.every((host) => typeof host === 'string');
  if (!isShaped) return 'a field is missing';
  const isPlaced =
    typeof isSubordinate === 'boolean' &&
    [domain, xmppAddress].every((field) => field === undefined || typeof field === 'string');
  if (!isPlaced) return 'a field is of another type';
  const settings = {
    overlayName,
    name,
    profile,
    keyType,
    httpsNames,
    certificateDays,
    isSubordinate,
    domain,
    xmppAddress,
  };
  return faultOfSettings(settings as AuthoritySettings) ?? (settings as AuthoritySettings);
}

export function formatSettings(settings: AuthoritySettings): string {
  return `${JSON.stringify(settings, undefined, 2)}\n`;
}

export function isIpAddress(host: string): boolean {
  return isIP(host) !== 0 && !host.includes('%');
}

const XMPP_OVERLAY = 'xmpp.org';
const AUTHORITY_NAME = /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/;
const HTTPS_NAMES_MAX = 32;
const CERTIFICATE_DAYS_MAX = 3_650;
