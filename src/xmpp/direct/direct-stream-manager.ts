import type { AuthenticatedNode } from '../../tls-auth/authenticated-node.ts';
import type { Authenticator } from '../../tls-auth/authenticator.ts';
import { CertificateRefusal } from '../../tls-auth/certificate-refusal.ts';
import type { IpAddressPort } from '../../wire/ip-address-port.ts';
import type { NodeId } from '../../wire/node-id.ts';
import type { BareJid } from '../../xmpp-address/jid.ts';
import type { LocatedDevice } from '../location/device-lookup.ts';
import type { XmppElement } from '../stanza/xmpp-element.ts';
import type { XmppEnvironment } from '../xmpp-environment.ts';
import type { AttemptId, DirectLinkId, XmppInput } from '../xmpp-input.ts';
import { AddressRounds, type AttachOrder, type RoundOwner } from './address-rounds.ts';
import type { ConnectionOwner, DeviceConnection } from './device-connection.ts';
import type { SessionContext } from './device-session.ts';
import { DirectDevice } from './direct-device.ts';
import {
  DIRECT_LIMITS,
  type DirectLimits,
  IDLE_MS_MAX,
  PROBE_AFTER_MS,
  UPKEEP_MS,
} from './direct-limits.ts';
import type { Device, DirectStreams, DirectStreamsListener } from './direct-streams.ts';

export interface DirectStreamOptions {
  readonly ownNodeId: NodeId;
  readonly ownUser: BareJid;
  /** Asked about every certificate again when trust changes. */
  readonly authenticator: Pick<Authenticator, 'authenticate'>;
  /** Default: parallel, as XEP-0415 §6.1 recommends. */
  readonly attachOrder?: AttachOrder;
  readonly limits?: Partial<DirectLimits>;
}

/** The inputs that are for direct streams. */
export type DirectInput = Extract<
  XmppInput,
  {
    type:
      | 'directLinkUp'
      | 'directLinkData'
      | 'directLinkDown'
      | 'directConnectFailed'
      | 'appAttachRequested'
      | 'overlay'
      | 'trustChanged';
  }
>;

/**
 * The direct streams to all devices — XEP-0415 §6. The streams to the own devices are kept from the
 * start on and never closed; those to others while their address is wanted, and until they are idle
 * for a while after that.
 */
export class DirectStreamManager implements DirectStreams, ConnectionOwner, RoundOwner {
  readonly env: XmppEnvironment;
  readonly ownNodeId: NodeId;
  readonly ownUser: BareJid;
  readonly attachOrder: AttachOrder;
  private readonly authenticator: Pick<Authenticator, 'authenticate'>;
  private readonly limits: DirectLimits;
  private readonly context: SessionContext;
  private readonly listener: DirectStreamsListener;
  private readonly devices = new Map<NodeId, DirectDevice>();
  private readonly devicesByLink = new Map<DirectLinkId, DirectDevice>();
  private readonly attempts = new Map<AttemptId, DirectDevice>();
  private readonly rounds = new Map<BareJid, AddressRounds>();
  private readonly connectedByUser = new Map<BareJid, Map<NodeId, Device>>();
  private undeliverable: { readonly device: Device; readonly tag: number }[] = [];
  private lastAttempt: AttemptId = 0;
  private hasStopped = false;

  constructor(env: XmppEnvironment, options: DirectStreamOptions, listener: DirectStreamsListener) {
    this.env = env;
    this.ownNodeId = options.ownNodeId;
    this.ownUser = options.ownUser;
    this.attachOrder = options.attachOrder ?? 'parallel';
    this.authenticator = options.authenticator;
    this.limits = { ...DIRECT_LIMITS, ...options.limits };
    this.listener = listener;
    const load = { unacknowledgedBytes: 0 };
    const watched: DirectStreamsListener = {
      ...bound(listener),
      deviceConnected: (device) => this.noteConnected(device),
      deviceLost: (device) => this.noteLost(device),
    };
    this.context = { env, limits: this.limits, listener: watched, load };
  }

  /** XEP-0415 §6.1: at startup, connections to all own devices. */
  start(): void {
    this.reach(this.ownUser);
    this.setUpkeep();
  }

  /** Ends every stream properly. */
  stop(): void {
    this.hasStopped = true;
    for (const rounds of this.rounds.values()) rounds.stop();
    this.rounds.clear();
    for (const { connection, session } of this.devices.values()) {
      connection.stop();
      session.acknowledgeNow();
      connection.stream?.close('this peer leaves');
    }
  }

  /** How much is kept; all of it is bounded by the limits. */
  get loads(): { devices: number; links: number; attempts: number; unacknowledgedBytes: number } {
    const { devices, devicesByLink, attempts, context } = this;
    const { unacknowledgedBytes } = context.load;
    return {
      devices: devices.size,
      links: devicesByLink.size,
      attempts: attempts.size,
      unacknowledgedBytes,
    };
  }

