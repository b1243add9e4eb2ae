import type { NodeId } from '../wire/node-id.ts';
import type { AccountName } from './account-name.ts';
import { type RevocationReason, revocationReasonCodes } from './revocation-reason.ts';

/** A user may enroll devices from now on. */
export interface AccountAdded {
  readonly type: 'accountAdded';
  readonly unixMs: number;
  readonly userName: AccountName;
  /** What `authority-passwords.ts` made of the password; never the password. */
  readonly passwordHash: string;
  /** Devices with a certificate in force at one time. */
  readonly devicesMax: number;
}

/** An account has another password or device limit; its devices stay. */
export interface AccountChanged extends Omit<AccountAdded, 'type'> {
  readonly type: 'accountChanged';
}

/** A user may enroll nothing more. Its certificates are revoked by events of their own. */
export interface AccountRemoved {
  readonly type: 'accountRemoved';
  readonly unixMs: number;
  readonly userName: AccountName;
}

/** A certificate left the authority, or may have: it is written before it is sent. */
export interface CertificateIssued {
  readonly type: 'certificateIssued';
  readonly unixMs: number;
  readonly userName: AccountName;
  /** The device: the Node-IDs stay the same whenever it is certified again. */
  readonly nodeIds: readonly NodeId[];
  /** Lower-case hex. */
  readonly serialNumber: string;
  /** SHA-256 of the SubjectPublicKeyInfo, lower-case hex. */
  readonly publicKeySha256: string;
  /** SHA-256 of the certificate, lower-case hex. */
  readonly fingerprintSha256: string;
  readonly notBeforeUnixMs: number;
  readonly notAfterUnixMs: number;
  /** The certificate in DER, base64. */
  readonly certificate: string;
  /** SHA-256 of the request, lower-case hex; older entries and the authority's own have none. */
  readonly requestSha256?: string;
}

/** An authority below this one was certified; XEP-0416 §2 tells the two kinds apart. */
export interface AuthorityCertified {
  readonly type: 'authorityCertified';
  readonly unixMs: number;
  /** Names it in its subject, and nobody else. */
  readonly commonName: string;
  /** The domain of a domain-associated authority; empty: it has none. */
  readonly domain: string;
  /** Lower-case hex, as the two that follow. */
  readonly serialNumber: string;
  readonly publicKeySha256: string;
  readonly fingerprintSha256: string;
  readonly notBeforeUnixMs: number;
  readonly notAfterUnixMs: number;
  /** The certificate in DER, base64. */
  readonly certificate: string;
}

/** A certificate of a node or of an authority counts no more. */
export interface CertificateRevoked {
  readonly type: 'certificateRevoked';
  readonly unixMs: number;
  readonly serialNumber: string;
  readonly reason: RevocationReason;
}

/** Written before the list is shown, so that no number ever names two lists. */
export interface RevocationListIssued {
  readonly type: 'revocationListIssued';
  readonly unixMs: number;
  /** cRLNumber — RFC 5280 §5.2.3. */
  readonly number: number;
}

/** All that ever happens to the register; the ledger is the list of these. */
export type RegisterEvent =
  | AccountAdded
  | AccountChanged
  | AccountRemoved
  | CertificateIssued
  | AuthorityCertified
  | CertificateRevoked
  | RevocationListIssued;

/** Reads an event from the ledger. Returns what is wrong with it as a sentence. */
export function readRegisterEvent(value: unknown): RegisterEvent | string {
  if (typeof value !== 'object' || value === null) return 'expected a JSON object';
  const type = 'type' in value ? value.type : undefined;
  if (typeof type !== 'string' || !Object.hasOwn(eventFields, type)) {
    return `unknown event type ${JSON.stringify(type)}`;
  }
  const fields: Readonly<Record<string, FieldCheck>> = eventFields[type as RegisterEvent['type']];
  const record = value as Readonly<Record<string, unknown>>;
  for (const [field, isValid] of Object.entries({ unixMs: isCount, ...fields })) {
    if (!isValid(record[field])) {
      return `${type}: "${field}" is not valid: ${JSON.stringify(record[field])}`;
    }
  }
  return value as RegisterEvent;
}

type FieldCheck = (value: unknown) => boolean;

const isText: FieldCheck = (value) => typeof value === 'string' && value !== '';
const isCount: FieldCheck = (value) => Number.isSafeInteger(value) && Number(value) >= 0;
const isString: FieldCheck = (value) => typeof value === 'string';
const isHex: FieldCheck = (value) => typeof value === 'string' && /^(?:[0-9a-f]{2})+$/.test(value);
const isHexOrAbsent: FieldCheck = (value) => value === undefined || isHex(value);
const isHexList: FieldCheck = (value) =>
  Array.isArray(value) && value.length > 0 && value.every(isHex);
const isBase64: FieldCheck = (value) =>
  typeof value === 'string' && /^[A-Za-z0-9+/]+={0,2}$/.test(value);
const isReason: FieldCheck = (value) =>
  typeof value === 'string' && Object.hasOwn(revocationReasonCodes, value);

const accountFields = { userName: isText, passwordHash: isText, devicesMax: isCount };

const eventFields: Readonly<Record<RegisterEvent['type'], Readonly<Record<string, FieldCheck>>>> = {
  accountAdded: accountFields,
  accountChanged: accountFields,
  accountRemoved: { userName: isText },
  certificateIssued: {
    userName: isText,
    nodeIds: isHexList,
    serialNumber: isHex,
    publicKeySha256: isHex,
    fingerprintSha256: isHex,
    notBeforeUnixMs: isCount,
    notAfterUnixMs: isCount,
    certificate: isBase64,
    requestSha256: isHexOrAbsent,
  },
  authorityCertified: {
    commonName: isText,
    domain: isString,
    serialNumber: isHex,
    publicKeySha256: isHex,
    fingerprintSha256: isHex,
    notBeforeUnixMs: isCount,
    notAfterUnixMs: isCount,
    certificate: isBase64,
  },
  certificateRevoked: { serialNumber: isHex, reason: isReason },
  revocationListIssued: { number: isCount },
};
