import { distance } from '../../src/reload/ring.ts';
import { resourceIdOf } from '../../src/storage/resource-name.ts';
import { type NodeId, nodeIdBytes } from '../../src/wire/node-id.ts';
import type { ResourceId } from '../../src/wire/resource-id.ts';
import type { SimNode } from '../world/sim-node.ts';
import type { World } from '../world/world.ts';
import type { AttackContext, Attacker } from './attacker.ts';
import { ATTACKS, type AttackName } from './attacks.ts';

/** Who attacks whom, and how. */
export interface AttackGroupPlan {
  readonly world: World;
  readonly attack: AttackName;
  readonly attackers: readonly SimNode[];
  readonly victims: readonly SimNode[];
  /** Whose certificates a targeted attack is aimed at; empty: everybody's. */
  readonly targets: readonly SimNode[];
  readonly overlayName: string;
  /** Of the configuration in force. */
  readonly configurationSequence: number;
  /** As in AttackContext. */
  readonly signerFor?: AttackContext['signerFor'];
}

/** The attackers of one overlay. They behave well, and watch, until the attack begins. */
export class AttackGroup {
  private readonly behaviors: readonly Attacker[];

  /** Bends the attackers; before they start, so that they see what is stored at them. */
  constructor(plan: AttackGroupPlan) {
    const { world, attack, attackers, victims, overlayName, configurationSequence } = plan;
    const { signerFor } = plan;
    const targets = new Set(plan.targets.map(({ nodeId }) => certificateResource(nodeId)));
    const shared = {
      world,
      friends: attackers,
      victims,
      overlayName,
      configurationSequence,
      signerFor,
    };
    this.behaviors = attackers.map((node) => {
      const behavior = ATTACKS[attack].behavior({ ...shared, node, targets });
      node.behavior = behavior;
      return behavior;
    });
  }

  begin(): void {
    for (const behavior of this.behaviors) behavior.begin();
  }
}

/**
 * Of `drawn`, the Node-IDs of the certificates that one attacker got at random, the one that comes
 * first behind the target's certificate (RFC 6940 §13.6.2). Throws for an empty list.
 */
export function chosenNodeId(target: NodeId, drawn: readonly NodeId[]): NodeId {
  const resource = certificateResource(target);
  return drawn.reduce((best, id) =>
    distance(resource, id) < distance(resource, best) ? id : best,
  );
}

/** Where the certificate of a node is stored by its Node-ID (RFC 6940 §8). */
function certificateResource(nodeId: NodeId): ResourceId {
  return resourceIdOf(nodeIdBytes(nodeId));
}
