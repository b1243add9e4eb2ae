import { type DerReader, DerTag, MalformedDer } from './der-reader.ts';

/**
 * Time — RFC 5280 §4.1.2.5: UTCTime `YYMMDDHHMMSSZ` (50 to 99 are 1950 to 1999) or GeneralizedTime
 * `YYYYMMDDHHMMSSZ`, with seconds, without fractions, in UTC. Returns ms since 1970. Which of the
 * two a year should use is the issuer's duty; applications MUST read both.
 */
export function derTime(reader: DerReader): number {
  const element = reader.any();
  const digits = Buffer.from(element.contents).toString('latin1');
  if (element.tag === DerTag.utcTime && /^\d{12}Z$/.test(digits)) {
    const year = Number(digits.slice(0, 2));
    return unixMs(year + (year < 50 ? 2000 : 1900), digits.slice(2), element.contentsOffset);
  }
  if (element.tag === DerTag.generalizedTime && /^\d{14}Z$/.test(digits)) {
    return unixMs(Number(digits.slice(0, 4)), digits.slice(4), element.contentsOffset);
  }
  throw new MalformedDer(
    'expected UTCTime YYMMDDHHMMSSZ or GeneralizedTime YYYYMMDDHHMMSSZ',
    element.contentsOffset,
  );
}

/** ms since 1970 of `MMDDHHMMSS` in `year`. */
function unixMs(year: number, rest: string, offset: number): number {
  const pair = (at: number) => Number(rest.slice(at, at + 2));
  const month = pair(0);
  const day = pair(2);
  const [hour, minute, second] = [pair(4), pair(6), pair(8)];
  const inRange =
    month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(year, month) && hour <= 23;
  if (!inRange || minute > 59 || second > 59) throw new MalformedDer('no such time', offset);
  return unixMsOf(year, month, day, hour, minute, second);
}

/** ms since 1970 of a time that exists, in UTC. */
export function unixMsOf(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): number {
  const days = daysSince1970(year, month, day);
  return (((days * 24 + hour) * 60 + minute) * 60 + second) * 1000;
}

/** `2011-04-15T00:00:00Z` for ms since 1970, by arithmetic: no clock and no time zone here. */
export function formatUnixMs(atUnixMs: number): string {
  const seconds = Math.floor(atUnixMs / 1000);
  const days = Math.floor(seconds / 86_400);
  const ofDay = seconds - days * 86_400;
  const { year, month, day } = civilDate(days);
  const two = (value: number) => String(value).padStart(2, '0');
  const clock = [ofDay / 3600, (ofDay / 60) % 60, ofDay % 60].map((part) => two(Math.floor(part)));
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}T${clock.join(':')}Z`;
}

/** Days from 1970-01-01 in the Gregorian calendar. March begins a year, so leap days end one. */
function daysSince1970(year: number, month: number, day: number): number {
  const marchYear = month <= 2 ? year - 1 : year;
  const era = Math.floor(marchYear / 400);
  const yearOfEra = marchYear - era * 400;
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  const leapDays = Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100);
  return era * DAYS_PER_ERA + yearOfEra * 365 + leapDays + dayOfYear - DAYS_TO_1970;
}

function civilDate(days: number): { year: number; month: number; day: number } {
  const shifted = days + DAYS_TO_1970;
  const era = Math.floor(shifted / DAYS_PER_ERA);
  const dayOfEra = shifted - era * DAYS_PER_ERA;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const leapDays = Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100);
  const dayOfYear = dayOfEra - yearOfEra * 365 - leapDays;
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  const day = dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

const DAYS_PER_ERA = 146_097;
/** From 0000-03-01 to 1970-01-01. */
const DAYS_TO_1970 = 719_468;
