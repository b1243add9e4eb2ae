import {
  type CertificateContent,
  makeLeaf,
  makeRoot,
  type TestAuthority,
} from '../../sim/certificates/certificate-maker.ts';
import { trustSettingsOf } from '../../src/overlay-config/configuration-trust-settings.ts';
import type { Command, CommandOutcome, Location } from '../../src/reload/command.ts';
import type { RandomSource } from '../../src/reload/peer-options.ts';
import type { AuthenticatedNode } from '../../src/tls-auth/authenticated-node.ts';
import { Authenticator } from '../../src/tls-auth/authenticator.ts';
import { CertificateRefusal } from '../../src/tls-auth/certificate-refusal.ts';
import type { IpAddressPort } from '../../src/wire/ip-address-port.ts';
import type { NodeId } from '../../src/wire/node-id.ts';
import type { DirectLinkId, XmppInput } from '../../src/xmpp/xmpp-input.ts';
import type { XmppOutput } from '../../src/xmpp/xmpp-output.ts';
import type { BareJid } from '../../src/xmpp-address/jid.ts';
import { seededRandom } from '../reload/seeded-random.ts';
import { testConfiguration } from '../reload/virtual-configuration.ts';
import { VirtualWorld } from '../reload/virtual-world.ts';
import {
  type LinkEnd,
  type VirtualCore,
  VirtualDevice,
  type VirtualIdentity,
  type VirtualLink,
} from './virtual-device.ts';

export interface VirtualXmppOptions {
  readonly seed?: number;
  /** Of each message over a link or the overlay, one way. */
  readonly latencyMs?: number;
  readonly diskMs?: number;
}

/**
 * XMPP usages of several devices on virtual time in one process, with what their hosts would do for
 * them: locations and AppAttach of the overlay, TLS connections, disks. Real certificates.
 */
export class VirtualXmpp extends VirtualWorld<VirtualDevice> {
  readonly root: TestAuthority = makeRoot();
  readonly devices: VirtualDevice[] = [];
  readonly random: RandomSource;
  private readonly latencyMs: number;
  private readonly diskMs: number;
  private readonly cuts = new Set<string>();
  private readonly refusals = new Set<string>();
  private lastLink = 0;

  constructor(options: VirtualXmppOptions = {}) {
    super();
    this.random = seededRandom(options.seed ?? 1);
    this.latencyMs = options.latencyMs ?? 10;
    this.diskMs = options.diskMs ?? 3;
  }

  /** A device that runs what `core` makes. `name` begins its Node-ID and is made of hex digits. */
  add(
    name: string,
    jid: string,
    core: (identity: VirtualIdentity) => VirtualCore,
    change: Partial<CertificateContent> = {},
  ): VirtualDevice {
    const nodeId = name.padEnd(32, '0') as NodeId;
    const authenticator = new Authenticator(trustSettingsOf(testConfiguration(this.root)));
    const node = this.certify(authenticator, nodeId, jid, change);
    const { random } = this;
    const identity = { ownNodeId: nodeId, ownUser: jid as BareJid, authenticator, random };
    const device = new VirtualDevice(name, node, authenticator, core(identity));
    this.devices.push(device);
    return device;
  }

  certify(
    authenticator: Authenticator,
    nodeId: NodeId,
    jid: string,
    change: Partial<CertificateContent> = {},
  ): AuthenticatedNode {
    const leaf = makeLeaf(this.root, { jid, nodeId, change: () => change });
    const node = authenticator.authenticate(leaf.certificate, [], this.now.unixMs);
    if (node instanceof CertificateRefusal) throw new Error(node.describe());
    return node;
  }

  start(...devices: readonly VirtualDevice[]): void {
    for (const device of devices) this.handle(device, { type: 'start' });
    for (const device of devices) this.handle(device, { type: 'overlay', joined: true });
  }

  /** The process is killed: its links break, and what is not on disk is lost. */
  kill(device: VirtualDevice): void {
    device.isUp = false;
    device.life += 1;
    for (const link of [...device.links.values()]) this.breakLink(link, 'connection reset');
  }

  /** A new process on the same disk. */
  restart(device: VirtualDevice, core: VirtualCore): void {
    device.isUp = true;
    device.core = core;
    this.start(device);
  }

  /** The network between two devices goes, and their connections with it; both notice. */
  cut(a: VirtualDevice, b: VirtualDevice): void {
    this.cuts.add(pairOf(a, b));
    this.breakLinks(a, b);
  }

  /** Their connections end and new ones are refused at once; the overlay goes on. */
  refuseLinks(a: VirtualDevice, b: VirtualDevice): void {
    this.refusals.add(pairOf(a, b));
    this.breakLinks(a, b);
  }

