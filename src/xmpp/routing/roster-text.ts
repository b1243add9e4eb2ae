import { ROSTER_GROUPS_MAX, ROSTER_TEXT_BYTES_MAX } from './routing-limits.ts';

/** RFC 6121 §2.1.5, §2.3.3: what is wrong with the name and groups of a contact. */
export function contactTextFault(
  name: string | undefined,
  groups: readonly string[],
): string | undefined {
  if (groups.length > ROSTER_GROUPS_MAX)
    return `a contact is in ${ROSTER_GROUPS_MAX} groups at most`;
  if (groups.includes('')) return 'a group has a name';
  const isLong = [name ?? '', ...groups].some(
    (text) => Buffer.byteLength(text) > ROSTER_TEXT_BYTES_MAX,
  );
  return isLong ? `a name has ${ROSTER_TEXT_BYTES_MAX} bytes at most` : undefined;
}
