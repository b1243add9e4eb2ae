import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ATTACKS } from '../../../sim/attackers/attacks.ts';
import {
  failedSeeds,
  loadScenario,
  presetNames,
  ScenarioUnusable,
} from '../../../sim/run/scenario-files.ts';
import { ATTACK_NAMES } from '../../../sim/scenario/attack-names.ts';

const folder = mkdtempSync(join(tmpdir(), 'xor-scenarios-'));

describe('the scenarios that come with the program', () => {
  test.each(presetNames())('%s can be read, and is called as its file is', (name) => {
    const { scenario } = loadScenario(name);
    expect(scenario.name).toBe(name);
    expect(scenario.description.length).toBeGreaterThan(10);
  });

  test.each([
    ...['smoke', 'steady', 'churn-60m', 'churn-15m', 'churn-5m', 'mass-failure', 'partition'],
    ...['flash-crowd', 'config-rollover', 'revocation', 'scaling', 'chord-paper'],
  ])('%s is there', (name) => expect(presetNames()).toContain(name));

  test('there is one for every attack, and no attack that nobody has written', () => {
    expect([...ATTACK_NAMES].sort()).toEqual(Object.keys(ATTACKS).sort());
    for (const name of ATTACK_NAMES) {
      expect(loadScenario(`attack-${name}`).scenario.attack?.name).toBe(name);
    }
  });

  test('seeds that failed once name scenarios that are there', () => {
    for (const { scenario, seed } of failedSeeds()) {
      expect(presetNames()).toContain(scenario);
      expect(Number.isSafeInteger(seed)).toBe(true);
    }
  });
});

describe('a file', () => {
  test('of a failure stands for the least that still fails', () => {
    const file = join(folder, 'failure.json');
    const shrunk = { scenario: { name: 'small', peers: 4 } };
    writeFileSync(file, JSON.stringify({ seed: 7, scenario: { name: 'big' }, shrunk }));
    expect(loadScenario(file).scenario).toMatchObject({ name: 'small', peers: 4 });
  });

  test.each<[string, string, RegExp]>([
    ['bad.json', '{"name":"a","peers":0}', /bad\.json: peers: expected a whole number from 1 to/],
    ['torn.json', '{"name":', /torn\.json: expected a scenario in JSON: /],
  ])('%s is refused in one sentence that names it', (name, text, sentence) => {
    writeFileSync(join(folder, name), text);
    expect(() => loadScenario(join(folder, name))).toThrow(ScenarioUnusable);
    expect(() => loadScenario(join(folder, name))).toThrow(sentence);
  });

  test('that is not there is refused, and so is a name that nobody knows', () => {
    expect(() => loadScenario(join(folder, 'absent.json'))).toThrow(/there is no such file/);
    expect(() => loadScenario('smoky')).toThrow(/there is no scenario "smoky"; give a file, or/);
  });
});