  /** Their connections end; new ones can be made at once. */
  breakLinks(a: VirtualDevice, b: VirtualDevice): void {
    for (const link of [...a.links.values()]) {
      if (link.ends.some(({ device }) => device === b)) this.breakLink(link, 'network is down');
    }
  }

  heal(a: VirtualDevice, b: VirtualDevice): void {
    this.cuts.delete(pairOf(a, b));
    this.refusals.delete(pairOf(a, b));
  }

  isConnected(a: VirtualDevice, b: VirtualDevice): boolean {
    return this.linksBetween(a, b) > 0;
  }

  linksBetween(a: VirtualDevice, b: VirtualDevice): number {
    const links = [...a.links.values()];
    return links.filter(({ ends }) => ends.some(({ device }) => device === b)).length;
  }

  handle(device: VirtualDevice, input: XmppInput): void {
    if (!device.isUp) return;
    for (const output of device.core.handle(input, this.now)) this.perform(device, output);
  }

  /** Carries out what the core of a device wants, that something else than an input made it say. */
  perform(device: VirtualDevice, output: XmppOutput): void {
    switch (output.type) {
      case 'command':
        device.commands.push(output.what);
        this.command(device, output.command, output.what);
        return;
      case 'directConnect':
        this.connect(device, output.attempt, output.target);
        return;
      case 'directSend':
        this.send(device, output.link, output.bytes);
        return;
      case 'directClose':
        this.closeLink(device, output.link, output.reason);
        return;
      case 'persist':
        this.laterAt(device, this.diskMs, () => {
          for (const { key, value } of output.records) {
            if (value === undefined) device.records.delete(key);
            else device.records.set(key, value);
          }
          this.handle(device, { type: 'persisted', ticket: output.ticket });
        });
        return;
      case 'event':
        device.events.push(output.event);
        return;
      case 'stopped':
        device.hasStopped = true;
        return;
      default:
        device.toClients.push(output);
    }
  }

  protected parties(): readonly VirtualDevice[] {
    return this.devices;
  }

  protected deadlineOf({ core }: VirtualDevice): number | undefined {
    return core.nextDeadline();
  }

  protected tick(device: VirtualDevice): void {
    this.handle(device, { type: 'tick' });
  }

  private command(device: VirtualDevice, command: number, what: Command): void {
    const answer = (outcome: CommandOutcome, afterMs: number) =>
      this.laterAt(device, afterMs, () =>
        this.handle(device, { type: 'commandCompleted', command, outcome }),
      );
    if (what.type === 'locate') answer(this.locate(what.userName), 2 * this.latencyMs);
    else if (what.type === 'appAttach') this.appAttach(device, what, answer);
    else if (what.type === 'lookupByUserName') answer(this.certificates(what.userName), 2);
    else answer(failure('bad-request', `the virtual overlay has no ${what.type}`), 0);
  }

  private locate(userName: string): CommandOutcome {
    const found = this.devices.filter((device) => device.user === userName && device.isUp);
    const locations = found.flatMap(({ nodeId, location, node }): Location[] =>
      location === undefined
        ? []
        : [{ nodeId, location, storageTimeUnixMs: 0, lifetimeSeconds: 3600, signer: node }],
    );
    if (locations.length === 0) return failure('not-found', `${userName} has no location`);
    return { ok: true, result: { type: 'locations', locations } };
  }

  /** Of whoever was ever there: a certificate outlives that its device is off. */
  private certificates(userName: string): CommandOutcome {
    const nodes = this.devices.filter(({ user }) => user === userName).map(({ node }) => node);
    if (nodes.length === 0) return failure('not-found', `${userName} has no certificate`);
    return { ok: true, result: { type: 'certificates', nodes } };
  }

  private appAttach(
    device: VirtualDevice,
    what: Extract<Command, { type: 'appAttach' }>,
    answer: (outcome: CommandOutcome, afterMs: number) => void,
    transmission = 1,
  ): void {
    const { nodeId } = what;
    const asked = this.devices.find((other) => other.nodeId === nodeId);
    const leadsThere = (what.destinationList ?? []).every(
      (entry) =>
        entry.type !== 'node' || this.devices.some((d) => d.nodeId === entry.nodeId && d.isUp),
    );
    if (asked === undefined || !asked.isUp || !leadsThere || this.isCut(device, asked)) {
      // RFC 6940 §6.2.1: sent again every three seconds, five times in all.
      if (transmission === ATTACH_TRANSMISSIONS) {
        answer(failure('timeout', `node ${nodeId} does not answer`), ATTACH_AGAIN_MS);
      } else {
        this.laterAt(device, ATTACH_AGAIN_MS, () =>
          this.appAttach(device, what, answer, transmission + 1),
        );
      }
      return;
    }
    const addresses = [addressOf(this.devices.indexOf(device))];
    this.laterAt(asked, this.latencyMs, () =>
      this.handle(asked, { type: 'appAttachRequested', nodeId: device.nodeId, addresses }),
    );
    const result = { type: 'appAttached', node: asked.node, candidates: [] } as const;
    answer({ ok: true, result }, 2 * this.latencyMs);
  }

