/**
 * HTML or SVG, as opposed to text. Names in scenario files come from anybody, so text becomes
 * Markup only through the template `markup`, which escapes it, or explicitly as `trustedMarkup`.
 */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }
}

export type MarkupPart = string | number | Markup | readonly Markup[] | undefined;

/** Whatever is put in is escaped, unless it is Markup; undefined is nothing. */
export function markup(pieces: TemplateStringsArray, ...values: readonly MarkupPart[]): Markup {
  const parts = pieces.map((piece, i) => piece + textOf(values[i]));
  return new Markup(parts.join(''));
}

/** For what this program wrote itself. */
export function trustedMarkup(text: string): Markup {
  return new Markup(text);
}

/** Text as it stands in an element or a quoted attribute. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}

function textOf(value: MarkupPart): string {
  if (value === undefined) return '';
  if (value instanceof Markup) return value.text;
  if (typeof value === 'string' || typeof value === 'number') return escaped(String(value));
  return value.map(({ text }) => text).join('');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
