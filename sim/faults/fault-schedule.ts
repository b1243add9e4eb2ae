import { Newcomers } from '../churn/newcomers.ts';
import type { FaultPlan } from '../scenario/scenario.ts';
import type { FaultMark } from '../simulation/run-record.ts';
import type { SimOverlay } from '../simulation/sim-overlay.ts';
import type { SimNode } from '../world/sim-node.ts';
import type { SimRandom } from '../world/sim-random.ts';
import { ConfigurationSpread } from './configuration-spread.ts';

/** Carries out what happens once in a scenario, and says when it did. */
export class FaultSchedule {
  /** Nodes that a configuration names as bad-nodes, or a list as revoked. */
  readonly revoked = new Set<SimNode>();
  /** Nodes with certificates of the second root. */
  private readonly ofSecondRoot = new Set<SimNode>();
  /** Nodes that vanished at once. */
  readonly vanished = new Set<SimNode>();
  readonly configurations: ConfigurationSpread;
  private readonly overlay: SimOverlay;
  private readonly plans: readonly FaultPlan[];
  private readonly newcomers: Newcomers;
  private readonly random: SimRandom;
  private readonly running: RunningMark[] = [];
  /** What is to end: at its time, or when the schedule stops. */
  private readonly endings = new Set<() => void>();
  /** The partition and the bad network that there are now: the next one of a sort ends it. */
  private readonly endOf = new Map<FaultPlan['type'], () => void>();
  private startMs = 0;
  private isRunning = false;

  constructor(
    overlay: SimOverlay,
    plans: readonly FaultPlan[],
    newcomers = new Newcomers(overlay),
  ) {
    this.overlay = overlay;
    this.plans = plans;
    this.newcomers = newcomers;
    this.random = overlay.world.stream('faults');
    this.configurations = new ConfigurationSpread(overlay, (node) => this.revoked.has(node));
  }

  /** The times of the plans count from now. */
  start(): void {
    const { world } = this.overlay;
    this.startMs = world.nowMs;
    this.isRunning = true;
    for (const plan of this.plans) {
      world.schedule(plan.atMinutes * 60_000, () => {
        if (this.isRunning) this.begin(plan);
      });
    }
  }

  /** What lasts ends now, and nothing begins any more. */
  stop(): void {
    this.isRunning = false;
    for (const end of [...this.endings]) end();
  }

  /** What has begun so far. Of a new configuration the end is when everybody has it. */
  get marks(): FaultMark[] {
    return this.running.map(({ atMs, endMs, label, spread }) => {
      const spreadEnds = spread?.completeAfterSeconds;
      const isSpread = spread !== undefined && spreadEnds !== undefined;
      const end = isSpread ? spread.startedMs + spreadEnds * 1000 : endMs;
      return {
        atMinutes: this.minutesAt(atMs),
        endMinutes: end === undefined ? undefined : this.minutesAt(end),
        label,
      };
    });
  }

  private begin(plan: FaultPlan): void {
    if (plan.type === 'partition' || plan.type === 'badNetwork') this.endOf.get(plan.type)?.();
    switch (plan.type) {
      case 'vanish':
        return this.vanish(plan.share);
      case 'partition':
        return this.divide(plan);
      case 'flashCrowd':
        return this.flashCrowd(plan);
      case 'badNetwork':
        return this.worsenNetwork(plan);
      case 'fullDisks':
        return this.fillDisks(plan);
      case 'configurationRollOver':
        return this.rollOver('new configuration');
      case 'rootAdded':
        return this.addRoot(plan.peers);
      case 'rootRemoved':
        return this.removeRoot();
      case 'kindChanged':
        return this.changeKind(plan.maxSizeBytes);
      case 'revocation':
        return this.revoke(plan.share);
      case 'revocationList':
        return this.revokeByList(plan);
    }
  }

  /** Of all peers so many, but never bootstrap nodes; they end as crashes of churn do, for good. */
  private vanish(share: number): void {
    const { processCrashShare } = this.overlay.scenario.churn;
    const chosen = this.chosen(share);
    this.mark(`${percent(share)} of the peers vanish`);
    for (const node of chosen) {
      this.vanished.add(node);
      const how = this.random.chance(processCrashShare) ? 'process' : 'host';
      this.overlay.stop(node, how, true);
    }
  }

  /** Both parts have a bootstrap node, where there are two; who joins later is on a random side. */
  private divide(plan: Extract<FaultPlan, { type: 'partition' }>): void {
    const { world, bootstrapNodes } = this.overlay;
    const { network } = world;
    const sides: number[] = [];
    const others = world.nodes.filter((node) => node.isUp && !bootstrapNodes.includes(node));
    for (const list of [bootstrapNodes, others]) {
      const most = Math.max(1, list.length - 1);
      const wanted = Math.min(most, Math.max(1, Math.round(plan.share * list.length)));
      for (const [at, node] of this.random.shuffled(list).entries()) {
        sides[node.index] = at < wanted ? 1 : 0;
      }
    }
    network.divide(({ index }) => {
      sides[index] ??= this.random.chance(plan.share) ? 1 : 0;
      return sides[index] as number;
    });
    const label = `partition, ${percent(plan.share)} on one side`;
    this.endOf.set(
      plan.type,
      this.last(label, plan.minutes, () => network.heal()),
    );
  }

  private flashCrowd(plan: Extract<FaultPlan, { type: 'flashCrowd' }>): void {
    const { world } = this.overlay;
    const windowMs = plan.minutes * 60_000;
    let isOver = false;
    this.last(`${plan.peers} peers join`, plan.minutes, () => {
      isOver = true;
    });
    for (let count = 0; count < plan.peers; count++) {
      world.schedule(Math.floor(this.random.share() * windowMs), () => {
        if (!isOver) this.newcomers.start('peer');
      });
    }
  }

