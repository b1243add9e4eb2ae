import { describe, expect, it } from 'vitest';
import { ATTACK_NAMES, type AttackName, attackNamed } from '../../../sim/attackers/attacks.ts';
import { DEFENCES, measured } from './measured.ts';

/** Without attackers: what each figure is when nobody does harm. */
const calm = () => measured('withhold', { share: 0 });

/** Attacks against which a redundant lookup helps. */
const DEFENDED = [
  'drop-forwards',
  'route-to-friends',
  'false-responsibility',
  'withhold',
  'stale-values',
  'subset',
  'deny-all-knowledge',
  'chosen-node-ids',
] as const satisfies readonly AttackName[];

describe('An overlay without attackers', () => {
  it('answers every lookup', () => {
    expect(calm()).toMatchObject({ lookups: 60, succeeded: 60, sizeFactor: 1 });
  });
});

describe.each(DEFENDED)('%s', (attack) => {
  it('harms while the defences are off', () => {
    expect(measured(attack).harm).toBeGreaterThan(0.1);
  });

  it('harms less with redundant lookups', () => {
    const { harm } = measured(attack, { defences: DEFENCES });
    expect(harm).toBeLessThan(0.75 * measured(attack).harm);
  });
});

describe('lie-in-update', () => {
  it('keeps peers from answering for what is theirs', () => {
    expect(measured('lie-in-update', { share: 0.05 }).harm).toBeGreaterThan(0.1);
  });
});

describe('An attack on the resources of others', () => {
  it.each(['flood-joins', 'flood-updates', 'replay'] as const)('%s: messages', (attack) => {
    const { harm } = measured(attack, { share: 0.05, lookups: 20 });
    expect(harm).toBeGreaterThan(1.25 * calm().messagesPerMinute);
  });

  it('exhaust-quota: bytes stored, but no more than the limits of the Kinds allow', () => {
    const { harm } = measured('exhaust-quota', { share: 0.05 });
    expect(harm).toBeGreaterThan(3 * calm().storedBytes);
    // One attacker in 25: 36 certificates of 8 kB, at three peers each.
    expect(harm).toBeLessThan(calm().storedBytes + (36 * 8_192 * 3) / 24);
  });

  it('lie-in-probe: the overlay seems larger than it is', () => {
    expect(measured('lie-in-probe').harm).toBeGreaterThan(1.15);
  });
});

describe('An attack that RFC 6940 prevents', () => {
  const prevented = ATTACK_NAMES.filter((name) => attackNamed(name).preventedBy !== undefined);

  it.each(prevented)('%s harms with the check removed, and not with it', (attack) => {
    expect(measured(attack, { checks: 'removed' }).harm).toBeGreaterThan(0.1);
    expect(measured(attack).harm).toBeLessThan(0.05);
  });
});

describe('The list of attacks', () => {
  it('says of each what it does and where it is described', () => {
    for (const name of ATTACK_NAMES) {
      const { sentence, source } = attackNamed(name);
      expect(sentence, name).toMatch(/^[A-Z].*\.$/);
      expect(source, name).toMatch(/RFC \d+ §/);
    }
  });
});
