/** The attacks that a scenario can name: the behaviours of `sim/attackers/`. */
export const ATTACK_NAMES = [
  'drop-forwards',
  'route-to-friends',
  'false-responsibility',
  'withhold',
  'stale-values',
  'subset',
  'deny-all-knowledge',
  'flood-joins',
  'flood-updates',
  'lie-in-update',
  'lie-in-probe',
  'replay',
  'chosen-node-ids',
  'exhaust-quota',
  'revoked-certificate',
  'expired-certificate',
  'forged-configuration',
] as const;

export type AttackName = (typeof ATTACK_NAMES)[number];
