import type { StoredRecord } from '../routing/routing-records.ts';
import { ABSENCES_KEY, Absences } from './absences.ts';
import { CERTIFICATES_PREFIX, RememberedCertificates } from './remembered-certificates.ts';
import { GUARD_PREFIX, ReplayGuard } from './replay-guard.ts';

/** What a former run knew. Damaged records count against whoever they are of, never for. */
export interface RestoredSigned {
  readonly absences: Absences;
  readonly guard: ReplayGuard;
  readonly remembered: RememberedCertificates;
}

/** Reads its own records; those of others are passed over. */
export function restoreSigned(records: Iterable<StoredRecord>): RestoredSigned {
  const guarded: StoredRecord[] = [];
  const certificates: StoredRecord[] = [];
  let absences: StoredRecord | undefined;
  for (const record of records) {
    if (record.key.startsWith(GUARD_PREFIX)) guarded.push(record);
    else if (record.key.startsWith(CERTIFICATES_PREFIX)) certificates.push(record);
    else if (record.key === ABSENCES_KEY) absences = record;
  }
  return {
    absences: new Absences(absences),
    guard: new ReplayGuard(guarded),
    remembered: new RememberedCertificates(certificates),
  };
}