  private connect(
    device: VirtualDevice,
    attempt: number,
    target: { readonly address: IpAddressPort; readonly expectedNodeId: NodeId },
    tries = 1,
  ): void {
    const other = this.devices[indexOf(target.address)];
    this.laterAt(device, 2 * this.latencyMs, () => {
      if (other?.isUp === true && this.isCut(device, other) && tries < CONNECT_TRIES) {
        this.laterAt(device, CONNECT_AGAIN_MS, () =>
          this.connect(device, attempt, target, tries + 1),
        );
        return;
      }
      const isRefused = other !== undefined && this.refusals.has(pairOf(device, other));
      if (other === undefined || !other.isUp || this.isCut(device, other) || isRefused) {
        const reason = 'connection refused';
        this.handle(device, { type: 'directConnectFailed', attempt, reason });
        return;
      }
      if (other.nodeId !== target.expectedNodeId) {
        const reason = 'unexpected-node-id';
        this.handle(device, { type: 'directConnectFailed', attempt, reason });
        return;
      }
      const ends = [device, other].map((end) => ({ device: end, link: ++this.lastLink }));
      const [own, others] = ends as [LinkEnd, LinkEnd];
      const link: VirtualLink = { ends: [own, others], isOpen: true };
      device.links.set(own.link, link);
      other.links.set(others.link, link);
      this.handle(other, { type: 'directLinkUp', link: others.link, node: device.node });
      this.handle(device, { type: 'directLinkUp', link: own.link, node: other.node, attempt });
    });
  }

  private send(device: VirtualDevice, id: DirectLinkId, bytes: Uint8Array): void {
    const link = device.links.get(id);
    const other = link?.ends.find((end) => end.device !== device);
    if (link === undefined || other === undefined) return;
    const copy = bytes.slice();
    this.laterAt(other.device, this.latencyMs, () => {
      if (!link.isOpen || !other.device.links.has(other.link)) return;
      this.handle(other.device, { type: 'directLinkData', link: other.link, bytes: copy });
    });
  }

  /** What was sent arrives; then the other end hears of the end. */
  private closeLink(device: VirtualDevice, id: DirectLinkId, reason: string): void {
    const link = device.links.get(id);
    device.links.delete(id);
    const other = link?.ends.find((end) => end.device !== device);
    if (other === undefined) return;
    this.laterAt(other.device, this.latencyMs, () => {
      if (!other.device.links.delete(other.link)) return;
      const told = `the other end closed the connection (${reason})`;
      this.handle(other.device, { type: 'directLinkDown', link: other.link, reason: told });
    });
  }

  private breakLink(link: VirtualLink, reason: string): void {
    link.isOpen = false;
    for (const { device, link: id } of link.ends) {
      if (device.links.delete(id))
        this.handle(device, { type: 'directLinkDown', link: id, reason });
    }
  }

  private isCut(a: VirtualDevice, b: VirtualDevice): boolean {
    return this.cuts.has(pairOf(a, b));
  }

  /** Only in this life of the device. */
  private laterAt(device: VirtualDevice, delayMs: number, run: () => void): void {
    const { life } = device;
    this.later(delayMs, () => device.life === life && run());
  }
}

function failure(code: 'timeout' | 'not-found' | 'bad-request', detail: string): CommandOutcome {
  return { ok: false, failure: { code, detail } };
}

function pairOf(a: VirtualDevice, b: VirtualDevice): string {
  return [a.name, b.name].sort().join(' ');
}

function addressOf(index: number): IpAddressPort {
  return { type: 'ipv4', address: Uint8Array.of(192, 0, 2, index + 1), port: 5_222 };
}

function indexOf(address: IpAddressPort): number {
  return address.type === 'unknown' ? -1 : (address.address[3] ?? 0) - 1;
}

const ATTACH_AGAIN_MS = 3_000;
const ATTACH_TRANSMISSIONS = 5;
/** A packet that opens a TCP connection is sent again, too. */
const CONNECT_AGAIN_MS = 1_000;
const CONNECT_TRIES = 6;
