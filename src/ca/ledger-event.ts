import type { EnrollmentToken } from './enrollment-decision.ts';
import { type RegisterEvent, readRegisterEvent } from './register-event.ts';

/** An authenticated sender got no certificate. */
export interface EnrollmentRefused {
  readonly type: 'enrollmentRefused';
  readonly unixMs: number;
  readonly userName: string;
  readonly token: EnrollmentToken;
  readonly detail: string;
}

/** Wrong user names and passwords of some time; never what was tried. */
export interface SignInsFailed {
  readonly type: 'signInsFailed';
  readonly unixMs: number;
  readonly sinceUnixMs: number;
  readonly count: number;
  /** Where the most came from, at most ten. */
  readonly addresses: readonly string[];
}

/** A key of the authority signed something else than a node's certificate or a revocation list. */
export interface KeyUsed {
  readonly type: 'keyUsed';
  readonly unixMs: number;
  readonly key: string;
  readonly purpose: string;
}

/** What an operator did beside changing accounts and certificates. */
export interface OperatorActed {
  readonly type: 'operatorActed';
  readonly unixMs: number;
  readonly operation: string;
}

/** A certificate or a list was made, and not issued: a peer would have refused it. */
export interface IssuanceRefused {
  readonly type: 'issuanceRefused';
  readonly unixMs: number;
  /** What it was. */
  readonly what: string;
  readonly reason: string;
}

/** What is worth remembering and decides nothing. */
export type AuditEvent =
  | EnrollmentRefused
  | SignInsFailed
  | KeyUsed
  | OperatorActed
  | IssuanceRefused;

/** All that stands in the ledger, which is the audit log. */
export type LedgerEvent = RegisterEvent | AuditEvent;

/** Whether the register is to take it. */
export function isRegisterEvent(event: LedgerEvent): event is RegisterEvent {
  return !Object.hasOwn(auditFields, event.type);
}

/** Reads an event of the ledger. Returns what is wrong with it as a sentence. */
export function readLedgerEvent(value: unknown): LedgerEvent | string {
  const type = typeof value === 'object' && value !== null && 'type' in value ? value.type : '';
  if (typeof type !== 'string' || !Object.hasOwn(auditFields, type)) {
    return readRegisterEvent(value);
  }
  const record = value as Readonly<Record<string, unknown>>;
  const fields: Readonly<Record<string, FieldCheck>> = auditFields[type as AuditEvent['type']];
  for (const [field, isValid] of Object.entries({ unixMs: isCount, ...fields })) {
    if (!isValid(record[field])) {
      return `${type}: "${field}" is not valid: ${JSON.stringify(record[field])}`;
    }
  }
  return value as LedgerEvent;
}

/**
 * The one text of an event: JSON with sorted keys and no white space, which for the strings, whole
 * numbers and lists of an event is the canonical form of RFC 8785. Its UTF-8 is what is hashed.
 */
export function canonicalEventText(event: LedgerEvent): string {
  const entries = Object.entries(event).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(Object.fromEntries(entries));
}

type FieldCheck = (value: unknown) => boolean;

const isText: FieldCheck = (value) => typeof value === 'string';
const isCount: FieldCheck = (value) => Number.isSafeInteger(value) && Number(value) >= 0;
const isTextList: FieldCheck = (value) => Array.isArray(value) && value.every(isText);

const auditFields: Readonly<Record<AuditEvent['type'], Readonly<Record<string, FieldCheck>>>> = {
  enrollmentRefused: { userName: isText, token: isText, detail: isText },
  signInsFailed: { sinceUnixMs: isCount, count: isCount, addresses: isTextList },
  keyUsed: { key: isText, purpose: isText },
  operatorActed: { operation: isText },
  issuanceRefused: { what: isText, reason: isText },
};
