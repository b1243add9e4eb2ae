import { overlayHash } from '../storage/resource-name.ts';
import { Admission } from './admission.ts';
import { AttachManager } from './attach-manager.ts';
import { ChordReload } from './chord-reload.ts';
import { CommandService } from './command-service.ts';
import { ConfigurationService } from './configuration-service.ts';
import { DiagnosticsService } from './diagnostics-service.ts';
import { FingerSearch } from './finger-search.ts';
import { ForwardingLayer } from './forwarding-layer.ts';
import { JoinProcedure } from './join-procedure.ts';
import { LeaveProcedure } from './leave-procedure.ts';
import { LinkManager } from './link-manager.ts';
import { MessageReceiver } from './message-receiver.ts';
import { MessageTransport } from './message-transport.ts';
import { NewerData } from './newer-data.ts';
import { OwnRecords } from './own-records.ts';
import { PartitionSearch } from './partition-search.ts';
import type { PeerEnvironment } from './peer-environment.ts';
import type { PeerAsWhole, PeerParts } from './peer-parts.ts';
import { PeerReactions } from './peer-reactions.ts';
import { Replication } from './replication.ts';
import { StorageService } from './storage-service.ts';

/** The components of one Peer. What each hears of the others goes through `PeerReactions`. */
export class PeerComponents implements PeerParts {
  readonly reactions: PeerReactions;
  readonly links: LinkManager;
  readonly forwarding: ForwardingLayer;
  readonly transport: MessageTransport;
  readonly receiver: MessageReceiver;
  readonly attaches: AttachManager;
  readonly chord: ChordReload;
  readonly join: JoinProcedure;
  readonly fingers: FingerSearch;
  readonly partition: PartitionSearch;
  readonly replication: Replication;
  readonly admission: Admission;
  readonly storage: StorageService;
  readonly newerData: NewerData;
  readonly configuration: ConfigurationService;
  readonly diagnostics: DiagnosticsService;
  readonly ownRecords: OwnRecords;
  readonly commands: CommandService;
  readonly leave: LeaveProcedure;

  constructor(env: PeerEnvironment, whole: PeerAsWhole) {
    const { store } = env.options;
    const overlay = overlayHash(env.configuration.instanceName);
    const reactions = new PeerReactions(env, this, whole);
    this.reactions = reactions;
    const links = new LinkManager(env, reactions);
    const transport = new MessageTransport(env, reactions, overlay);
    const receiver = new MessageReceiver(env, reactions, transport, overlay);
    const attaches = new AttachManager(env, links, transport, receiver, reactions);
    const chord = new ChordReload(env, links, transport, receiver, attaches, reactions);
    const replication = new Replication(env, store, chord, links, transport, reactions);
    const ownRecords = new OwnRecords(env, transport);
    this.links = links;
    this.transport = transport;
    this.receiver = receiver;
    this.attaches = attaches;
    this.chord = chord;
    this.replication = replication;
    this.ownRecords = ownRecords;
    this.forwarding = new ForwardingLayer(env, links, reactions, overlay);
    this.join = new JoinProcedure(env, links, transport, attaches, chord, reactions);
    this.fingers = new FingerSearch(env, links, transport, attaches, chord);
    this.partition = new PartitionSearch(env, links, transport, attaches, chord, reactions);
    this.admission = new Admission(env, links, receiver, chord, replication);
    this.storage = new StorageService(env, store, chord, receiver, reactions);
    this.newerData = new NewerData(env, store, transport, this.storage);
    this.configuration = new ConfigurationService(env, transport, receiver, reactions);
    this.diagnostics = new DiagnosticsService(env, store, chord, receiver);
    this.commands = new CommandService(env, transport, reactions);
    this.leave = new LeaveProcedure(env, this, reactions);
  }
}
