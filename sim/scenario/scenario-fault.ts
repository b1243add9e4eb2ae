/** A scenario that cannot be run: which field, and what is wrong with it. */
export class ScenarioFault {
  /** `network.lossShare`, `faults[0].share`; empty for the whole document. */
  readonly path: string;
  /** `expected a number from 0 to 1, got 7`. */
  readonly problem: string;

  constructor(path: string, problem: string) {
    this.path = path;
    this.problem = problem;
  }

  /** One sentence. */
  describe(): string {
    return this.path === '' ? this.problem : `${this.path}: ${this.problem}`;
  }
}

/** A fault that says what was expected and what came instead. */
export function unexpected(path: string, expected: string, value: unknown): ScenarioFault {
  return new ScenarioFault(path, `expected ${expected}, got ${shown(value)}`);
}

/** A value on one line, shortened. */
function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= SHOWN_MAX ? text : `${text.slice(0, SHOWN_MAX)}…`;
}

const SHOWN_MAX = 60;
