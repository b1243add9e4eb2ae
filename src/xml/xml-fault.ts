/**
 * Input that is not the XML we read: not UTF-8, not well-formed, or over a limit. It names the
 * place, so that whoever wrote the document can find the fault.
 *
 * Inside `xml/` it is thrown; `readXml()` turns it into a value and nothing of it escapes.
 */
export class XmlFault extends Error {
  /** From 1. */
  readonly line: number;
  /** Unicode characters of the line up to and with the one that gave the fault away. */
  readonly column: number;
  /** What was expected and what came. */
  readonly detail: string;

  constructor(detail: string, line: number, column: number) {
    super(`line ${line}, column ${column}: ${detail}`);
    this.name = 'XmlFault';
    this.detail = detail;
    this.line = line;
    this.column = column;
  }

  /** `line 3, column 17: unbound namespace prefix: "chord"` */
  describe(): string {
    return this.message;
  }
}
