import { trustSettingsOf } from '../overlay-config/configuration-trust-settings.ts';
import type { VerifiedConfiguration } from '../overlay-config/verified-configuration.ts';
import type { Now } from '../storage/now.ts';
import type { AuthenticatedNode } from '../tls-auth/authenticated-node.ts';
import { CertificateRefusal } from '../tls-auth/certificate-refusal.ts';
import { remedyFor } from '../tls-auth/refused-identity.ts';
import type { NodeId } from '../wire/node-id.ts';
import type { ResourceId } from '../wire/resource-id.ts';
import type { CommandId, Input } from './input.ts';
import type { Output } from './output.ts';
import { PeerComponents } from './peer-components.ts';
import type { PeerDeadline } from './peer-deadline.ts';
import { PeerEnvironment } from './peer-environment.ts';
import type { DropCause, PeerState } from './peer-event.ts';
import type { PeerLoads } from './peer-loads.ts';
import type { PeerOptions, PeerStatus } from './peer-options.ts';
import { HOUSEKEEPING_MS, LINK_EXPIRY_LEAD_MS } from './timing.ts';

/**
 * One RELOAD node: a synchronous state machine without clock, sockets, disk or randomness of its
 * own. Bytes, commands, "the disk is done" and "time has passed" come in; what the world must do
 * goes out. The daemon, the tests and the simulator run this same class.
 */
export class Peer {
  private readonly env: PeerEnvironment;
  private readonly parts: PeerComponents;
  private started = false;

  constructor(options: PeerOptions) {
    this.env = new PeerEnvironment(options);
    this.parts = new PeerComponents(this.env, {
      applyConfiguration: (configuration) => this.applyConfiguration(configuration),
      finishLeaving: (commands) => this.finishLeaving(commands),
    });
  }

  /**
   * Takes in what has happened at `now`, and all deadlines that have passed since. Returns what the
   * world must do, in order. Never throws for anything that comes from outside.
   */
  handle(input: Input, now: Now): Output[] {
    this.env.now = now;
    if (this.env.state === 'stopped') return this.afterStop(input);
    this.handleInput(input);
    this.env.runQueued();
    for (;;) {
      const due = this.env.deadlines.takeDue(now.monotonicMs);
      if (due === undefined) break;
      this.handleDeadline(due);
      this.env.runQueued();
    }
    return this.env.takeOutputs();
  }

  /** When to send a `tick` at the latest: monotonic ms. */
  nextDeadline(): number | undefined {
    return this.env.state === 'stopped' ? undefined : this.env.deadlines.next();
  }

  get state(): PeerState {
    return this.env.state;
  }

  /** The Neighbor Table, nearest first; cheaper than `status()`. */
  neighbors(): {
    readonly predecessors: readonly NodeId[];
    readonly successors: readonly NodeId[];
  } {
    const { tables } = this.parts.chord;
    return { predecessors: tables.predecessors(), successors: tables.successors() };
  }

  /** Whether this peer takes itself to be responsible for `id` now (RFC 6940 §10.1). */
  isResponsible(id: NodeId | ResourceId): boolean {
    return this.parts.chord.isResponsible(id);
  }

  /** A copy of the state, for people. */
  status(): PeerStatus {
    const { chord, links, ownRecords } = this.parts;
    const { options, counters } = this.env;
    const store = options.store.counters();
    return {
      nodeId: this.env.nodeId,
      userName: this.env.signer.node.userName,
      role: options.role,
      state: this.env.state,
      isolated: this.env.state === 'joined' && chord.tables.size === 0 && !options.first,
      uptimeSeconds: this.env.uptimeSeconds,
      configurationSequence: this.env.configuration.sequence,
      certificateRefusal: this.refusalOf(this.env.signer.node)?.describe(),
      predecessors: chord.tables.predecessors(),
      successors: chord.tables.successors(),
      fingers: chord.tables.fingers(),
      ownRecordsStored: ownRecords.storedKinds,
      ownRecordsComplete: ownRecords.isComplete,
      certificateNotAfterUnixMs: this.env.signer.node.validUntilUnixMs,
      formerCertificate: this.parts.renewal.remains,
      links: links.status((nodeId) => chord.tables.has(nodeId)),
      counters: {
        messagesSent: counters.sent,
        messagesReceived: counters.received,
        messagesForwarded: counters.forwarded,
        requestsAnswered: counters.answered,
        dropped: dropCounts(this.env.dropped),
      },
      resources: store.resources,
      values: store.values,
    };
  }

