import type { Input } from '../../src/reload/input.ts';
import type { Output } from '../../src/reload/output.ts';
import { advance } from '../../src/reload/ring.ts';
import { toHex } from '../../src/wire/hex.ts';
import type { NodeId } from '../../src/wire/node-id.ts';
import type { ResourceId } from '../../src/wire/resource-id.ts';
import type { SimNode } from '../world/sim-node.ts';
import type { SimRandom } from '../world/sim-random.ts';
import type { World } from '../world/world.ts';
import { type Checker, type ReportViolation, violationOf } from './checker.ts';
import { isValueKey, resourceInKey } from './durable-value.ts';
import { Membership } from './membership.ts';
import { Suspicions } from './suspicions.ts';

/** Times in ms of the World. */
export interface OneResponsibleOptions {
  /** Ranges are settled this long after the last member came or went. */
  readonly stableMs: number;
  /** After a partition the same takes this long. */
  readonly healMs: number;
  /** Resource-IDs that all members are asked for at each check. */
  readonly samples: number;
}

/**
 * Once stable, exactly one member takes itself to be responsible for a Resource-ID: the one at or
 * after it (RFC 6940 §10.1). Nobody is: `convergence`; more than one, or another: `correctness`.
 * Chord promises nothing of the kind while peers come and go: a Store may meet two owners then. The
 * same is so while a peer suspects its predecessor and stands in for it.
 *
 * Looked at: the ends of each member's range, which with ranges being intervals covers all IDs at
 * O(N); every stored resource at all of its holders; and some random IDs at every member.
 */
export class OneResponsible implements Checker {
  readonly name = 'one responsible peer';
  private readonly world: World;
  private readonly report: ReportViolation;
  private readonly options: OneResponsibleOptions;
  private readonly members: Membership;
  private readonly suspicions: Suspicions;
  private isSettled = true;
  private readonly random: SimRandom;
  private reportedMs = Number.NEGATIVE_INFINITY;

  constructor(world: World, report: ReportViolation, options: Partial<OneResponsibleOptions> = {}) {
    this.world = world;
    this.report = report;
    this.options = { ...OPTIONS_DEFAULT, ...options };
    this.members = new Membership(world);
    this.suspicions = new Suspicions(world);
    this.random = world.stream('checkers/one responsible peer');
  }

  handled(node: SimNode, _input: Input, outputs: readonly Output[]): void {
    this.members.noteOutputs(node, outputs);
  }

  stopped(node: SimNode): void {
    this.members.sync(node);
  }

  revoked(node: SimNode): void {
    this.stopped(node);
  }

  check(): void {
    const { members, options } = this;
    const isStable = !members.wasDivided(options.healMs) && members.stableMs >= options.stableMs;
    // One report for each time that the overlay came to rest.
    if (!isStable || members.size === 0 || this.reportedMs >= members.changedMs) return;
    this.isSettled = true;
    this.checkRanges();
    this.checkStored();
    for (let count = 0; count < options.samples; count++) {
      const id = toHex(this.random.bytes(16)) as ResourceId;
      for (const nodeId of members.ring) this.ask(members.member(nodeId) as SimNode, id);
    }
    if (this.isSettled) this.suspicions.settle();
  }

  finish(): void {
    this.check();
  }

  private checkRanges(): void {
    const { members } = this;
    for (let at = 0; at < members.size; at++) {
      const node = members.at(at);
      const before = members.at(at - 1).nodeId;
      this.ask(node, node.nodeId);
      this.ask(node, before);
      this.ask(node, advance(before, 1n));
    }
  }

  private checkStored(): void {
    const { members } = this;
    for (const nodeId of members.ring) {
      const node = members.member(nodeId) as SimNode;
      const resources = new Set(
        [...node.disk.records.keys()].filter(isValueKey).map(resourceInKey),
      );
      for (const resource of resources) {
        this.ask(node, resource as ResourceId);
        this.ask(members.responsibleFor(resource), resource as ResourceId);
      }
    }
  }

  private ask(node: SimNode, id: NodeId | ResourceId): void {
    const right = this.members.responsibleFor(id);
    const says = node.peer?.isResponsible(id) === true;
    if (says === (node === right) || this.reportedMs >= this.members.changedMs) return;
    this.isSettled = false;
    // It stands in for one that does not acknowledge.
    if (says && this.suspicions.excuses(node, right.nodeId)) return;
    this.reportedMs = this.world.nowMs;
    const detail = says
      ? `${node.name} takes itself to be responsible for ${id}, which is ${right.name}'s`
      : `nobody is responsible for ${id}: ${node.name}, the first member after it, says no`;
    const kind = says ? 'correctness' : 'convergence';
    const seconds = Math.round(this.members.stableMs / 1000);
    const nodes = node === right ? [node] : [node, right];
    const since = `${seconds} s after the last change`;
    this.report(violationOf(this.world, this, kind, nodes, `${detail}, ${since}`));
  }
}

const OPTIONS_DEFAULT: OneResponsibleOptions = { stableMs: 120_000, healMs: 600_000, samples: 16 };
