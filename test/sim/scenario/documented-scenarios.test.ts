import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { DEFAULT_SCENARIO } from '../../../sim/scenario/default-scenario.ts';
import { ScenarioFault } from '../../../sim/scenario/scenario-fault.ts';
import { FIGURE_NAMES, parseScenarioFile } from '../../../sim/scenario/study.ts';

const document = readFileSync(new URL('../../../docs/simulation.md', import.meta.url), 'utf8');

describe('docs/simulation.md', () => {
  const examples = [...document.matchAll(/^```json\n(.*?)^```/gms)].map(([, json = '']) => json);

  test.each(examples)('its example can be run: %s', (json) => {
    const file = parseScenarioFile(json);
    expect(file instanceof ScenarioFault ? file.describe() : '').toBe('');
  });

  test('names every field of a scenario, and every figure of a study', () => {
    expect(examples.length).toBeGreaterThanOrEqual(2);
    const fields = Object.entries(DEFAULT_SCENARIO).flatMap(([name, value]) =>
      typeof value === 'object' && !Array.isArray(value)
        ? Object.keys(value).map((inner) => `${name}.${inner}`)
        : [name],
    );
    expect(fields.length).toBeGreaterThan(35);
    for (const field of [...fields, ...FIGURE_NAMES]) {
      const short = field.replace(/^workload/, '');
      expect(document.includes(`\`${field}\``) || document.includes(`\`${short}\``), field).toBe(
        true,
      );
    }
  });

  test.each([
    ['vanish', 'partition', 'flashCrowd', 'badNetwork', 'fullDisks'],
    ['configurationRollOver', 'revocation'],
    ['rootAdded', 'rootRemoved', 'kindChanged'],
  ])('names the faults %s, %s, …', (...names) => {
    for (const name of names) expect(document).toContain(`| \`${name}\` |`);
  });
});
