import { culpritOfWholeString, isInPermittedContext } from './contextual-rules.ts';
import { derivedProperty } from './derived-property.ts';
import { PrecisFault } from './precis-fault.ts';

/** RFC 8264 §4.2 and §4.3. */
export type StringClass = 'IdentifierClass' | 'FreeformClass';

/** Why `text` is not in the class: the first code point that it does not take. */
export function stringClassFault(text: string, stringClass: StringClass): PrecisFault | undefined {
  if (PRINTABLE_ASCII.test(text)) return undefined;
  const characters = [...text];
  for (const [index, character] of characters.entries()) {
    const property = derivedProperty(character);
    if (property === 'UNASSIGNED') {
      return new PrecisFault('unassigned', `${shown(character)} is not assigned in Unicode here`);
    }
    if (
      property === 'DISALLOWED' ||
      (property === 'FREE_PVAL' && stringClass !== 'FreeformClass')
    ) {
      return new PrecisFault('disallowed', `the ${stringClass} does not allow ${shown(character)}`);
    }
    const hasRule = property === 'CONTEXTJ' || property === 'CONTEXTO';
    if (hasRule && !isInPermittedContext(characters, index)) return contextFault(character);
  }
  const culprit = culpritOfWholeString(text);
  return culprit === undefined ? undefined : contextFault(culprit);
}

/** A character for a sentence: with its number, and as itself where it can be printed. */
export function shown(character: string): string {
  const point = character.codePointAt(0) ?? 0;
  const number = `U+${point.toString(16).toUpperCase().padStart(4, '0')}`;
  return VISIBLE.test(character) ? `"${character}" (${number})` : number;
}

function contextFault(character: string): PrecisFault {
  const reason = `${shown(character)} is not allowed in this place (RFC 5892 appendix A)`;
  return new PrecisFault('contextual-rule', reason);
}

const PRINTABLE_ASCII = /^[!-~]*$/u;
const VISIBLE = /[\p{L}\p{N}\p{P}\p{S}]/u;
