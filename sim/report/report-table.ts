import { type Markup, markup } from './markup.ts';

/** Rows under named columns: an HTML table in the report, a CSV file beside it. */
export interface ReportTable {
  /** Of the CSV file and the anchor. */
  readonly id: string;
  readonly title: string;
  readonly columns: readonly ReportColumn[];
  readonly rows: readonly (readonly Cell[])[];
}

export type Cell = string | number | undefined;

export interface ReportColumn {
  readonly name: string;
  readonly unit?: string;
  /** How a number is written in the HTML; the CSV has all its digits. */
  readonly show?: (value: number) => string;
  /** A bar behind the number shows it against the greatest of the column. */
  readonly hasBar?: boolean;
}

/** Numbers stand at the right, with the unit in the head. A wide table scrolls in its own box. */
export function tableHtml(table: ReportTable, isCaptionUnseen = false): Markup {
  const { id, title, columns, rows } = table;
  const isNumeric = columns.map((_, i) => rows.some((row) => typeof row[i] === 'number'));
  const greatest = columns.map((_, i) => Math.max(0, ...rows.map((row) => Number(row[i]) || 0)));
  const heads = columns.map(
    ({ name, unit }, i) =>
      markup`<th scope="col"${attribute(isNumeric[i])}>${name}${unitHtml(unit)}</th>`,
  );
  const body = rows.map((row) => {
    const cells = columns.map((column, i) => cellHtml(row[i], column, greatest[i] ?? 0));
    return markup`<tr>${cells}</tr>\n`;
  });
  const caption = isCaptionUnseen ? markup` class="unseen"` : markup``;
  const length = rows.length <= SHORT_ROWS_MAX ? ' short' : '';
  return markup`<div class="table${length}" tabindex="0" role="region" aria-label="${title}">
<table id="${id}-table"><caption${caption}>${title}</caption>
<thead><tr>${heads}</tr></thead>
<tbody>
${body}</tbody></table></div>
`;
}

/** RFC 4180, with units in the head. */
export function tableCsv({ columns, rows }: ReportTable): string {
  const head = columns.map(({ name, unit }) => (unit === undefined ? name : `${name} (${unit})`));
  return [head, ...rows].map((row) => `${row.map(csvCell).join(',')}\r\n`).join('');
}

function unitHtml(unit: string | undefined): Markup {
  return unit === undefined ? markup`` : markup` <span class="unit">${unit}</span>`;
}

function cellHtml(cell: Cell, column: ReportColumn, greatest: number): Markup {
  if (typeof cell !== 'number') {
    const isWord = cell !== undefined && /^\S{1,32}$/.test(cell);
    return isWord ? markup`<td class="word">${cell}</td>` : markup`<td>${cell}</td>`;
  }
  const text = column.show?.(cell) ?? String(cell);
  if (column.hasBar !== true || greatest === 0) return markup`<td class="number">${text}</td>`;
  const share = ((100 * cell) / greatest).toFixed(1);
  return markup`<td class="number bar" style="--share:${share}%">${text}</td>`;
}

function attribute(isNumber: boolean | undefined): Markup {
  return isNumber === true ? markup` class="number"` : markup``;
}

/** A name that a spreadsheet would take for a formula is made text by an apostrophe. */
function csvCell(cell: Cell): string {
  if (cell === undefined) return '';
  if (typeof cell === 'number') return String(cell);
  const text = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** On paper a table of so many rows stays on one page. */
const SHORT_ROWS_MAX = 16;
