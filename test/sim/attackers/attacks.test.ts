import { describe, expect, it } from 'vitest';
import { ATTACKS, type AttackName } from '../../../sim/attackers/attacks.ts';
import { attackCurve } from '../../../sim/attackers/measure-harm.ts';
import { ATTACK_NAMES } from '../../../sim/scenario/attack-names.ts';
import { DEFENCES, forget, KEYS, measured } from './measured.ts';

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
    expect(calm()).toMatchObject({ lookups: 50, succeeded: 50, sizeFactor: 1 });
  });
});

describe.each(DEFENDED)('%s', (attack) => {
  it('harms while the defences are off', () => {
    expect(measured(attack).harm).toBeGreaterThan(0.1);
  });

  it('harms less with redundant lookups', () => {
    const { harm } = measured(attack, { defences: DEFENCES });
    expect(harm).toBeLessThan(0.4 * measured(attack).harm);
  });
});

describe('An attack on the resources of others', () => {
  it.each(['flood-joins', 'flood-updates', 'replay'] as const)('%s: messages', (attack) => {
    const { harm } = measured(attack, { share: 0.05, lookups: 8 });
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
  const prevented = ATTACK_NAMES.filter((name) => ATTACKS[name].preventedBy !== undefined);

  it.each(prevented)('%s harms with the check removed, and not with it', (attack) => {
    expect(measured(attack, { checks: 'removed' }).harm).toBeGreaterThan(0.1);
    expect(measured(attack).harm).toBeLessThan(0.05);
  });
});

describe('A measurement', () => {
  it('gives the same figures each time', () => {
    const again = { ...measured('withhold') };
    forget();
    expect(measured('withhold')).toEqual(again);
  });

  it('shows that more attackers do more harm', () => {
    const plan = { attack: 'withhold', shares: [0, 0.3], defences: undefined } as const;
    const [none, many] = attackCurve({ ...plan, options: { keys: KEYS, peers: 15, lookups: 40 } });
    expect(none?.success).toBe(1);
    expect(many?.success).toBeLessThan(0.95);
  });
});

describe('The list of attacks', () => {
  it('says of each what it does and where it is described', () => {
    for (const name of ATTACK_NAMES) {
      const { sentence, source } = ATTACKS[name];
      expect(sentence, name).toMatch(/^[A-Z].*\.$/);
      expect(source, name).toMatch(/RFC \d+ §/);
    }
  });
});
