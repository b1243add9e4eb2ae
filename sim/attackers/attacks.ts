import type { ATTACK_NAMES } from '../scenario/attack-names.ts';
import type { AttackContext, Attacker } from './attacker.ts';
import { ExhaustQuota, FloodJoins, FloodUpdates, Replay } from './flood-attacks.ts';
import { ForgedConfiguration, LieInProbe, LieInUpdate } from './lie-attacks.ts';
import { DropForwards, FalseResponsibility, RouteToFriends } from './routing-attacks.ts';
import { DenyAllKnowledge, StaleValues, Subset, Withhold } from './storage-attacks.ts';

/**
 * What an attack harms, and so how the harm is counted: `lookups` certificates by Node-ID that are
 * not found, `newest` locations that are not the newest, `entries` dictionaries that are not
 * complete, `messages` that honest peers send, `bytes` that honest peers store, `size` how wrong
 * the number of peers is that Probes suggest.
 */
export type HarmMeasure = 'lookups' | 'newest' | 'entries' | 'messages' | 'bytes' | 'size';

export interface Attack {
  /** One sentence, for people. */
  readonly sentence: string;
  /** Where it is described. */
  readonly source: string;
  readonly harms: HarmMeasure;
  readonly behavior: (context: AttackContext) => Attacker;
  /**
   * What of RFC 6940 keeps it from doing any harm: it is shown with that check removed. Absent: it
   * harms every peer that does what the RFC says.
   */
  readonly preventedBy?: string;
  /** What is special about the attackers' certificates. */
  readonly certificates?: 'chosen' | 'revoked' | 'expired';
}

export type AttackName = (typeof ATTACK_NAMES)[number];

/** Each attack of RFC 6940 §13.5 and §13.6 that remains, and those of S/Kademlia §3. */
export const ATTACKS: Readonly<Record<AttackName, Attack>> = {
  'drop-forwards': {
    sentence: 'Drops every request and answer that it should pass on.',
    source: 'RFC 6940 §13.6.6; S/Kademlia §3.3 (adversarial routing)',
    harms: 'lookups',
    behavior: (context) => new DropForwards(context),
  },
  'route-to-friends': {
    sentence: 'Passes each Fetch to the friend nearest behind the resource, who denies the value.',
    source: 'RFC 6940 §13.6.6 ("subvert routing to other compromised peers")',
    harms: 'lookups',
    behavior: (context) => new RouteToFriends(context),
  },
  'false-responsibility': {
    sentence: 'Answers each Fetch that comes by as if it were responsible: there is nothing.',
    source: 'RFC 6940 §13.6.6 ("make it appear as if B does not exist")',
    harms: 'lookups',
    behavior: (context) => new FalseResponsibility(context),
  },
  withhold: {
    sentence: 'Says of values that it holds that there are none.',
    source: 'RFC 6940 §13.5.4 ("deny knowledge of values")',
    harms: 'lookups',
    behavior: (context) => new Withhold(context),
  },
  'stale-values': {
    sentence: 'Serves the first values that it got, with their generation, instead of newer ones.',
    source: 'RFC 6940 §13.5.3 (rollback), §13.5.4',
    harms: 'newest',
    behavior: (context) => new StaleValues(context),
  },
  subset: {
    sentence: 'Leaves entries of a dictionary out.',
    source: 'RFC 6940 §13.5.4 ("only some subset of the values")',
    harms: 'entries',
    behavior: (context) => new Subset(context),
  },
  'deny-all-knowledge': {
    sentence: 'Answers every Fetch, Stat, Find and Store for it with "not found".',
    source: 'RFC 6940 §13.5.4 ("reject any request"), §13.6.6 ("respond with error messages")',
    harms: 'lookups',
    behavior: (context) => new DenyAllKnowledge(context),
  },
  'flood-joins': {
    sentence: 'Joins again and again, so that its successor copies its share each time.',
    source: 'RFC 6940 §13.6.5; S/Kademlia §3.4 (denial of service)',
    harms: 'messages',
    behavior: (context) => new FloodJoins(context),
  },
  'flood-updates': {
    sentence: 'Names ever new Node-IDs beside its neighbours, who try to attach to them.',
    source: 'RFC 6940 §13.6.5, §10.7.3; S/Kademlia §3.4 (denial of service)',
    harms: 'messages',
    behavior: (context) => new FloodUpdates(context),
  },
  'lie-in-update': {
    sentence: 'Names predecessors that do not exist, right before its neighbours, and its friends.',
    source: 'RFC 6940 §13.6.3, §13.6.6; S/Kademlia §3.2 (Eclipse)',
    harms: 'lookups',
    behavior: (context) => new LieInUpdate(context),
    preventedBy:
      'a predecessor counts by its own signature, for which it needs a certificate (§6.3.4)',
  },
  'lie-in-probe': {
    sentence: 'Answers Probes as if it were responsible for nearly nothing.',
    source: 'RFC 6940 §13.6.6 ("advertise false network metrics"), §6.4.2.5',
    harms: 'size',
    behavior: (context) => new LieInProbe(context),
  },
  replay: {
    sentence: 'Sends requests that it has seen again and again.',
    source: 'RFC 6940 §13.6.3 (replay)',
    harms: 'messages',
    behavior: (context) => new Replay(context),
  },
  'chosen-node-ids': {
    sentence:
      'Of k certificates uses that whose Node-ID lies nearest behind its target; denies it.',
    source: 'RFC 6940 §13.6.1, §13.6.2 (Sybil, Eclipse); S/Kademlia §3.1, §3.2',
    harms: 'lookups',
    behavior: (context) => new Withhold(context),
    certificates: 'chosen',
  },
  'exhaust-quota': {
    sentence: 'Stores all that the limits of the Kinds allow under its names, and tries more.',
    source: 'RFC 6940 §13.5.2 (distributed quota)',
    harms: 'bytes',
    behavior: (context) => new ExhaustQuota(context),
  },
  'revoked-certificate': {
    sentence: 'Goes on denying what it holds after the configuration has named it a bad-node.',
    source: 'RFC 6940 §11.1 (bad-node), §13.3',
    harms: 'lookups',
    behavior: (context) => new DenyAllKnowledge(context),
    preventedBy: 'bad-node of the configuration (§11.1)',
    certificates: 'revoked',
  },
  'expired-certificate': {
    sentence: 'Joins with a certificate that is no longer valid, and denies what it holds.',
    source: 'RFC 6940 §13.3; RFC 5280 §6.1.3',
    harms: 'lookups',
    behavior: (context) => new DenyAllKnowledge(context),
    preventedBy: 'path validation (RFC 5280 §6.1.3)',
    certificates: 'expired',
  },
  'forged-configuration': {
    sentence:
      'Sends everybody a configuration of its own making in which all others are bad-nodes.',
    source: 'RFC 6940 §6.5.4.2, §11.1',
    harms: 'lookups',
    behavior: (context) => new ForgedConfiguration(context),
    preventedBy: 'the configuration-signer of the configuration held (§11.1)',
  },
};
