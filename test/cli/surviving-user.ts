import type { SocketAddress } from '../../src/host/socket-address.ts';
import { setLocalPassword } from '../../src/host/xmpp/gateway/password-file.ts';
import { childElement, type XmppElement } from '../../src/xmpp/stanza/xmpp-element.ts';
import { CuttableProxy } from '../host/xmpp/cuttable-proxy.ts';
import { idOf, SurvivingClient } from '../host/xmpp/surviving-client.ts';
import { LOOPBACK } from './authority-fixture.ts';
import type { PeerProcess, ProcessOverlay } from './process-overlay.ts';
import { pause } from './xor-process.ts';

/** A user: a peer behind a network that can be cut, a client with XEP-0198 and one without. */
export class SurvivingUser {
  readonly proxy: CuttableProxy;
  /** Messages to write. */
  readonly total: number;
  readonly managed: SurvivingEars;
  readonly plain: SurvivingEars;
  private readonly overlay: ProcessOverlay;
  private readonly name: string;
  private readonly other: string;
  private peer: PeerProcess | undefined;
  private written = 0;

  static async start(
    overlay: ProcessOverlay,
    name: string,
    other: string,
    total: number,
  ): Promise<SurvivingUser> {
    const user = new SurvivingUser(overlay, name, other, total, await CuttableProxy.start());
    user.peer = await overlay.enroll(name, ...user.peerOptions());
    await setLocalPassword(overlay.state(name), PASSWORD);
    user.proxy.leadTo(placeOf(user.peer.xmpp));
    return user;
  }

  private constructor(
    overlay: ProcessOverlay,
    name: string,
    other: string,
    total: number,
    proxy: CuttableProxy,
  ) {
    this.overlay = overlay;
    this.name = name;
    this.other = other;
    this.total = total;
    this.proxy = proxy;
    const gateway = () => this.gateway();
    this.managed = new SurvivingEars(name, 'managed', gateway);
    this.plain = new SurvivingEars(name, 'plain', gateway);
  }

  get acknowledged(): number {
    return this.managed.client.acknowledged;
  }

  get isWriting(): boolean {
    return this.written < this.total || this.managed.client.waiting > 0;
  }

  writes(count: number): void {
    this.writesUpTo(this.written + count);
  }

  writesUpTo(count: number): void {
    while (this.written < Math.min(count, this.total)) {
      this.written += 1;
      const id = `${this.name}-${this.written}`;
      this.managed.client.say(
        `<message to='${this.other}@${DOMAIN}' type='chat'><body>${this.written}</body>` +
          `<origin-id xmlns='urn:xmpp:sid:0' id='${id}'/></message>`,
      );
    }
  }

  /** `kill -9`. */
  async killed(): Promise<void> {
    const { peer } = this;
    this.peer = undefined;
    this.proxy.leadTo(undefined);
    await peer?.process.end('SIGKILL');
  }

  async restarts(): Promise<void> {
    this.peer = await this.overlay.restart(this.name, ...this.peerOptions());
    this.proxy.leadTo(placeOf(this.peer.xmpp));
  }

  /** Everything was acknowledged, and the last message of the other is in the archive. */
  async everythingIsThere(): Promise<void> {
    const all = () => this.acknowledged >= this.total;
    await until(all, `an acknowledgement of all that ${this.name} wrote`);
    const last = `${this.other}-${this.total}`;
    const isThere = async () => {
      await this.managed.readArchive(`${this.other}@${DOMAIN}`);
      return this.managed.archived.at(-1)?.originId === last;
    };
    await until(isThere, `${last} as the last in the archive of ${this.name}`);
  }

  /** What is not as promised of the messages from the other, in sentences. */
  faults(from: SurvivingUser): string[] {
    const { managed, plain } = this;
    const expected = Array.from({ length: from.total }, (_, i) => `${from.name}-${i + 1}`);
    const archived = managed.archived.map(({ originId }) => originId);
    const known = new Set(archived);
    const places = new Map(managed.archived.map(({ originId, id }) => [originId, id]));
    const faults: string[] = [];
    const count = (what: string, ids: readonly string[]) => {
      if (ids.length === 0) return;
      faults.push(`${this.name}: ${ids.length} ${what}: ${ids.slice(0, NAMED_MAX).join(', ')}`);
    };
    count(
      'missing in the archive',
      expected.filter((id) => !known.has(id)),
    );
    count('doubled in the archive', doubled(archived));
    count('out of order in the archive', outOfOrder(archived));
    count('heard more than once by the client with XEP-0198', doubled(managed.originIds));
    for (const ears of [managed, plain]) {
      count(
        `heard by ${ears.name} under another stanza-id than that of the archive`,
        ears.ids.filter(([id, place]) => places.get(id) !== place).map(([id]) => id),
      );
    }
    return faults;
  }

  async end(): Promise<void> {
    await Promise.all([this.proxy.stop(), this.managed.end(), this.plain.end()]);
  }

