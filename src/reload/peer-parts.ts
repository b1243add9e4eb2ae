import type { VerifiedConfiguration } from '../overlay-config/verified-configuration.ts';
import type { Admission } from './admission.ts';
import type { AttachManager } from './attach-manager.ts';
import type { CertificateRenewal } from './certificate-renewal.ts';
import type { ChordReload } from './chord-reload.ts';
import type { CommandService } from './command-service.ts';
import type { ConfigurationService } from './configuration-service.ts';
import type { CopyRetirement } from './copy-retirement.ts';
import type { DiagnosticsService } from './diagnostics-service.ts';
import type { FingerSearch } from './finger-search.ts';
import type { ForwardingLayer } from './forwarding-layer.ts';
import type { CommandId } from './input.ts';
import type { JoinProcedure } from './join-procedure.ts';
import type { KnownPeers } from './known-peers.ts';
import type { LeaveProcedure } from './leave-procedure.ts';
import type { LinkManager } from './link-manager.ts';
import type { LinkRenewal } from './link-renewal.ts';
import type { MessageReceiver } from './message-receiver.ts';
import type { MessageTransport } from './message-transport.ts';
import type { NewerData } from './newer-data.ts';
import type { OwnRecords } from './own-records.ts';
import type { PartitionSearch } from './partition-search.ts';
import type { Replication } from './replication.ts';
import type { StorageService } from './storage-service.ts';
import type { ValueRenewal } from './value-renewal.ts';

/** What the components ask of the Peer as a whole. */
export interface PeerAsWhole {
  applyConfiguration(configuration: VerifiedConfiguration): void;
  finishLeaving(commands: readonly CommandId[]): void;
}

/** The components of one Peer, as they are known to each other. */
export interface PeerParts {
  readonly links: LinkManager;
  readonly forwarding: ForwardingLayer;
  readonly transport: MessageTransport;
  readonly receiver: MessageReceiver;
  readonly attaches: AttachManager;
  readonly chord: ChordReload;
  readonly knownPeers: KnownPeers;
  readonly join: JoinProcedure;
  readonly fingers: FingerSearch;
  readonly partition: PartitionSearch;
  readonly replication: Replication;
  readonly admission: Admission;
  readonly storage: StorageService;
  readonly newerData: NewerData;
  readonly retirement: CopyRetirement;
  readonly configuration: ConfigurationService;
  readonly diagnostics: DiagnosticsService;
  readonly ownRecords: OwnRecords;
  readonly commands: CommandService;
  readonly leave: LeaveProcedure;
  readonly valueRenewal: ValueRenewal;
  readonly linkRenewal: LinkRenewal;
  readonly renewal: CertificateRenewal;
}
