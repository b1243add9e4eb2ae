import type { VerifiedConfiguration } from '../overlay-config/verified-configuration.ts';
import type { PersistRecord } from '../storage/persist-record.ts';
import type { IpAddressPort } from '../wire/ip-address-port.ts';
import type { NodeId } from '../wire/node-id.ts';
import type { CommandOutcome } from './command.ts';
import type { CommandId, ConnectId, KnownPeer, LinkId, PersistTicket } from './input.ts';
import type { PeerEvent } from './peer-event.ts';

/**
 * All that the world must do for a Peer, in this order.
 *
 * The one invariant: a message that acknowledges a change is returned only AFTER the `persisted`
 * input for that change. So the host may carry out `send` and `persist` side by side.
 */
export type Output =
  /**
   * Open a TLS link to `address` and answer with linkUp or connectFailed. Where `expectedNodeId`
   * is given, BEFORE linkUp the host closes a link whose certificate names another node.
   */
  | {
      readonly type: 'connect';
      readonly connect: ConnectId;
      readonly address: IpAddressPort;
      readonly expectedNodeId?: NodeId;
    }
  /** Bytes for the link, in order. */
  | { readonly type: 'send'; readonly link: LinkId; readonly bytes: Uint8Array }
  /** Close the link AFTER what was sent before on it is flushed. No linkDown is expected. */
  | { readonly type: 'close'; readonly link: LinkId; readonly reason: string }
  /** Write all records in one atomic batch, durably, and only AFTER that answer `persisted`. */
  | {
      readonly type: 'persist';
      readonly ticket: PersistTicket;
      readonly records: readonly PersistRecord[];
    }
  /** The end of a command, exactly once. */
  | { readonly type: 'completed'; readonly id: CommandId; readonly outcome: CommandOutcome }
  /** For logs, metrics and whoever listens; nothing depends on it. */
  | { readonly type: 'event'; readonly event: PeerEvent }
  /** Directly connected peers to try first after a restart (RFC 6940 §11.4); replaces the list. */
  | { readonly type: 'rememberPeers'; readonly peers: readonly KnownPeer[] }
  /** A signed configuration came through the overlay and is in force: keep it for the restart. */
  | { readonly type: 'configurationAdopted'; readonly configuration: VerifiedConfiguration }
  /** The Peer has left; it asks for nothing any more. */
  | { readonly type: 'stopped'; readonly reason: string };
