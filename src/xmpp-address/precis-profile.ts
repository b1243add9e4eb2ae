import { bidiRuleFault, hasRightToLeft } from './bidi-rule.ts';
import { PrecisFault } from './precis-fault.ts';
import { type StringClass, stringClassFault } from './string-class.ts';
import { mapWidth } from './width-mapping.ts';

declare const enforced: unique symbol;

/** A string that conforms to the profile of that name. */
export type Enforced<Name extends string> = string & { readonly [enforced]: Name };

/** The rules of one profile, RFC 8264 §5.2; normalization is NFC in each. */
export interface PrecisProfile<Name extends string> {
  readonly name: Name;
  readonly stringClass: StringClass;
  readonly mapsWidth: boolean;
  readonly mapsSpaces: boolean;
  readonly mapsCase: boolean;
  readonly hasBidiRule: boolean;
}

/** RFC 8265 §3.3. Case is mapped as Unicode's toLowerCase() does, final sigma included. */
export const usernameCaseMapped: PrecisProfile<'UsernameCaseMapped'> = {
  name: 'UsernameCaseMapped',
  stringClass: 'IdentifierClass',
  mapsWidth: true,
  mapsSpaces: false,
  mapsCase: true,
  hasBidiRule: true,
};

/** RFC 8265 §3.4. */
export const usernameCasePreserved: PrecisProfile<'UsernameCasePreserved'> = {
  ...usernameCaseMapped,
  name: 'UsernameCasePreserved',
  mapsCase: false,
};

/** RFC 8265 §4.2: passwords, and resourceparts of XMPP addresses. */
export const opaqueString: PrecisProfile<'OpaqueString'> = {
  name: 'OpaqueString',
  stringClass: 'FreeformClass',
  mapsWidth: false,
  mapsSpaces: true,
  mapsCase: false,
  hasBidiRule: false,
};

/**
 * `text` as the profile wants it, or the rule that it breaks. It never throws, and takes at most
 * PRECIS_LENGTH_MAX UTF-16 code units. The rules are applied again until nothing changes, as
 * RFC 8264 §7 asks.
 *
 * Normalization, case and classes come from the Unicode data of the Node that runs
 * (`process.versions.unicode`), directions from tables of Unicode 17.0. An older Node refuses code
 * points that are newer than its data as `unassigned`. Those that it knows keep their
 * normalization and case in later versions; seldom one changes its category (RFC 8264 §13.4). So
 * peers on different versions may differ in what they accept, and hardly in what it becomes.
 */
export function enforce<Name extends string>(
  profile: PrecisProfile<Name>,
  text: string,
): Enforced<Name> | PrecisFault {
  if (text.length > PRECIS_LENGTH_MAX) {
    return new PrecisFault('too-long', `it has over ${PRECIS_LENGTH_MAX} characters`);
  }
  let current = text;
  for (let round = 0; round <= REPETITIONS_MAX; round += 1) {
    const next = applyRules(profile, current);
    if (next instanceof PrecisFault) return next;
    if (next === current) return next as Enforced<Name>;
    current = next;
  }
  return new PrecisFault('unstable', `it changes each time that ${profile.name} is applied`);
}

/** Whether both conform and are the same then — RFC 8265 §3.3.4, §3.4.4, §4.2.3. */
export function areEquivalent(profile: PrecisProfile<string>, a: string, b: string): boolean {
  const enforcedA = enforce(profile, a);
  return typeof enforcedA === 'string' && enforcedA === enforce(profile, b);
}

/** Once, in the order of RFC 8265 §3.3.2 and §3.3.3, or §4.2.1 and §4.2.2. */
function applyRules(profile: PrecisProfile<string>, text: string): string | PrecisFault {
  const prepared = profile.mapsWidth ? mapWidth(text) : text;
  const classFault = stringClassFault(prepared, profile.stringClass);
  if (classFault !== undefined) return classFault;
  const spaced = profile.mapsSpaces ? prepared.replace(SPACES, ' ') : prepared;
  const lowered = profile.mapsCase ? spaced.toLowerCase() : spaced;
  const normalized = lowered.normalize('NFC');
  if (profile.hasBidiRule && hasRightToLeft(normalized)) {
    const reason = bidiRuleFault(normalized);
    if (reason !== undefined) return new PrecisFault('bidi-rule', reason);
  }
  return normalized === '' ? new PrecisFault('empty', 'it is empty') : normalized;
}

/**
 * Bounds the work: normalization takes time with the square of the number of combining marks in a
 * row.
 */
export const PRECIS_LENGTH_MAX = 4_096;
/** RFC 8264 §7: three more times after the first. */
const REPETITIONS_MAX = 3;
const SPACES = /\p{Zs}/gu;
