import type { BareJid } from '../../xmpp-address/jid.ts';
import { type ServerBesideOverlay, ServerPath } from '../account/server-path.ts';
import type { Device } from '../direct/direct-streams.ts';
import { registerAbsentVcard } from './absent-vcard.ts';
import { ArchiveService } from './archive-service.ts';
import { Availability } from './availability.ts';
import { Blocking, type BlockingListener } from './blocking.ts';
import { registerCarbons } from './carbons-control.ts';
import type { Client } from './client-table.ts';
import { ContactPresence } from './contact-presence.ts';
import { DeviceMessages } from './device-messages.ts';
import { giveUp } from './given-up-messages.ts';
import { IqRouting } from './iq-routing.ts';
import { LocalDelivery } from './local-delivery.ts';
import { MessageArchive } from './message-archive.ts';
import { MessageReception } from './message-reception.ts';
import { MessageRouting } from './message-routing.ts';
import { OfflineQueue } from './offline-queue.ts';
import { NO_OTHER_WAY } from './other-way.ts';
import { Outbox } from './outbox.ts';
import { OwnDeviceCopies } from './own-device-copies.ts';
import { ArchiveSync } from './own-devices/archive-sync.ts';
import { BlockedSync } from './own-devices/blocked-sync.ts';
import { DeviceSync } from './own-devices/device-sync.ts';
import { PersonalSync } from './own-devices/personal-sync.ts';
import { RosterSync } from './own-devices/roster-sync.ts';
import type { TellOwnDevices } from './own-devices/synchronized-part.ts';
import { PeerMessages } from './peer-messages.ts';
import { PeerRequests } from './peer-requests.ts';
import { PersonalEventing } from './personal-eventing.ts';
import { PersonalEvents } from './personal-events.ts';
import { PersonalNodes } from './personal-nodes.ts';
import { registerPing } from './ping.ts';
import { PresenceRouting } from './presence-routing.ts';
import { RemoteRequests } from './remote-requests.ts';
import type { RestoredRouting } from './restored-routing.ts';
import { Roster } from './roster.ts';
import { RosterService } from './roster-service.ts';
import type { RoutingContext } from './routing-context.ts';
import { removal } from './routing-records.ts';
import { ServiceDiscovery } from './service-discovery.ts';
import { type SubscriptionListener, Subscriptions } from './subscriptions.ts';
import { UndeliveredStanzas } from './undelivered-stanzas.ts';
import { UnknownAddresses } from './unknown-addresses.ts';
import { WritesInProgress } from './writes-in-progress.ts';

/** Makes the parts of routing once, and knows what follows in one from what happens in another. */
export class RoutingParts {
  readonly messages: MessageRouting;
  readonly deviceMessages: DeviceMessages;
  readonly peerMessages: PeerMessages;
  readonly iqs: IqRouting;
  readonly presence: PresenceRouting;
  readonly outbox: Outbox;
  readonly undelivered: UndeliveredStanzas;
  readonly blocking: Blocking;
  /** Undefined: the user has no account at an ordinary server. */
  readonly serverPath: ServerPath | undefined;
  private readonly context: RoutingContext;
  private readonly damaged: readonly string[];
  private readonly requests: RemoteRequests;
  private readonly peerRequests: PeerRequests;
  private readonly roster: Roster;
  private readonly availability: Availability;
  private readonly contacts: ContactPresence;
  private readonly sync: DeviceSync;
  private readonly unknown: UnknownAddresses;

  constructor(
    context: RoutingContext,
    restored: RestoredRouting,
    beside: ServerBesideOverlay | undefined,
  ) {
    this.context = context;
    this.damaged = restored.damaged;
    const { environment, own, sessions, writes } = context;
    const archive = new MessageArchive(environment.random, restored.archive);
    const offline = new OfflineQueue(own.bare, writes, restored.offline);
    const serverPath = beside === undefined ? undefined : new ServerPath(context, beside);
    this.serverPath = serverPath;
    this.outbox = this.newOutbox(offline, restored);
    this.unknown = new UnknownAddresses(context, this.outbox, {
      isKnown: (address) => archive.hasFrom(address) || this.isReachable(address),
    });
    const delivery = new LocalDelivery(context.clients, sessions);
    const copies = new OwnDeviceCopies(context);
    const inProgress = new WritesInProgress(archive);
    const common = { context, archive, delivery, copies, inProgress };
    const reception = new MessageReception({ ...common, offline });
    const { outbox } = this;
    this.messages = new MessageRouting({ ...common, outbox, reception, way: serverPath?.way });
    this.peerMessages = new PeerMessages(context, this.messages);
    this.deviceMessages = new DeviceMessages(context, reception, this.messages);
    this.requests = new RemoteRequests(context, serverPath);
    this.peerRequests = new PeerRequests(context);
    this.iqs = new IqRouting(context, this.requests, this.peerRequests, serverPath);
    this.undelivered = new UndeliveredStanzas(context, archive, delivery, offline, this.iqs);
    const unixMs = () => environment.unixMs;
    const roster = new Roster(unixMs, restored);
    this.roster = roster;
    const tell: TellOwnDevices = (part, entries) => this.sync.tell(part, entries);
    const availability = new Availability(context, roster, offline);
    const contacts = new ContactPresence(context, roster);
    const listener: SubscriptionListener = {
      subscriberAdded: (contact) => this.subscriberAdded(contact),
      subscriberRemoved: (contact) => availability.subscriberChanged(contact, false),
      subscriptionEnded: (contact) => contacts.subscriptionEnded(contact),
    };
    const subscriptions = new Subscriptions(context, roster, outbox, listener, tell);
    this.presence = new PresenceRouting(context, subscriptions, availability, contacts);
    this.availability = availability;
    this.contacts = contacts;
    this.blocking = this.newBlocking(tell);
    const nodes = new PersonalNodes(unixMs, restored);
    const events = new PersonalEvents(context, nodes, roster, this.peerRequests);
    new PersonalEventing(context, nodes, events, roster, tell).register(context.features);
    this.sync = new DeviceSync(context, this.peerRequests, [
      new ArchiveSync({ ...common, reception }, restored.positions),
      new BlockedSync(context, this.blocking),
      new PersonalSync(context, nodes, events),
      new RosterSync(context, roster, subscriptions),
    ]);
    this.registerFeatures(archive, subscriptions);
    const { blocking, messages: routing } = this;
    serverPath?.begin({ archive, blocking, offline, outbox, reception, roster, routing });
  }

