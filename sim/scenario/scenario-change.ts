import { isRecord } from './field-reader.ts';
import type { Scenario } from './scenario.ts';
import { ScenarioFault } from './scenario-fault.ts';
import { readScenario } from './scenario-reader.ts';

/** One field of a scenario with another value: `network.lossShare`, `faults[0].share`. */
export interface ScenarioChange {
  readonly path: string;
  readonly value: unknown;
}

/**
 * The scenario with one field changed. An object is laid over the present one, a list takes the
 * place of the present one.
 */
export function withChange(
  scenario: Scenario,
  path: string,
  value: unknown,
): Scenario | ScenarioFault {
  return withChanges(scenario, [{ path, value }]);
}

/** The scenario with several fields changed, which are looked at together. */
export function withChanges(
  scenario: Scenario,
  changes: readonly ScenarioChange[],
): Scenario | ScenarioFault {
  const document = structuredClone(scenario) as unknown as Record<string, unknown>;
  // Whoever asks for fewer peers need not say that fewer of them are bootstrap nodes.
  const isChosen = changes.some(({ path }) => path === 'bootstrapNodes');
  for (const change of changes) {
    const fault = put(document, change);
    if (fault !== undefined) return fault;
  }
  const { peers, bootstrapNodes } = document;
  if (!isChosen && Number(bootstrapNodes) > Number(peers) && Number(peers) >= 1) {
    document.bootstrapNodes = peers;
  }
  return readScenario(document);
}

/** `path=value`, the value being JSON or, where it is none, text. Undefined: there is no "=". */
export function changeOf(text: string): ScenarioChange | undefined {
  const [, path, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  return path === undefined || value === undefined
    ? undefined
    : { path: path.trim(), value: jsonOrText(value) };
}

/** `path=value,value…`; a list or object among the values stays whole. */
export function variationOf(
  text: string,
): { readonly path: string; readonly values: readonly unknown[] } | undefined {
  const [, path, values] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
  if (path === undefined || values === undefined) return undefined;
  return { path: path.trim(), values: commaSeparated(values).map(jsonOrText) };
}

function put(document: Record<string, unknown>, change: ScenarioChange): ScenarioFault | undefined {
  const steps = change.path.split(/[.[\]]+/).filter((step) => step !== '');
  const last = steps.pop();
  if (last === undefined) return new ScenarioFault(change.path, 'expected the name of a field');
  let place: unknown = document;
  for (const [depth, step] of steps.entries()) {
    place = isPlace(place) && Object.hasOwn(place, step) ? place[step] : undefined;
    if (!isPlace(place)) {
      const there = steps.slice(0, depth + 1).join('.');
      return new ScenarioFault(change.path, `there is no ${there} in this scenario to change`);
    }
  }
  if (!isPlace(place)) return new ScenarioFault(change.path, 'there is no such field');
  const present = Object.hasOwn(place, last) ? place[last] : undefined;
  const isLaidOver = isRecord(present) && isRecord(change.value) && !('model' in change.value);
  Object.defineProperty(place, last, {
    value: isLaidOver ? { ...present, ...change.value } : change.value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
  return undefined;
}

function isPlace(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Splits at commas that are in no brackets and in no quotes. */
function commaSeparated(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let isQuoted = false;
  let part = '';
  for (const [at, character] of [...text].entries()) {
    if (character === '"' && text[at - 1] !== '\\') isQuoted = !isQuoted;
    if (!isQuoted && '[{'.includes(character)) depth++;
    if (!isQuoted && ']}'.includes(character)) depth--;
    if (character === ',' && depth === 0 && !isQuoted) {
      parts.push(part);
      part = '';
    } else {
      part += character;
    }
  }
  return [...parts, part];
}