  /** How full the tables are, to compare with PeerLimits; cheap. */
  loads(): PeerLoads {
    const { links, transport, receiver, attaches, replication, commands } = this.parts;
    const { deadlines, options } = this.env;
    return {
      links: links.size,
      transactions: transport.transactionCount,
      ...receiver.loads,
      ...attaches.loads,
      ...replication.loads,
      commands: commands.commandsUnderWay,
      deadlines: deadlines.size,
      deadlineEntries: deadlines.entries,
      store: options.store.counters(),
    };
  }

  private handleInput(input: Input): void {
    const { links, attaches, join, storage, commands } = this.parts;
    switch (input.type) {
      case 'start':
        this.start(input.knownPeers);
        return;
      case 'linkUp': {
        const { link, node, remoteAddress, connect } = input;
        this.parts.reactions.handleLinkUp(link, node, remoteAddress, connect);
        return;
      }
      case 'linkData':
        links.handleLinkData(input.link, input.bytes);
        return;
      case 'linkDown':
        links.handleLinkDown(input.link, input.reason);
        return;
      case 'connectFailed':
        if (!attaches.handleConnectFailed(input.connect)) join.handleConnectFailed(input.connect);
        return;
      case 'persisted':
        storage.handlePersisted(input.ticket);
        return;
      case 'persistFailed':
        storage.handlePersistFailed(input.ticket, input.reason);
        return;
      case 'command':
        commands.handleCommand(input.id, input.command);
        return;
      case 'configuration':
        this.parts.configuration.adoptVerified(input.configuration);
        return;
      case 'renewed':
        this.parts.renewal.renew(input.signer);
        return;
      case 'trustChanged':
        this.recheckTrust();
        return;
      case 'tick':
    }
  }

  private start(knownPeers: Extract<Input, { type: 'start' }>['knownPeers']): void {
    if (this.started) return;
    this.started = true;
    this.env.startedMonotonicMs = this.env.now.monotonicMs;
    this.parts.reactions.setStartingPeers(knownPeers);
    this.parts.storage.armExpiry();
    this.env.after('housekeeping', { type: 'housekeeping' }, HOUSEKEEPING_MS);
    this.parts.join.start();
  }

  private handleDeadline(deadline: PeerDeadline): void {
    const { links, transport, receiver, attaches, chord, join, replication } = this.parts;
    switch (deadline.type) {
      case 'linkAcknowledgements':
        return links.handleAcknowledgementsDue();
      case 'linkUpkeep':
        return links.handleUpkeep();
      case 'linkRetention':
        return links.handleRetentionOver(deadline.link);
      case 'spareLink':
        return links.handleSpareLink(deadline.link);
      case 'transaction':
        return transport.handleTimer(deadline.transactionId);
      case 'cachedAnswers':
        return receiver.expireAnswers();
      case 'undecidedMessages':
        return receiver.giveUpUndecided();
      case 'reassembly':
        return receiver.giveUpReassembly(deadline.key);
      case 'attachLink':
        return attaches.handleLinkTimeout(deadline.nodeId);
      case 'unlinkedNeighbors':
        return chord.taught.handleTimer();
      case 'announce':
        return chord.announce();
      case 'stabilize':
        return this.parts.reactions.stabilize();
      case 'fingers':
        return this.parts.fingers.handleTimer();
      case 'partition':
        return this.parts.partition.handleTimer();
      case 'join':
        return join.handleTimer();
      case 'holdDown':
        return replication.synchronize();
      case 'replication':
        return replication.retry();
      case 'storeExpiry':
        return this.expireStore();
      case 'housekeeping':
        this.closeRefused();
        return this.parts.reactions.keepHouse();
      case 'ownRecords':
        return this.parts.ownRecords.handleTimer();
      case 'linkRenewal':
        return this.parts.linkRenewal.handleTimer();
      case 'valueRenewal':
        return this.parts.valueRenewal.handleTimer();
      case 'leave':
        return this.parts.leave.handleTimer();
    }
  }

  private expireStore(): void {
    this.parts.storage.write(this.env.options.store.expire(this.env.now));
    this.parts.storage.armExpiry();
  }

  /** RFC 6940 §11.1: the new configuration counts at once, everywhere. */
  private applyConfiguration(configuration: VerifiedConfiguration): void {
    const { authenticator, store } = this.env.options;
    const { sequence } = this.env.configuration;
    this.env.configuration = configuration;
    authenticator.replaceSettings(trustSettingsOf(configuration));
    this.parts.storage.write(store.replaceKinds(configuration.kinds));
    this.recheckTrust();
    this.parts.transport.handleConfigurationChanged();
    if (configuration.sequence !== sequence) this.spreadConfiguration();
  }

