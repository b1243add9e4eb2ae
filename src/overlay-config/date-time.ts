/**
 * RFC 3339 times in UTC, by arithmetic: this folder has no clock. The day count follows the
 * proleptic Gregorian calendar, with years that begin in March so that leap days come last.
 */

/** ms since 1970-01-01 UTC, or undefined for anything but an RFC 3339 time in UTC. */
export function parseUtcTime(text: string): number | undefined {
  const match = RFC_3339_UTC.exec(text);
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map(Number);
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return undefined;
  const isLeapSecond = second === 60 && minute === 59 && hour === 23;
  if (hour > 23 || minute > 59 || (second > 59 && !isLeapSecond)) return undefined;
  const milliseconds = Math.trunc(Number(`0${match[7] ?? ''}`) * 1000);
  const seconds = ((daysSince1970(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
  return seconds * 1000 + milliseconds;
}

/** `2026-03-01T07:00:00Z`, with milliseconds only where there are any. Years 0 to 9999. */
export function formatUtcTime(unixMs: number): string {
  const days = Math.floor(unixMs / DAY_MS);
  const inDayMs = unixMs - days * DAY_MS;
  const [year, month, day] = dateOf(days);
  if (!Number.isInteger(unixMs) || year < 0 || year > 9999) {
    throw new RangeError(`RFC 3339 has no time for ${unixMs} ms since 1970`);
  }
  const date = `${digits(year, 4)}-${digits(month, 2)}-${digits(day, 2)}`;
  const hour = digits(Math.floor(inDayMs / 3_600_000), 2);
  const minute = digits(Math.floor(inDayMs / 60_000) % 60, 2);
  const second = digits(Math.floor(inDayMs / 1000) % 60, 2);
  const fraction = inDayMs % 1000 === 0 ? '' : `.${digits(inDayMs % 1000, 3)}`;
  return `${date}T${hour}:${minute}:${second}${fraction}Z`;
}

function daysSince1970(year: number, month: number, day: number): number {
  const marchYear = month > 2 ? year : year - 1;
  const monthFromMarch = (month + 9) % 12;
  const leapDays =
    Math.floor(marchYear / 4) - Math.floor(marchYear / 100) + Math.floor(marchYear / 400);
  return (
    marchYear * 365 + leapDays + daysBeforeMonth(monthFromMarch) + day - 1 - DAYS_MARCH_0_TO_1970
  );
}

/** Year, month and day of a number of days since 1970. */
function dateOf(days: number): [year: number, month: number, day: number] {
  const fromMarch = days + DAYS_MARCH_0_TO_1970;
  const era = Math.floor(fromMarch / DAYS_IN_400_YEARS);
  const inEra = fromMarch - era * DAYS_IN_400_YEARS;
  const yearInEra = Math.floor(
    (inEra - Math.floor(inEra / 1460) + Math.floor(inEra / 36524) - Math.floor(inEra / 146096)) /
      365,
  );
  const inYear =
    inEra - (yearInEra * 365 + Math.floor(yearInEra / 4) - Math.floor(yearInEra / 100));
  const monthFromMarch = Math.floor((5 * inYear + 2) / 153);
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  const year = yearInEra + era * 400 + (month <= 2 ? 1 : 0);
  return [year, month, inYear - daysBeforeMonth(monthFromMarch) + 1];
}

/** Days before the month that is `monthFromMarch` months behind March: 31, 30, 31, 30, 31, … */
function daysBeforeMonth(monthFromMarch: number): number {
  return Math.floor((153 * monthFromMarch + 2) / 5);
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

function digits(value: number, count: number): string {
  return String(value).padStart(count, '0');
}

const RFC_3339_UTC =
  /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(\.\d{1,9})?(?:[Zz]|[+-]00:00)$/;
const DAY_MS = 86_400_000;
const DAYS_IN_400_YEARS = 146_097;
/** From 1 March of the year 0 to 1 January 1970. */
const DAYS_MARCH_0_TO_1970 = 719_468;
