// The table of docs/attacks.md: `node --import tsx scripts/attack-curves.ts [ATTACK …]`, by default
// of every attack. The same program gives the same figures.
import { generateKeyPairSync } from 'node:crypto';
import { ATTACKS, type AttackName } from '../sim/attackers/attacks.ts';
import { attackCurve, type Harm } from '../sim/attackers/measure-harm.ts';
import type { SimKeyPair } from '../sim/identity/signature-scheme.ts';
import { ATTACK_NAMES } from '../sim/scenario/attack-names.ts';
import type { LookupDefences } from '../src/reload/lookup-defences.ts';

const PEERS = 40;
const LOOKUPS = 100;
const SHARES = [0, 0.05, 0.1, 0.2, 0.3];
const SEEDS = [1, 2];
const DEFENCES: LookupDefences = { lookupReplicas: 3, lookupPaths: 3, retryDifferentHop: true };

const UNITS = {
  lookups: 'lookups that succeed',
  newest: 'locations that are the newest',
  entries: 'dictionaries that are complete',
  messages: 'messages a minute sent by an honest peer',
  bytes: 'kB stored by an honest peer',
  size: 'peers that Probes suggest, of one',
} as const;

const keys = Array.from({ length: PEERS + 1 }, newKeyPair);
const asked = process.argv.slice(2);
const isAsked = (name: AttackName) => asked.length === 0 || asked.includes(name);

console.log(
  `| attack | figure | defences | ${SHARES.map(percent).join(' | ')} | messages, 0 → 20 % |`,
);
console.log(`|---|---|---|${SHARES.map(() => '---|').join('')}---|`);
for (const name of ATTACK_NAMES.filter(isAsked)) {
  for (const defences of isLookup(name) ? [undefined, DEFENCES] : [undefined]) {
    const runs = SEEDS.map((seed) => {
      const options = { keys, seed, peers: PEERS, lookups: LOOKUPS };
      return attackCurve({ attack: name, shares: SHARES, defences, options });
    });
    const points = SHARES.map((_, at) => runs.map((run) => run[at] as Harm));
    const cells = points.map((harms) => cell(name, harms));
    const messages = [points[0], points[3]].map((harms = []) =>
      mean(harms.map(({ messagesPerMinute }) => messagesPerMinute)).toFixed(0),
    );
    const row = [name, UNITS[ATTACKS[name].harms], defences === undefined ? 'off' : 'on', ...cells];
    console.log(`| ${row.join(' | ')} | ${messages.join(' → ')} |`);
  }
}

function isLookup(name: AttackName): boolean {
  return ['lookups', 'newest', 'entries'].includes(ATTACKS[name].harms);
}

/** The mean over the seeds. */
function cell(name: AttackName, harms: readonly Harm[]): string {
  const harm = mean(harms.map((one) => one.harm));
  if (isLookup(name)) return percent(1 - harm);
  if (ATTACKS[name].harms === 'bytes') return (harm / 1000).toFixed(0);
  return ATTACKS[name].harms === 'size' ? harm.toFixed(2) : harm.toFixed(0);
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, one) => sum + one, 0) / numbers.length;
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}

function newKeyPair(): SimKeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  return {
    privateKey: privateKey.export({ format: 'der', type: 'pkcs8' }),
    publicKey: publicKey.export({ format: 'der', type: 'spki' }),
  };
}
