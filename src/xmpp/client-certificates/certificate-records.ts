import type { PersistRecord } from '../../storage/persist-record.ts';
import { isTime, jsonOf, jsonRecord, type StoredRecord } from '../routing/routing-records.ts';
import {
  CERTIFICATE_SOURCES,
  CERTIFICATE_STATES,
  certificateOf,
  type RegisteredCertificate,
  registered,
} from './registered-certificate.ts';

export const CERTIFICATE_PREFIX = 'client-certificate/';

export function certificateKey(fingerprint: string): string {
  return CERTIFICATE_PREFIX + fingerprint;
}

export function certificateRecord(certificate: RegisteredCertificate): PersistRecord {
  const { name, source, state, mayManage, addedUnixMs, lastUsedUnixMs, base64 } = certificate;
  return jsonRecord(certificateKey(certificate.fingerprint), {
    name,
    source,
    state,
    mayManage,
    added: addedUnixMs,
    lastUsed: lastUsedUnixMs ?? null,
    certificate: base64,
  });
}

/** A certificate out of its record, or undefined when it is damaged. */
export function readCertificateRecord(stored: StoredRecord): RegisteredCertificate | undefined {
  const value = jsonOf(stored);
  if (typeof value !== 'object' || value === null) return undefined;
  const { name, mayManage, added, lastUsed, certificate, ...rest } = value as Fields;
  const source = CERTIFICATE_SOURCES.find((one) => one === rest.source);
  const state = CERTIFICATE_STATES.find((one) => one === rest.state);
  if (source === undefined || state === undefined || typeof mayManage !== 'boolean') {
    return undefined;
  }
  if (typeof name !== 'string' || !isTime(added) || (lastUsed !== null && !isTime(lastUsed))) {
    return undefined;
  }
  if (typeof certificate !== 'string') return undefined;
  const read = certificateOf(new Uint8Array(Buffer.from(certificate, 'base64')));
  if (read === undefined || stored.key !== certificateKey(read.sha256)) return undefined;
  const lastUsedUnixMs = lastUsed ?? undefined;
  return registered(read, { name, source, state, mayManage, addedUnixMs: added, lastUsedUnixMs });
}

type Fields = Readonly<Record<string, unknown>>;