  /**
   * A Ping to every connected node: who has an older configuration refuses it as too new (RFC 6940
   * §6.3.2.1) and is then given ours (§6.5.4). So it need not wait until something is asked.
   */
  private spreadConfiguration(): void {
    const { links, reactions } = this.parts;
    for (const link of links.all()) if (!link.suspect) reactions.probe(link);
  }

  /** Who is not trusted any more loses its links and its values at once. */
  private recheckTrust(): void {
    this.env.options.authenticator.recheckKnownNodes(this.env.now.unixMs);
    this.closeRefused();
    const isUnwanted = (node: AuthenticatedNode) => isForGood(this.refusalOf(node));
    this.parts.storage.write(this.env.options.store.removeSignedBy(isUnwanted));
    const own = this.env.signer.node;
    // One that has expired may be renewed yet.
    const isInForce = own.validUntilUnixMs >= this.env.now.unixMs;
    const refusal = isInForce ? this.refusalOf(own) : undefined;
    if (refusal === undefined || !isForGood(refusal)) {
      this.parts.receiver.handleTrustChanged();
      return;
    }
    const reason = `${OWN_CERTIFICATE_REFUSED}; ${remedyFor(refusal)} (${refusal.describe()})`;
    this.parts.reactions.mustLeave(reason);
  }

  /** A link outlives the handshake that showed the certificate, but not what makes it count. */
  private closeRefused(): void {
    const { links, linkRenewal } = this.parts;
    const { unixMs } = this.env.now;
    for (const { id, node } of links.all()) {
      const leftMs = node.validUntilUnixMs - unixMs;
      const refusal = leftMs < 0 ? undefined : this.refusalOf(node);
      if (leftMs < 0) links.close(id, 'its certificate has expired');
      else if (refusal !== undefined) {
        links.close(id, `its certificate no longer counts: ${refusal.describe()}`);
      } else if (leftMs < LINK_EXPIRY_LEAD_MS) linkRenewal.add(id);
    }
  }

  /** Why a node that was authenticated once is refused now. */
  private refusalOf({ chain: [leaf, ...pool] }: AuthenticatedNode): CertificateRefusal | undefined {
    const { authenticator } = this.env.options;
    const again = authenticator.authenticate(leaf ?? NO_BYTES, pool, this.env.now.unixMs);
    return again instanceof CertificateRefusal ? again : undefined;
  }

  private finishLeaving(leaveCommands: readonly CommandId[]): void {
    this.parts.commands.stop();
    this.parts.join.stop();
    this.parts.links.closeAll('this node leaves the overlay');
    for (const id of leaveCommands) {
      this.env.emit({ type: 'completed', id, outcome: { ok: true, result: { type: 'left' } } });
    }
    this.env.enter('stopped');
    const reason = this.env.leaveReason ?? 'this node has left the overlay';
    this.env.emit({ type: 'stopped', reason });
  }

  private afterStop(input: Input): Output[] {
    if (input.type === 'linkUp') {
      return [{ type: 'close', link: input.link, reason: 'this node has left the overlay' }];
    }
    if (input.type !== 'command') return [];
    const failure = { code: 'stopped', detail: 'this peer has left the overlay' } as const;
    return [{ type: 'completed', id: input.id, outcome: { ok: false, failure } }];
  }
}

const OWN_CERTIFICATE_REFUSED = 'the own certificate no longer counts in this overlay';
const NO_BYTES = new Uint8Array(0);

/** What nobody can decide today, because a list is missing, a list can decide tomorrow. */
function isForGood(refusal: CertificateRefusal | undefined): boolean {
  return refusal !== undefined && refusal.code !== 'revocation-undetermined';
}

const NO_DROPS: Readonly<Record<DropCause, number>> = {
  malformed: 0,
  'bad-header': 0,
  'bad-signature': 0,
  'not-for-us': 0,
  'no-route': 0,
  'stale-opaque-id': 0,
  'unexpected-response': 0,
  'reassembly-limit': 0,
  overload: 0,
};

function dropCounts(dropped: ReadonlyMap<DropCause, number>): Record<DropCause, number> {
  return { ...NO_DROPS, ...Object.fromEntries(dropped) };
}