  /** RFC 6121 §3.1.5, XEP-0163 §4.3.4: what a contact sees from now on. */
  private subscriberAdded(contact: BareJid): void {
    const { features, resources } = this.context;
    this.availability.subscriberChanged(contact, true);
    for (const resource of resources.of(contact)) {
      features.tell((listener) => listener.contactAvailable?.(resource));
    }
  }

  /** A contact that is blocked and the user do not see each other (XEP-0191 §3.2). */
  private newBlocking(tell: TellOwnDevices): Blocking {
    const { availability, contacts, context, roster } = this;
    const show = (contact: BareJid, isShown: boolean) => {
      if (roster.hasSubscriber(contact)) availability.subscriberChanged(contact, isShown);
    };
    const listener: BlockingListener = {
      contactBlocked: (contact) => {
        show(contact, false);
        contacts.subscriptionEnded(contact);
      },
      contactUnblocked: (contact) => {
        show(contact, true);
        for (const device of context.streams.devicesOf(contact)) contacts.deviceConnected(device);
      },
    };
    return new Blocking(context, roster, listener, tell);
  }

  private isReachable(address: BareJid): boolean {
    return this.roster.isContact(address) || this.serverPath?.way.mayReach(address) === true;
  }

  private newOutbox(offline: OfflineQueue, restored: RestoredRouting): Outbox {
    const { environment, own, streams, wanted, writes } = this.context;
    return new Outbox(
      {
        environment,
        streams,
        wanted,
        writes,
        ownAddress: own.bare,
        otherWay: this.serverPath?.way ?? NO_OTHER_WAY,
        handedOn: (entry) => this.peerMessages.handedOn(entry),
        delivered: (entry) => this.peerMessages.delivered(entry),
        givenUp: (entry, condition, reason) => {
          this.peerMessages.givenUp(entry, condition, reason);
          giveUp(this.context, offline, entry, condition, reason);
        },
      },
      restored.outbox,
    );
  }

  private registerFeatures(archive: MessageArchive, subscriptions: Subscriptions): void {
    const { availability, context, roster } = this;
    const { features } = context;
    features.listen({
      clientAvailable: (client, isInitial) => {
        if (isInitial) subscriptions.requestsFor(client);
      },
      clientReceives: (client) => this.undelivered.giveInherited(client),
      clientEnded: (client) => this.undelivered.handOn(client.inherited),
    });
    registerPing(features);
    registerCarbons(features);
    this.sync.register(features);
    this.blocking.register(features);
    new RosterService(context, roster, subscriptions).register(features);
    registerAbsentVcard(features);
    new ArchiveService(context, archive).register(features);
    const maySee = (address: BareJid) => availability.maySee(address);
    new ServiceDiscovery(context, features, maySee).register(features);
  }

  start(): void {
    this.context.wanted.releaseUnless(
      (address) => this.outbox.waitsFor(address) || this.roster.isContact(address),
    );
    this.context.writes.write(this.damaged.map(removal));
    this.outbox.start();
  }

  clientEnded(client: Client): void {
    this.availability.ended(client);
    this.requests.clientEnded(client);
    this.context.features.tell((listener) => listener.clientEnded?.(client));
  }

  deviceConnected(device: Device): void {
    this.outbox.deviceConnected(device);
    this.requests.deviceConnected(device);
    this.contacts.deviceConnected(device);
    this.context.features.tell((listener) => listener.deviceConnected?.(device));
  }

  deviceLost(device: Device): void {
    this.outbox.deviceLost(device);
    this.requests.deviceLost(device);
    this.peerRequests.deviceLost(device);
    this.contacts.deviceLost(device);
    this.context.features.tell((listener) => listener.deviceLost?.(device));
  }

  addressTried(
    address: BareJid,
    found: number,
    connected: number,
    reason: string | undefined,
  ): void {
    this.serverPath?.addressTried(address, connected);
    this.outbox.addressTried(address);
    this.unknown.addressTried(address, found);
    this.requests.addressTried(address, found, reason);
  }
}
