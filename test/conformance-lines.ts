import { readFileSync } from 'node:fs';
import ts from 'typescript';

/** A test as docs/conformance.md names it. */
export interface NamedTest {
  readonly file: string;
  readonly title: string;
}

export type ConformanceStatus =
  | { readonly type: 'tests'; readonly tests: readonly NamedTest[] }
  | { readonly type: 'not yet'; readonly issue: string }
  | { readonly type: 'not applicable'; readonly why: string };

export interface ConformanceLine {
  readonly number: string;
  readonly section: string;
  readonly requirement: string;
  readonly status: ConformanceStatus;
}

/** What a line may wait for. */
export const ISSUES: readonly string[] = [
  'Simulator',
  'Certificates',
  'XMPP over the overlay',
  'Client certificates and signatures',
  'no-ICE TLS links only',
];

/** The rows of the tables of docs/conformance.md; throws for a status of no known form. */
export function conformanceLines(markdown: string): ConformanceLine[] {
  return markdown.split('\n').flatMap((row) => {
    const cells = /^\| (\d{3}) \| (.*?) \| (.*) \| (.*) \|$/.exec(row);
    if (cells === null) return [];
    const [, number = '', section = '', requirement = '', status = ''] = cells;
    return [{ number, section, requirement, status: statusOf(number, status) }];
  });
}

/** Titles of the tests of a file as its source has them, placeholders and all. */
export function titlesIn(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2023, true);
  const titles: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && isTestFunction(node.expression)) {
      const [title] = node.arguments;
      if (title !== undefined) titles.push(literalText(title, source));
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return titles;
}

function statusOf(number: string, status: string): ConformanceStatus {
  const [word = '', ...rest] = status.split(' — ');
  const detail = rest.join(' — ');
  if (word === 'not yet') return { type: 'not yet', issue: detail };
  if (word === 'not applicable') return { type: 'not applicable', why: detail };
  const tests = status.split('<br>').map((named): NamedTest => {
    const parts = /^`(test\/[^`]+\.test\.ts)` — (.+)$/.exec(named);
    if (parts === null) throw new Error(`line ${number}: cannot read the status "${named}"`);
    return { file: parts[1] ?? '', title: (parts[2] ?? '').replaceAll('\\|', '|') };
  });
  return { type: 'tests', tests };
}

/** `it`, `test`, and `it.each(…)` with its table. */
function isTestFunction(expression: ts.Expression): boolean {
  if (ts.isIdentifier(expression)) return expression.text === 'it' || expression.text === 'test';
  if (!ts.isCallExpression(expression)) return false;
  const { expression: callee } = expression;
  return (
    ts.isPropertyAccessExpression(callee) &&
    callee.name.text === 'each' &&
    isTestFunction(callee.expression)
  );
}

function literalText(node: ts.Expression, source: ts.SourceFile): string {
  if (ts.isStringLiteralLike(node)) return node.text;
  return node.getText(source).replace(/^`|`$/g, '');
}
