/** What commands print: results on stdout, everything else on stderr. */

/** One JSON document on one line; what would steer a terminal is escaped in it. */
export function printJson(value: unknown): void {
  const text = JSON.stringify(value).replace(STEERING, escaped);
  process.stdout.write(`${text}\n`);
}

export function printLine(text = ''): void {
  process.stdout.write(`${text}\n`);
}

/** Rows in columns, each as wide as its widest cell. Cells may be what strangers have written. */
export function printTable(headings: readonly string[], given: readonly string[][]): void {
  const rows = given.map((row) => row.map((cell) => cell.replace(STEERING, ' ')));
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  for (const row of [headings, ...rows]) {
    printLine(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
  }
}

function escaped(text: string): string {
  return text
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
}

/** Controls, marks that change the direction of writing, and breaks of lines. */
const STEERING = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu;

/** One line on stderr that is overwritten, on a terminal only; silent in a pipe. */
export class Progress {
  private readonly enabled: boolean;
  private shown = false;

  constructor(enabled: boolean) {
    this.enabled = enabled && process.stderr.isTTY === true;
  }

  show(text: string): void {
    if (!this.enabled) return;
    const width = (process.stderr.columns ?? 80) - 1;
    process.stderr.write(`\r\u001b[K${text.slice(0, width)}`);
    this.shown = true;
  }

  /** Removes the line. */
  done(): void {
    if (this.shown) process.stderr.write('\r\u001b[K');
    this.shown = false;
  }
}
