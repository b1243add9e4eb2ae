import { DEFAULT_SCENARIO } from './default-scenario.ts';
import { isRecord } from './field-reader.ts';
import type { Scenario } from './scenario.ts';
import { combinationFault } from './scenario-checks.ts';
import { ScenarioFault, unexpected } from './scenario-fault.ts';
import { scenarioRecord } from './scenario-fields.ts';

/** Reads a scenario from JSON. Fields that are absent are those of `DEFAULT_SCENARIO`. */
export function parseScenario(text: string): Scenario | ScenarioFault {
  const document = parseJson(text);
  return document instanceof ScenarioFault ? document : readScenario(document);
}

/** Reads a scenario from a JSON value; what it returns can be run. */
export function readScenario(document: unknown): Scenario | ScenarioFault {
  const scenario = scenarioRecord(document, '', defaultsFor(document));
  if (scenario instanceof ScenarioFault) return scenario;
  return combinationFault(scenario) ?? scenario;
}

/** A JSON value, or a fault that says where the text is none. */
export function parseJson(text: string): unknown {
  if (text.length > DOCUMENT_CHARACTERS_MAX) {
    const expected = `a document of at most ${DOCUMENT_CHARACTERS_MAX} characters`;
    return new ScenarioFault('', `expected ${expected}, got ${text.length}`);
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return new ScenarioFault('', `expected a scenario in JSON: ${reason.replaceAll('\n', ' ')}`);
  }
}

/** A fault where a file does not say what it is called. */
export function nameFault(document: unknown): ScenarioFault | undefined {
  if (!isRecord(document))
    return unexpected('', 'an object with the fields of a scenario', document);
  return document.name === undefined ? unexpected('name', 'a name', undefined) : undefined;
}

/** As many bootstrap nodes as usual, or all peers where they are fewer. */
function defaultsFor(document: unknown): Scenario {
  const { bootstrapNodes } = DEFAULT_SCENARIO;
  const peers = isRecord(document) ? document.peers : undefined;
  if (typeof peers !== 'number' || !(peers >= 1)) return DEFAULT_SCENARIO;
  return { ...DEFAULT_SCENARIO, bootstrapNodes: Math.min(bootstrapNodes, peers) };
}

/** The largest files are those with a trace of churn. */
const DOCUMENT_CHARACTERS_MAX = 100_000_000;