  private gateway(): SocketAddress | undefined {
    return placeOf(this.peer?.gateway);
  }

  private peerOptions(): string[] {
    const listen = ['--gateway', `${LOOPBACK}:0`, '--xmpp-listen', `${LOOPBACK}:0`];
    return [...listen, '--xmpp-advertise', `${LOOPBACK}:${this.proxy.address.port}`];
  }
}

/** A client and what it has heard. */
class SurvivingEars {
  readonly name: string;
  readonly client: SurvivingClient;
  /** Of the messages that came by themselves: origin-id and stanza-id, in their order. */
  readonly ids: [string, string | undefined][] = [];
  readonly archived: { readonly originId: string; readonly id: string }[] = [];
  private readonly running: Promise<void>;
  private page: XmppElement[] = [];
  private queries = 0;
  private lastRead: string | undefined;
  private isAnswered = true;

  constructor(user: string, resource: string, gateway: () => SocketAddress | undefined) {
    this.name = resource;
    this.client = new SurvivingClient({
      ...{ user, resource, gateway, domain: DOMAIN, password: PASSWORD },
      isManaged: resource === 'managed',
      heard: (stanza) => this.hears(stanza),
    });
    this.running = this.client.run();
  }

  get originIds(): string[] {
    return this.ids.map(([id]) => id);
  }

  get heardAgain(): number {
    return doubled(this.originIds).length;
  }

  /** Takes what is new in the archive (XEP-0313) with this address. */
  async readArchive(other: string): Promise<void> {
    let before: string | undefined;
    do {
      before = this.lastRead;
      await this.readPage(other);
    } while (before !== this.lastRead);
  }

  async end(): Promise<void> {
    this.client.end();
    await this.running;
  }

  private async readPage(other: string): Promise<void> {
    this.queries += 1;
    this.page = [];
    this.isAnswered = false;
    const last = this.lastRead;
    const after = last === undefined ? '' : `<after>${last}</after>`;
    const set = `<set xmlns='http://jabber.org/protocol/rsm'><max>100</max>${after}</set>`;
    const field = (name: string, value: string) =>
      `<field var='${name}'><value>${value}</value></field>`;
    const fields = field('FORM_TYPE', 'urn:xmpp:mam:2') + field('with', other);
    const form = `<x xmlns='jabber:x:data' type='submit'>${fields}</x>`;
    const query = `<query xmlns='urn:xmpp:mam:2' queryid='q${this.queries}'>${form}${set}</query>`;
    this.client.ask(`<iq type='set' id='q${this.queries}'>${query}</iq>`);
    const untilMs = performance.now() + ANSWER_MS_MAX;
    while (!this.isAnswered && performance.now() < untilMs) await pause(5);
    if (!this.isAnswered) return;
    for (const result of this.page) this.take(result, other);
  }

  private take(result: XmppElement, other: string): void {
    const id = result.attributes.get('id') ?? '';
    this.lastRead = id;
    const forwarded = childElement(result, 'forwarded', 'urn:xmpp:forward:0');
    const message = forwarded && childElement(forwarded, 'message', 'jabber:client');
    const originId = message && idOf(message, 'origin-id');
    if (message?.attributes.get('from')?.startsWith(`${other}/`) !== true) return;
    this.archived.push({ originId: originId ?? 'a message without origin-id', id });
  }

  private hears(stanza: XmppElement): void {
    if (stanza.name === 'iq' && stanza.attributes.get('id') === `q${this.queries}`) {
      this.isAnswered = true;
    }
    if (stanza.name !== 'message') return;
    const result = childElement(stanza, 'result', 'urn:xmpp:mam:2');
    if (result !== undefined) {
      if (result.attributes.get('queryid') === `q${this.queries}`) this.page.push(result);
      return;
    }
    this.ids.push([idOf(stanza, 'origin-id') ?? '', idOf(stanza, 'stanza-id')]);
  }
}

/** Waits for a condition; rejects when it takes so long that it never comes. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
): Promise<void> {
  const untilMs = performance.now() + CONDITION_MS_MAX;
  while (!(await condition())) {
    if (performance.now() > untilMs) throw new Error(`waited in vain for ${what}`);
    await pause(20);
  }
}

function doubled(ids: readonly string[]): string[] {
  return ids.filter((id, index) => ids.indexOf(id) !== index);
}

function outOfOrder(ids: readonly string[]): string[] {
  const numbers = ids.map((id) => Number(id.split('-')[1]));
  return ids.filter((_, index) => (numbers[index] ?? 0) < (numbers[index - 1] ?? 0));
}

function placeOf(address: string | undefined): SocketAddress | undefined {
  if (address === undefined) return undefined;
  return { host: LOOPBACK, port: Number(address.split(':').at(-1)) };
}

const DOMAIN = 'example.org';
const PASSWORD = 'wherefore art thou';
const NAMED_MAX = 5;
const ANSWER_MS_MAX = 5_000;
const CONDITION_MS_MAX = 180_000;
