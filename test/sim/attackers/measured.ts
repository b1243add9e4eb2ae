import { generateKeyPairSync } from 'node:crypto';
import type { AttackName } from '../../../sim/attackers/attacks.ts';
import { type Harm, measureHarm } from '../../../sim/attackers/measure-harm.ts';
import type { SimKeyPair } from '../../../sim/identity/signature-scheme.ts';
import type { LookupDefences } from '../../../src/reload/lookup-defences.ts';

/** What "with the defences" means in these tests. */
export const DEFENCES: LookupDefences = {
  lookupReplicas: 3,
  lookupPaths: 3,
  retryDifferentHop: true,
};

/** What differs from a fifth of a small overlay that attacks the rest, which has no defences. */
export interface MeasurePlan {
  readonly share?: number;
  readonly defences?: LookupDefences;
  readonly checks?: 'made' | 'removed';
  readonly lookups?: number;
}

/** Each measurement is made once. */
export function measured(attack: AttackName, plan: MeasurePlan = {}): Harm {
  const key = `${attack} ${JSON.stringify(plan)}`;
  const known = done.get(key);
  if (known !== undefined) return known;
  const { share = 0.2, defences, checks = 'made', lookups = 50 } = plan;
  const harm = measureHarm(attack, share, defences, { keys: KEYS, peers: 25, lookups, checks });
  done.set(key, harm);
  return harm;
}

/** All measurements are made again. */
export function forget(): void {
  done.clear();
}

const done = new Map<string, Harm>();

function newKeyPair(): SimKeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  return {
    privateKey: privateKey.export({ format: 'der', type: 'pkcs8' }),
    publicKey: publicKey.export({ format: 'der', type: 'spki' }),
  };
}

export const KEYS = Array.from({ length: 26 }, newKeyPair);
