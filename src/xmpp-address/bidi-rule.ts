import { type BidiClass, bidiClass } from './character-properties.ts';

/** Whether the Bidi Rule has anything to say of `text` — RFC 5893 §1.4, RFC 8265 §3.3.1. */
export function hasRightToLeft(text: string): boolean {
  return !ASCII_ONLY.test(text) && [...text].some((one) => RIGHT_TO_LEFT.has(bidiClass(one)));
}

/** Which of the six conditions of RFC 5893 §2 `text` breaks, as a sentence; else undefined. */
export function bidiRuleFault(text: string): string | undefined {
  const classes = [...text].map(bidiClass);
  const first = classes[0];
  if (first === 'R' || first === 'AL') return rightToLeftFault(classes);
  if (first === 'L') return leftToRightFault(classes);
  return broken(1, 'it must begin with a letter');
}

function rightToLeftFault(classes: readonly BidiClass[]): string | undefined {
  if (!classes.every((one) => IN_RIGHT_TO_LEFT.has(one))) {
    return broken(2, 'it begins right-to-left, so it can have no left-to-right letter');
  }
  if (!END_OF_RIGHT_TO_LEFT.has(lastClass(classes))) {
    return broken(3, 'it must end with a right-to-left letter or a digit');
  }
  if (classes.includes('EN') && classes.includes('AN')) {
    return broken(4, 'it must not mix European and Arabic digits');
  }
  return undefined;
}

function leftToRightFault(classes: readonly BidiClass[]): string | undefined {
  if (!classes.every((one) => IN_LEFT_TO_RIGHT.has(one))) {
    return broken(5, 'it begins left-to-right, so it can have no right-to-left letter');
  }
  if (!END_OF_LEFT_TO_RIGHT.has(lastClass(classes))) {
    return broken(6, 'it must end with a left-to-right letter or a digit');
  }
  return undefined;
}

/** The class of the last character that is no nonspacing mark. */
function lastClass(classes: readonly BidiClass[]): BidiClass {
  return classes.filter((one) => one !== 'NSM').at(-1) ?? 'NSM';
}

function broken(condition: number, sentence: string): string {
  return `${sentence} (RFC 5893 §2, condition ${condition})`;
}

type Classes = ReadonlySet<BidiClass>;
const RIGHT_TO_LEFT: Classes = new Set(['R', 'AL', 'AN']);
const BETWEEN: readonly BidiClass[] = ['EN', 'ES', 'CS', 'ET', 'ON', 'BN', 'NSM'];
const IN_RIGHT_TO_LEFT: Classes = new Set(['R', 'AL', 'AN', ...BETWEEN]);
const IN_LEFT_TO_RIGHT: Classes = new Set(['L', ...BETWEEN]);
const END_OF_RIGHT_TO_LEFT: Classes = new Set(['R', 'AL', 'EN', 'AN']);
const END_OF_LEFT_TO_RIGHT: Classes = new Set(['L', 'EN']);
const ASCII_ONLY = /^\p{ASCII}*$/u;