  private worsenNetwork(plan: Extract<FaultPlan, { type: 'badNetwork' }>): void {
    const { network } = this.overlay.world;
    const { lossShare, duplicateShare, reorderShare } = plan;
    const before = network.conditions;
    network.conditions = { ...before, lossShare, duplicateShare, reorderShare };
    const end = this.last(`bad network, ${percent(lossShare)} loss`, plan.minutes, () => {
      network.conditions = before;
    });
    this.endOf.set(plan.type, end);
  }

  private fillDisks(plan: Extract<FaultPlan, { type: 'fullDisks' }>): void {
    const { nodes } = this.overlay.world;
    const empty = nodes.filter((node) => node.isUp && !node.disk.isFull);
    const chosen = this.random.shuffled(empty).slice(0, Math.round(plan.share * empty.length));
    for (const { disk } of chosen) disk.isFull = true;
    this.last(`${percent(plan.share)} of the disks are full`, plan.minutes, () => {
      for (const { disk } of chosen) disk.isFull = false;
    });
  }

  /** A new configuration makes these nodes bad-nodes. */
  revokeNodes(nodes: readonly SimNode[], label: string): void {
    const { world } = this.overlay;
    for (const node of nodes) {
      this.revoked.add(node);
      world.revoke(node);
    }
    world.changesUnderWay++;
    this.rollOver(label, () => world.changesUnderWay--);
  }

  private revoke(share: number): void {
    this.revokeNodes(this.chosen(share), `${percent(share)} of the peers are revoked`);
  }

  /** Who is named does all to stay: its host fetches no list. */
  private revokeByList(plan: Extract<FaultPlan, { type: 'revocationList' }>): void {
    const { world, revocation } = this.overlay;
    if (revocation === undefined) throw new Error('the overlay publishes no revocation lists');
    const chosen = this.chosen(plan.share);
    for (const node of chosen) {
      this.revoked.add(node);
      world.revoke(node);
    }
    world.changesUnderWay++;
    const mark = this.mark(`${percent(plan.share)} of the peers are in a revocation list`);
    mark.endMs = mark.atMs + plan.minutes * 60_000;
    revocation.publish(chosen, plan.minutes * 60_000, () => world.changesUnderWay--);
  }

  /** Who comes before all trust the root would be refused by some. */
  private addRoot(peers: number): void {
    this.overlay.trustSecondRoot(true);
    this.rollOver('a second root', () => {
      if (!this.isRunning) return;
      const special = { isOfSecondRoot: true };
      for (let count = 0; count < peers; count++) {
        this.ofSecondRoot.add(this.newcomers.start('peer', special));
      }
    });
  }

  private removeRoot(): void {
    this.overlay.trustSecondRoot(false);
    this.revokeNodes([...this.ofSecondRoot], 'the second root goes');
  }

  private changeKind(maxSizeBytes: number): void {
    this.overlay.requireKind({ ...CHANGED_KIND, maxSizeBytes });
    this.rollOver(`a Kind of ${maxSizeBytes} bytes`);
  }

  /** The newest configuration names all that were revoked so far, and one peer gets it. */
  private rollOver(label: string, complete?: () => void): void {
    const named = [...this.revoked].filter((node) => !this.ofSecondRoot.has(node));
    const badNodes = named.map(({ nodeId }) => nodeId);
    const configuration = this.overlay.publishConfiguration({ badNodes });
    const honest = this.overlay
      .joinedPeers()
      .filter((node) => node.behavior === undefined && !this.revoked.has(node));
    const first = this.random.pick(honest);
    const mark = this.mark(label);
    if (first === undefined) complete?.();
    else mark.spread = this.configurations.give(first, configuration, complete);
  }

  /** A share of all peers that are up, taken from those that are no bootstrap nodes. */
  private chosen(share: number): SimNode[] {
    const { world, bootstrapNodes } = this.overlay;
    const up = world.nodes.filter((node) => node.role === 'peer' && node.isUp);
    const mortal = up.filter((node) => !bootstrapNodes.includes(node) && !this.revoked.has(node));
    return this.random.shuffled(mortal).slice(0, Math.round(share * up.length));
  }

  private mark(label: string): RunningMark {
    const atMs = this.overlay.world.nowMs;
    const mark: RunningMark = { atMs, endMs: undefined, label, spread: undefined };
    this.running.push(mark);
    return mark;
  }

  /** `end` is called once: `minutes` from now, when the schedule stops, or by what is returned. */
  private last(label: string, minutes: number, end: () => void): () => void {
    const { world } = this.overlay;
    const mark = this.mark(label);
    mark.endMs = mark.atMs + minutes * 60_000;
    const ending = () => {
      if (!this.endings.delete(ending)) return;
      mark.endMs = world.nowMs;
      end();
    };
    this.endings.add(ending);
    world.schedule(minutes * 60_000, ending);
    return ending;
  }

  private minutesAt(worldMs: number): number {
    return (worldMs - this.startMs) / 60_000;
  }
}

/** A FaultMark while it may still change. */
interface RunningMark {
  readonly atMs: number;
  readonly label: string;
  endMs: number | undefined;
  spread: ConfigurationSpread['spreads'][number] | undefined;
}

const CHANGED_KIND = {
  kindId: 0xf000_0001,
  dataModel: 'single',
  accessPolicy: 'USER-MATCH',
  maxCount: 1,
  findAllowed: false,
} as const;

function percent(share: number): string {
  return `${Math.round(share * 1000) / 10} %`;
}
