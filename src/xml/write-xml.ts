/**
 * XML text out of names and values. fast-xml-parser's XMLBuilder was considered: it cannot splice
 * in elements whose exact bytes are already signed, writes characters that XML cannot carry, and
 * leaves a carriage return to be normalised away by the reader.
 */

export type XmlAttributes = Readonly<Record<string, string>>;

/** `<name …>text</name>`. Throws RangeError for characters that XML cannot carry. */
export function textElement(name: string, text: string, attributes: XmlAttributes = {}): string {
  return `<${name}${attributeList(attributes)}>${escapeXml(text)}</${name}>`;
}

/** `<name …/>`. */
export function emptyElement(name: string, attributes: XmlAttributes): string {
  return `<${name}${attributeList(attributes)}/>`;
}

/** An element around children that are XML text already: each on a line of its own. */
export function parentElement(
  name: string,
  attributes: XmlAttributes,
  children: readonly string[],
): string {
  const lines = [`<${name}${attributeList(attributes)}>`, ...children, `</${name}>`];
  return lines.join('\n');
}

/** Character data or an attribute's value in double quotes. */
export function escapeXml(text: string): string {
  if (NOT_XML.test(text)) {
    throw new RangeError(`XML cannot carry the characters of ${JSON.stringify(text.slice(0, 80))}`);
  }
  return text.replace(SPECIAL, (character) => REFERENCES[character] ?? character);
}

function attributeList(attributes: XmlAttributes): string {
  return Object.entries(attributes)
    .map(([name, value]) => ` ${name}="${escapeXml(value)}"`)
    .join('');
}

/** White space but the blank is written as a reference: a reader would change it otherwise. */
const SPECIAL = /[&<>"\t\n\r]/g;
const REFERENCES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};

/** Everything outside Char of XML 1.0 §2.2, lone surrogates included. */
const NOT_XML = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;
