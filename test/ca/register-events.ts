import { randomBytes } from 'node:crypto';
import type { AccountName } from '../../src/ca/account-name.ts';
import type {
  AccountAdded,
  AuthorityCertified,
  CertificateIssued,
} from '../../src/ca/register-event.ts';
import type { NodeId } from '../../src/wire/node-id.ts';

/** Events for tests; what is not given is random or the simplest that there is. */

export function accountAdded(userName: string, devicesMax = 8): AccountAdded {
  return {
    type: 'accountAdded',
    unixMs: 0,
    userName: userName as AccountName,
    passwordHash: 'hash',
    devicesMax,
  };
}

export function certificateIssued(
  userName: string,
  given: Partial<Omit<CertificateIssued, 'type' | 'userName'>> = {},
): CertificateIssued {
  return {
    type: 'certificateIssued',
    unixMs: 0,
    userName: userName as AccountName,
    nodeIds: [randomNodeId()],
    ...anyCertificate(),
    ...given,
  };
}

export function authorityCertified(
  commonName: string,
  given: Partial<Omit<AuthorityCertified, 'type' | 'commonName'>> = {},
): AuthorityCertified {
  return {
    type: 'authorityCertified',
    unixMs: 0,
    commonName,
    domain: '',
    ...anyCertificate(),
    ...given,
  };
}

export function randomNodeId(): NodeId {
  return randomBytes(16).toString('hex') as NodeId;
}

/** What the ledger keeps of a certificate, of a node or an authority. */
function anyCertificate() {
  return {
    serialNumber: `40${randomBytes(19).toString('hex')}`,
    publicKeySha256: randomBytes(32).toString('hex'),
    fingerprintSha256: randomBytes(32).toString('hex'),
    notBeforeUnixMs: 0,
    notAfterUnixMs: 1_000_000,
    certificate: 'AAAA',
  };
}
