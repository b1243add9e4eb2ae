import { unixMsOf } from './der-time.ts';

/**
 * Whether an entry of a revocation list has the form that nearly all have: INTEGER, UTCTime, and a
 * reasonCode other than removeFromCRL or nothing. Every other entry, good or bad, is read with a
 * DerReader. `offset` and `length` are those of its contents in `der`.
 */
export function isPlainEntry(der: Uint8Array, offset: number, length: number): boolean {
  const serialLength = der[offset + 1] ?? 0;
  if (der[offset] !== 0x02 || serialLength === 0 || serialLength > serialLengthMax) return false;
  const timeStart = offset + 2 + serialLength;
  const reasonStart = timeStart + UTC_TIME_LENGTH;
  const restLength = offset + length - reasonStart;
  if (restLength !== 0 && restLength !== REASON_LENGTH) return false;
  if (!isShortestInteger(der, offset + 2, serialLength)) return false;
  if (!isPlainUtcTime(der, timeStart)) return false;
  return restLength === 0 || isPlainReason(der, reasonStart);
}

/** What stands in a plain entry; `reason` is the number on the wire. */
export function readPlainEntry(
  der: Uint8Array,
  offset: number,
  length: number,
): { readonly revokedUnixMs: number; readonly reason: number } {
  const timeStart = offset + 2 + (der[offset + 1] ?? 0);
  const reasonStart = timeStart + UTC_TIME_LENGTH;
  const hasReason = offset + length > reasonStart;
  const year = twoDigits(der, timeStart + 2);
  const revokedUnixMs = unixMsOf(
    year + (year < 50 ? 2000 : 1900),
    twoDigits(der, timeStart + 4),
    twoDigits(der, timeStart + 6),
    twoDigits(der, timeStart + 8),
    twoDigits(der, timeStart + 10),
    twoDigits(der, timeStart + 12),
  );
  return { revokedUnixMs, reason: hasReason ? (der[reasonStart + REASON_START.length] ?? 0) : 0 };
}

function isShortestInteger(der: Uint8Array, start: number, length: number): boolean {
  if (length === 1) return true;
  const first = der[start];
  const second = der[start + 1] ?? 0;
  return first === 0 ? second >= 0x80 : first !== 0xff || second < 0x80;
}

/** UTCTime; 29 February is left to the careful reader. */
function isPlainUtcTime(der: Uint8Array, start: number): boolean {
  if (der[start] !== 0x17 || der[start + 1] !== 13 || der[start + 14] !== 0x5a) return false;
  for (let at = start + 2; at < start + 14; at++) {
    const digit = der[at] ?? 0;
    if (digit < 0x30 || digit > 0x39) return false;
  }
  const month = twoDigits(der, start + 4);
  const day = twoDigits(der, start + 6);
  return (
    month >= 1 &&
    month <= 12 &&
    day >= 1 &&
    day <= (month === 2 ? 28 : LONG_MONTHS.includes(month) ? 31 : 30) &&
    twoDigits(der, start + 8) <= 23 &&
    twoDigits(der, start + 10) <= 59 &&
    twoDigits(der, start + 12) <= 59
  );
}

function twoDigits(der: Uint8Array, at: number): number {
  return ((der[at] ?? 0) - 0x30) * 10 + (der[at + 1] ?? 0) - 0x30;
}

/** One extension, reasonCode, not critical, and not removeFromCRL. */
function isPlainReason(der: Uint8Array, start: number): boolean {
  for (let at = 0; at < REASON_START.length; at++) {
    if (der[start + at] !== REASON_START[at]) return false;
  }
  const reason = der[start + REASON_START.length] ?? 0;
  return reason <= 10 && reason !== 7 && reason !== 8;
}

/** SEQUENCE { SEQUENCE { OID 2.5.29.21, OCTET STRING { ENUMERATED … } } } up to the number. */
const REASON_START = [0x30, 0x0c, 0x30, 0x0a, 0x06, 0x03, 0x55, 0x1d, 0x15, 0x04, 0x03, 0x0a, 0x01];
const REASON_LENGTH = 14;
const UTC_TIME_LENGTH = 15;
const LONG_MONTHS: readonly number[] = [1, 3, 5, 7, 8, 10, 12];

/** Octets: longer ones are not in the short form of a length. */
const serialLengthMax = 127;