  reach(address: BareJid): void {
    if (this.hasStopped) return;
    let rounds = this.rounds.get(address);
    if (rounds === undefined) {
      if (this.rounds.size >= this.limits.wantedAddressesMax) {
        const reason = `streams are kept for ${this.rounds.size} addresses already`;
        const key = `direct refused ${address}`;
        this.env.setDeadline(key, 0, () => this.roundOver(address, 0, 0, reason));
        return;
      }
      rounds = new AddressRounds(address, this);
      this.rounds.set(address, rounds);
    }
    rounds.begin();
  }

  release(address: BareJid): void {
    if (address === this.ownUser) return;
    this.rounds.get(address)?.stop();
    this.rounds.delete(address);
  }

  devicesOf(address: BareJid): readonly Device[] {
    const found = new Map(this.connectedByUser.get(address));
    for (const { nodeId, user } of this.rounds.get(address)?.devices ?? []) {
      const device = this.connectedByUser.get(user)?.get(nodeId);
      if (device !== undefined) found.set(nodeId, device);
    }
    return [...found.values()];
  }

  send(nodeId: NodeId, stanza: XmppElement, tag: number): void {
    const session = this.devices.get(nodeId)?.session;
    if (session?.send(stanza, tag) === true) return;
    // The tag is what tells which stanza it is; nobody may be known to be there.
    const device = session?.lastDevice ?? { nodeId, user: this.ownUser };
    this.undeliverable.push({ device, tag });
    this.env.setDeadline('direct undeliverable', 0, () => this.tellUndeliverable());
  }

  handled(nodeId: NodeId): void {
    const device = this.devices.get(nodeId);
    device?.session.noteHandled();
    if (device !== undefined) this.forgetIfUnused(device);
  }

  handle(input: DirectInput): void {
    switch (input.type) {
      case 'directLinkUp':
        this.handleLinkUp(input.link, input.node, input.attempt);
        return;
      case 'directLinkData':
        this.devicesByLink.get(input.link)?.streamOf(input.link)?.handleData(input.bytes);
        return;
      case 'directLinkDown':
        this.devicesByLink.get(input.link)?.streamOf(input.link)?.handleDown(input.reason);
        return;
      case 'directConnectFailed': {
        const device = this.attempts.get(input.attempt);
        this.attempts.delete(input.attempt);
        device?.connection.handleAttemptFailed(input.attempt, input.reason);
        return;
      }
      case 'appAttachRequested':
        this.handleOffer(input.nodeId, input.addresses);
        return;
      case 'overlay':
        // What could not be found without the overlay can be now.
        if (input.joined) for (const rounds of this.rounds.values()) rounds.begin();
        return;
      case 'trustChanged':
        this.checkCertificates(true);
    }
  }

  seek(found: LocatedDevice): boolean {
    const device = this.deviceFor(found.nodeId);
    if (device === undefined) return false;
    const { connection } = device;
    connection.expect(found);
    if (connection.stream?.isOpen === true) {
      // It is connected, but to a device of somebody else than the location says.
      const failure = `node ${found.nodeId} is no device of ${found.user}`;
      this.env.setDeadline(`direct mismatch ${found.nodeId}`, 0, () =>
        this.settled(connection, failure),
      );
    } else {
      connection.connect();
    }
    return true;
  }

  isConnected({ nodeId, user }: LocatedDevice): boolean {
    const device = this.devices.get(nodeId);
    if (device?.connection.stream?.isOpen !== true) return false;
    return device.session.current?.device.user === user;
  }

  roundOver(address: BareJid, found: number, connected: number, reason: string | undefined): void {
    if (reason !== undefined && address !== this.ownUser) {
      this.env.event({ type: 'addressUnreachable', address, reason });
    }
    this.listener.addressTried(address, found, connected, reason);
  }

  beginAttempt(connection: DeviceConnection, address: IpAddressPort): AttemptId | undefined {
    const device = this.devices.get(connection.nodeId);
    if (device === undefined || this.attempts.size >= this.limits.connectsMax) return undefined;
    this.lastAttempt += 1;
    this.attempts.set(this.lastAttempt, device);
    const target = { address, expectedNodeId: connection.nodeId };
    this.env.output({ type: 'directConnect', attempt: this.lastAttempt, target });
    return this.lastAttempt;
  }

  refusalOf(user: BareJid, nodeId: NodeId): string | undefined {
    if (user === this.ownUser) return undefined;
    const others = [...this.devices.values()].filter(
      (device) => device.user === user && device.connection.nodeId !== nodeId,
    );
    if (others.length < this.limits.devicesPerUserMax) return undefined;
    return `${others.length} devices of ${user} are connected already`;
  }

  linkOver(link: DirectLinkId): void {
    this.devicesByLink.delete(link);
  }

  settled(connection: DeviceConnection, failure: string | undefined): void {
    for (const rounds of [...this.rounds.values()]) rounds.settle(connection.nodeId, failure);
    const device = this.devices.get(connection.nodeId);
    if (device !== undefined) this.forgetIfUnused(device);
  }

