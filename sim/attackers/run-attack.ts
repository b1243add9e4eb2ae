import type { LookupDefences } from '../../src/reload/lookup-defences.ts';
import { toHex } from '../../src/wire/hex.ts';
import type { NodeId } from '../../src/wire/node-id.ts';
import type { AttackPlan } from '../scenario/scenario.ts';
import type { NewNode, SimOverlay } from '../simulation/sim-overlay.ts';
import { OVERLAY } from '../simulation/sim-overlay.ts';
import { WORLD_START_UNIX_MS } from '../world/sim-clock.ts';
import type { SimNode } from '../world/sim-node.ts';
import type { SimRandom } from '../world/sim-random.ts';
import { AttackGroup, chosenNodeId } from './attack-group.ts';
import { ATTACKS, type Attack } from './attacks.ts';

/**
 * The attack of a scenario: which of the peers that are there from the beginning are attackers,
 * and what is special about their certificates. They join and behave like all others until `begin`.
 */
export class RunAttack {
  readonly attackers: SimNode[] = [];
  private readonly overlay: SimOverlay;
  private readonly plan: AttackPlan;
  private readonly attack: Attack;
  private readonly random: SimRandom;
  private readonly chosen: ReadonlySet<number>;
  private readonly targets: SimNode[] = [];
  private readonly begunAtMs: number;
  private group: AttackGroup | undefined;

  /** `begunAtMs`: when `begin` will be called, ms of the World: certificates expire then. */
  constructor(overlay: SimOverlay, plan: AttackPlan, begunAtMs: number) {
    const { peers, bootstrapNodes } = overlay.scenario;
    this.overlay = overlay;
    this.plan = plan;
    this.attack = ATTACKS[plan.name];
    this.begunAtMs = begunAtMs;
    this.random = overlay.world.stream('attack');
    const mortal = Array.from({ length: peers - bootstrapNodes }, (_, at) => bootstrapNodes + at);
    const count = Math.min(mortal.length, Math.round(plan.share * peers));
    this.chosen = new Set(this.random.shuffled(mortal).slice(0, count));
  }

  isAttacker(index: number): boolean {
    return this.chosen.has(index);
  }

  /** What honest peers do against it beyond the RFC. */
  get defences(): LookupDefences | undefined {
    const { lookupReplicas, lookupPaths } = this.plan.defences;
    if (lookupReplicas <= 1 && lookupPaths <= 1) return undefined;
    return { lookupReplicas, lookupPaths, retryDifferentHop: true };
  }

  /** How the certificate of an attacker differs from others. */
  newNode(): NewNode {
    switch (this.attack.certificates) {
      case 'expired':
        return { notAfterUnixMs: WORLD_START_UNIX_MS + this.begunAtMs };
      case 'chosen': {
        const target = this.random.pick(this.overlay.world.nodes);
        if (target === undefined) return {};
        this.targets.push(target);
        const drawn = Array.from({ length: CERTIFICATES_EACH }, () => this.newNodeId());
        return { nodeId: chosenNodeId(target.nodeId, drawn) };
      }
      default:
        return {};
    }
  }

  /** All nodes are made, none has started. */
  prepare(): void {
    const { world, configuration } = this.overlay;
    this.attackers.push(...world.nodes.filter(({ index }) => this.isAttacker(index)));
    this.group = new AttackGroup({
      world,
      attack: this.plan.name,
      attackers: this.attackers,
      victims: world.nodes.filter(({ index }) => !this.isAttacker(index)),
      targets: this.targets,
      overlayName: OVERLAY,
      configurationSequence: configuration.sequence,
    });
  }

  /** The attack begins. Returns whose certificates are revoked from now on. */
  begin(): readonly SimNode[] {
    this.group?.begin();
    return this.attack.certificates === 'revoked' ? this.attackers : [];
  }

  private newNodeId(): NodeId {
    return toHex(this.random.bytes(16)) as NodeId;
  }
}

/** What the authority gives to one attacker who asks again and again. */
const CERTIFICATES_EACH = 64;
