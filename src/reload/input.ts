import type { VerifiedConfiguration } from '../overlay-config/verified-configuration.ts';
import type { AuthenticatedNode } from '../tls-auth/authenticated-node.ts';
import type { Signer } from '../tls-auth/signer.ts';
import type { IpAddressPort } from '../wire/ip-address-port.ts';
import type { NodeId } from '../wire/node-id.ts';
import type { Command } from './command.ts';

/** Names a link for as long as it lives; the host counts up and never uses a number again. */
export type LinkId = number;
/** Names one attempt to connect; the Peer counts up. */
export type ConnectId = number;
/** Names one batch of records to write; the Peer counts up. */
export type PersistTicket = number;
/** Names a command; the host counts up. */
export type CommandId = number;

/** A peer to try at the start: the configuration's bootstrap nodes and those remembered. */
export interface KnownPeer {
  readonly address: IpAddressPort;
  /** Known for a remembered peer, unknown for a bootstrap node. */
  readonly nodeId?: NodeId;
}

/** All that can happen to a Peer. */
export type Input =
  /** Once, before anything else: join through these peers, or be the first one. */
  | { readonly type: 'start'; readonly knownPeers: readonly KnownPeer[] }
  /**
   * A TLS link is up and its other end authenticated. `connect` names the Peer's own attempt; it
   * is absent when the other end connected.
   */
  | {
      readonly type: 'linkUp';
      readonly link: LinkId;
      readonly node: AuthenticatedNode;
      readonly remoteAddress: IpAddressPort;
      readonly connect?: ConnectId;
    }
  /** Bytes of FramedMessages, cut anywhere. */
  | { readonly type: 'linkData'; readonly link: LinkId; readonly bytes: Uint8Array }
  | { readonly type: 'linkDown'; readonly link: LinkId; readonly reason: string }
  /** The attempt failed: unreachable, refused, or the certificate did not pass. */
  | { readonly type: 'connectFailed'; readonly connect: ConnectId; readonly reason: string }
  /** The batch is on disk and survives a crash of the process or the host. */
  | { readonly type: 'persisted'; readonly ticket: PersistTicket }
  | { readonly type: 'persistFailed'; readonly ticket: PersistTicket; readonly reason: string }
  | { readonly type: 'command'; readonly id: CommandId; readonly command: Command }
  /** A newer configuration that was verified outside, e.g. fetched before the old one expired. */
  | { readonly type: 'configuration'; readonly configuration: VerifiedConfiguration }
  /** A renewed certificate of this node and user, on disk already, comes into force. */
  | { readonly type: 'renewed'; readonly signer: Signer }
  /** Who is trusted changed (a CRL came, a root went): every authenticated node is asked again. */
  | { readonly type: 'trustChanged' }
  /** Nothing but that time has passed: send it when `nextDeadline()` is reached. */
  | { readonly type: 'tick' };
