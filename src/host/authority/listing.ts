import type { RegisteredAuthority, RegisteredCertificate } from '../../ca/certificate-register.ts';
import { type CertificateRegister, isInForce } from '../../ca/certificate-register.ts';
import { formatUnixMs } from '../../tls-auth/der-time.ts';
import { parseNodeId } from '../../tls-auth/node-identity.ts';
import { AuthorityFailure } from './authority-failure.ts';
import type { AuthoritySettings } from './authority-settings.ts';

export interface AccountSummary {
  readonly jid: string;
  readonly devicesMax: number;
  /** Devices that hold a certificate in force. */
  readonly devices: number;
}

export interface CertificateSummary {
  /** The Node-IDs; one in the profile xep-0416. */
  readonly nodeIds: readonly string[];
  readonly jid: string;
  readonly serialNumber: string;
  readonly fingerprintSha256: string;
  /** RFC 3339. */
  readonly notBefore: string;
  readonly notAfter: string;
  /** The name of an authority below this one; a node's certificate has none. */
  readonly authority?: string;
  readonly status: 'valid' | 'expired' | 'revoked';
  /** Why and when it was revoked. */
  readonly reason?: string;
  readonly revokedAt?: string;
}

export interface AuthorityListing {
  readonly overlay: string;
  readonly name: string;
  readonly accounts: readonly AccountSummary[];
  readonly certificates: readonly CertificateSummary[];
  /** Those of authorities below this one. */
  readonly authorities: readonly CertificateSummary[];
}

/** Accounts and certificates for people and scripts. */
export function listAuthority(
  settings: AuthoritySettings,
  register: CertificateRegister,
  unixMs: number,
): AuthorityListing {
  return {
    overlay: settings.overlayName,
    name: settings.name,
    accounts: [...register.accounts()].map(({ userName, devicesMax }) => ({
      jid: userName,
      devicesMax,
      devices: register.activeDevicesOf(userName, unixMs).length,
    })),
    certificates: [...register.certificates()].map((certificate) =>
      certificateSummary(certificate, unixMs),
    ),
    authorities: [...register.authorities()].map((authority) =>
      authoritySummary(authority, unixMs),
    ),
  };
}

export function certificateSummary(
  certificate: RegisteredCertificate,
  unixMs: number,
): CertificateSummary {
  const { nodeIds, userName } = certificate;
  return { nodeIds, jid: userName, ...summaryOf(certificate, unixMs) };
}

/** It has neither Node-ID nor JID. */
export function authoritySummary(
  authority: RegisteredAuthority,
  unixMs: number,
): CertificateSummary {
  const { commonName } = authority;
  return { nodeIds: [], jid: '', authority: commonName, ...summaryOf(authority, unixMs) };
}

function summaryOf(certificate: RegisteredCertificate | RegisteredAuthority, unixMs: number) {
  const { revocation } = certificate;
  return {
    serialNumber: certificate.serialNumber,
    fingerprintSha256: certificate.fingerprintSha256,
    notBefore: formatUnixMs(certificate.notBeforeUnixMs),
    notAfter: formatUnixMs(certificate.notAfterUnixMs),
    status: revocation !== undefined ? ('revoked' as const) : statusOf(certificate, unixMs),
    ...(revocation === undefined
      ? {}
      : { reason: revocation.reason, revokedAt: formatUnixMs(revocation.unixMs) }),
  };
}

/** The authority below this one that an operator names by a serial number. */
export function authorityNamed(
  register: CertificateRegister,
  target: string,
): RegisteredAuthority | undefined {
  return register.authority(target.replaceAll(':', '').toLowerCase());
}

/**
 * The certificates that an operator names by a serial number (40 hex digits, colons allowed) or by
 * a Node-ID in any of its forms. Throws AuthorityFailure for a text that names none.
 */
export function certificatesNamed(
  register: CertificateRegister,
  target: string,
): readonly RegisteredCertificate[] {
  const digits = target.replaceAll(':', '').toLowerCase();
  const bySerial = SERIAL_NUMBER.test(digits) ? register.certificate(digits) : undefined;
  if (bySerial !== undefined) return [bySerial];
  const nodeId = parseNodeId(target);
  const device = nodeId === undefined ? undefined : register.deviceOfNode(nodeId);
  if (device !== undefined) return register.certificatesOf(device);
  throw new AuthorityFailure(
    `"${target.slice(0, 80)}" is neither the Node-ID nor the serial number of a certificate of ` +
      'this authority; see `xor ca list`',
  );
}

function statusOf(
  certificate: Pick<RegisteredCertificate, 'revocation' | 'notAfterUnixMs'>,
  unixMs: number,
): 'valid' | 'expired' {
  return isInForce(certificate, unixMs) ? 'valid' : 'expired';
}

const SERIAL_NUMBER = /^[0-9a-f]{40}$/;