  private handleLinkUp(
    link: DirectLinkId,
    node: AuthenticatedNode,
    attempt: AttemptId | undefined,
  ): void {
    const device =
      attempt === undefined ? this.devices.get(node.nodeId) : this.attempts.get(attempt);
    if (attempt !== undefined) this.attempts.delete(attempt);
    if (device === undefined || this.hasStopped) {
      const reason = 'nobody asked for this connection';
      this.env.output({ type: 'directClose', link, reason });
      return;
    }
    this.devicesByLink.set(link, device);
    if (attempt === undefined) device.connection.handleIncoming(link, node);
    else device.connection.handleAttemptUp(attempt, link, node);
    if (device.streamOf(link) === undefined) this.devicesByLink.delete(link);
  }

  private handleOffer(nodeId: NodeId, addresses: readonly IpAddressPort[]): void {
    if (this.hasStopped || nodeId === this.ownNodeId) return;
    this.deviceFor(nodeId)?.connection.handleOffer(addresses);
  }

  /** The device, known or new; undefined: there are too many. */
  private deviceFor(nodeId: NodeId): DirectDevice | undefined {
    const known = this.devices.get(nodeId);
    if (known !== undefined) return known;
    if (this.devices.size >= this.limits.devicesMax) this.closeIdle(0);
    if (this.devices.size >= this.limits.devicesMax) return undefined;
    const device = new DirectDevice(nodeId, this, this.context);
    this.devices.set(nodeId, device);
    return device;
  }

  private forgetIfUnused(device: DirectDevice): void {
    const { connection, session } = device;
    if (connection.stream !== undefined || connection.isUnderWay || !session.isEmpty) return;
    connection.stop();
    this.devices.delete(connection.nodeId);
  }

  private noteConnected(device: Device): void {
    const connected = this.connectedByUser.get(device.user) ?? new Map<NodeId, Device>();
    connected.set(device.nodeId, device);
    this.connectedByUser.set(device.user, connected);
    this.listener.deviceConnected(device);
  }

  private noteLost(device: Device): void {
    const connected = this.connectedByUser.get(device.user);
    connected?.delete(device.nodeId);
    if (connected?.size === 0) this.connectedByUser.delete(device.user);
    this.listener.deviceLost(device);
    for (const rounds of [...this.rounds.values()]) {
      const isNamed = rounds.devices.some(({ nodeId }) => nodeId === device.nodeId);
      if (isNamed || rounds.address === device.user) rounds.missed();
    }
  }

  private tellUndeliverable(): void {
    const all = this.undeliverable;
    this.undeliverable = [];
    for (const { device, tag } of all) this.listener.undelivered(device, [tag]);
  }

  private setUpkeep(): void {
    this.env.setDeadline('direct upkeep', UPKEEP_MS, () => {
      if (this.hasStopped) return;
      for (const { session } of [...this.devices.values()]) session.probe(PROBE_AFTER_MS);
      this.checkCertificates(false);
      this.closeIdle(IDLE_MS_MAX);
      this.setUpkeep();
    });
  }

  /** Every certificate is asked about again, or each that has ended. */
  private checkCertificates(everyone: boolean): void {
    const { unixMs } = this.env.now;
    for (const { connection, session } of [...this.devices.values()]) {
      const node = connection.stream?.node ?? session.node;
      if (node === undefined || (!everyone && unixMs <= node.validUntilUnixMs)) continue;
      const [leaf = node.certificate.der, ...pool] = node.chain;
      const answer = this.authenticator.authenticate(leaf, pool, unixMs);
      if (!(answer instanceof CertificateRefusal)) continue;
      // A certificate that has ended may have been renewed: the session waits for the new one.
      const isFinal = answer.code !== 'expired';
      connection.stream?.fail('not-authorized', answer.describe(), isFinal);
      if (isFinal) session.giveUp(answer.describe());
    }
  }

  /**
   * Closes streams that this end asked for, that nobody wants and that are idle: of each user the
   * one of the highest priority value first (XEP-0415 §6.1), never one to an own device.
   */
  private closeIdle(idleMs: number): void {
    const wanted = new Set<NodeId>();
    for (const rounds of this.rounds.values()) {
      for (const { nodeId } of rounds.devices) wanted.add(nodeId);
    }
    const chosen = new Map<BareJid, DirectDevice>();
    for (const device of this.devices.values()) {
      const user = device.session.current?.device.user;
      if (user === undefined || user === this.ownUser || this.rounds.has(user)) continue;
      if (wanted.has(device.connection.nodeId) || !device.isIdle(this.env, idleMs)) continue;
      const other = chosen.get(user);
      if (other === undefined || device.priority > other.priority) chosen.set(user, device);
    }
    for (const { connection, session } of chosen.values()) {
      session.acknowledgeNow();
      connection.stream?.close('idle, and nobody wants it');
    }
  }
}

/** The listener's methods as values, so that some of them can be replaced. */
function bound(listener: DirectStreamsListener): DirectStreamsListener {
  return {
    deviceConnected: (device) => listener.deviceConnected(device),
    deviceLost: (device) => listener.deviceLost(device),
    delivered: (device, tags) => listener.delivered(device, tags),
    undelivered: (device, tags) => listener.undelivered(device, tags),
    stanzaFromDevice: (device, stanza) => listener.stanzaFromDevice(device, stanza),
    addressTried: (address, found, connected, reason) =>
      listener.addressTried(address, found, connected, reason),
  };
}
