import { seededRandom } from '../reload/seeded-random.ts';
import { ProcessOverlay } from './process-overlay.ts';
import { SurvivingUser, until } from './surviving-user.ts';
import { pause } from './xor-process.ts';

export interface SurvivalOptions {
  /** In both directions together. */
  readonly messages: number;
  readonly cuts: number;
  /** Of each peer. */
  readonly kills: number;
  readonly seed: number;
  readonly tell?: (line: string) => void;
}

export interface SurvivalResult {
  /** What was missing, doubled or out of order, in sentences. */
  readonly faults: readonly string[];
  /** What the clients with XEP-0198 heard at once; the rest they found in the archive. */
  readonly heardAtOnce: number;
  /** Of the clients without it: messages that came again, under the same stanza-id. */
  readonly heardAgain: number;
}

/**
 * Two users, each with a peer in a process of its own, write to each other while the network
 * between their peers is cut and the peers are killed, at instants that the seed chooses.
 */
export async function surviveCutsAndKills(options: SurvivalOptions): Promise<SurvivalResult> {
  const overlay = await ProcessOverlay.start(['nurse', 'romeo', 'juliet']);
  const users: SurvivingUser[] = [];
  try {
    await overlay.enroll('nurse', '--first');
    const each = Math.ceil(options.messages / 2);
    const romeo = await SurvivingUser.start(overlay, 'romeo', 'juliet', each);
    users.push(romeo);
    const juliet = await SurvivingUser.start(overlay, 'juliet', 'romeo', each);
    users.push(juliet);
    await new Ordeal(options, [romeo, juliet]).run();
    const faults = [...romeo.faults(juliet), ...juliet.faults(romeo)];
    return {
      faults,
      heardAtOnce: romeo.managed.originIds.length + juliet.managed.originIds.length,
      heardAgain: romeo.plain.heardAgain + juliet.plain.heardAgain,
    };
  } finally {
    await Promise.all(users.map((user) => user.end()));
    await overlay.close();
  }
}

type Fault = 'cut' | 'kill';

class Ordeal {
  private readonly options: SurvivalOptions;
  private readonly users: readonly [SurvivingUser, SurvivingUser];
  private readonly random;

  constructor(options: SurvivalOptions, users: readonly [SurvivingUser, SurvivingUser]) {
    this.options = options;
    this.users = users;
    this.random = seededRandom(options.seed);
  }

  async run(): Promise<void> {
    const { users } = this;
    const faults = this.faultsInOrder();
    const share = Math.ceil(users[0].total / (faults.length + 1));
    for (const [index, fault] of faults.entries()) {
      for (const user of users) user.writes(this.upTo(share));
      await pause(this.upTo(PAUSE_MS_MAX));
      if (fault.type === 'kill') await this.kill(fault.user);
      else await this.cut();
      const reached = users.map((user) => `${user.acknowledged}/${user.total}`).join(' and ');
      this.options.tell?.(
        `${index + 1} of ${faults.length}: ${fault.type}, acknowledged ${reached}`,
      );
      await this.somethingArrives();
      for (const user of users) user.writesUpTo(share * (index + 1));
    }
    for (const user of users) user.writesUpTo(user.total);
    for (const user of users) await user.everythingIsThere();
  }

  /** While it is cut both go on writing, and their clients lose their connections, too. */
  private async cut(): Promise<void> {
    for (const user of this.users) {
      user.proxy.cut();
      user.managed.client.loseConnection();
      user.writes(this.upTo(10));
    }
    await pause(this.upTo(CUT_MS_MAX));
    for (const user of this.users) user.proxy.heal();
  }

  private async kill(index: number): Promise<void> {
    for (const [each, user] of this.users.entries()) {
      if (each !== index) {
        user.writes(this.upTo(10));
        continue;
      }
      await user.killed();
      await user.restarts();
    }
  }

  /** The next fault is to meet a network that works. */
  private async somethingArrives(): Promise<void> {
    const before = this.users.map((user) => user.managed.originIds.length);
    for (const user of this.users) user.writes(1);
    const isThere = () =>
      this.users.some((user, index) => user.managed.originIds.length > (before[index] ?? 0));
    const nothingIsLeft = () => this.users.every((user) => !user.isWriting);
    await until(() => isThere() || nothingIsLeft(), 'a message after a cut or kill');
  }

  private faultsInOrder(): { type: Fault; user: number }[] {
    const { cuts, kills } = this.options;
    const faults: { type: Fault; user: number }[] = [];
    for (let i = 0; i < cuts; i++) faults.push({ type: 'cut', user: 0 });
    for (let i = 0; i < 2 * kills; i++) faults.push({ type: 'kill', user: i % 2 });
    const places = faults.map((fault) => ({ fault, place: this.upTo(65_536) }));
    return places.sort((a, b) => a.place - b.place).map(({ fault }) => fault);
  }

  /** From 1 to `most`. */
  private upTo(most: number): number {
    const [high = 0, low = 0] = this.random.bytes(2);
    return 1 + ((high * 256 + low) % most);
  }
}

const PAUSE_MS_MAX = 60;
const CUT_MS_MAX = 600;
