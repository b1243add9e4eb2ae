import type { CommandOutcome } from '../reload/command.ts';
import type { AuthenticatedNode } from '../tls-auth/authenticated-node.ts';
import type { IpAddressPort } from '../wire/ip-address-port.ts';
import type { NodeId } from '../wire/node-id.ts';
import type { AccountInput } from './account/account-events.ts';
import type {
  CertificateCommand,
  IssueOutcome,
} from './client-certificates/certificate-command.ts';

/** Names a connection of one of the user's own clients; the host counts up, never twice. */
export type ConnectionId = number;
/** Names a connection to or from a device of the overlay; the host counts up, never twice. */
export type DirectLinkId = number;
/** Names one attempt to connect to a device; the usage counts up. */
export type AttemptId = number;
/** Names one batch of records to write; the usage counts up. */
export type XmppTicket = number;
/** Names a message that the host itself sends; the host counts up. */
export type SentMessageId = number;
/** Names a command for the client certificates that the host passes on; the host counts up. */
export type ManagementId = number;
/** Names a command to the Peer; the usage counts up. */
export type XmppCommandId = number;

/** What the TLS layer under a client's connection has to say. */
export interface ClientTls {
  /** DER, the leaf first; empty when the client showed none. Not judged by anybody yet. */
  readonly certificates: readonly Uint8Array[];
  /** RFC 5929 `tls-server-end-point`: the hash of the gateway's own certificate. */
  readonly serverEndPoint: Uint8Array;
  /** RFC 9266 `tls-exporter`; undefined below TLS 1.3. */
  readonly exporter: Uint8Array | undefined;
  /** RFC 5929 `tls-unique`: the client's Finished message. */
  readonly unique?: Uint8Array | undefined;
}

/** All that can happen to the XMPP usage of one peer. */
export type XmppInput =
  /** Once, before anything else; what was on disk was given to the constructor. */
  | { readonly type: 'start' }
  /**
   * One of the user's own clients has connected. `tls` is there for direct TLS and WebSockets, and
   * comes later by `clientTls` with STARTTLS. In a WebSocket each `clientData` is one whole message
   * (RFC 7395).
   */
  | {
      readonly type: 'clientConnected';
      readonly connection: ConnectionId;
      readonly transport: 'tcp' | 'websocket';
      readonly tls: ClientTls | undefined;
      /** IP address of the host that it is on; absent: nobody knows. */
      readonly address?: string | undefined;
    }
  | { readonly type: 'clientTls'; readonly connection: ConnectionId; readonly tls: ClientTls }
  | { readonly type: 'clientData'; readonly connection: ConnectionId; readonly bytes: Uint8Array }
  /** What was sent has left for the kernel; `pendingBytes` still wait for a slow reader. */
  | {
      readonly type: 'clientDrained';
      readonly connection: ConnectionId;
      readonly pendingBytes: number;
    }
  | { readonly type: 'clientClosed'; readonly connection: ConnectionId; readonly reason: string }
  /**
   * A TLS connection with a device is up, its other end authenticated by the overlay's roots.
   * `attempt` names the usage's own attempt; it is absent when the other end connected.
   */
  | {
      readonly type: 'directLinkUp';
      readonly link: DirectLinkId;
      readonly node: AuthenticatedNode;
      readonly attempt?: AttemptId;
    }
  | { readonly type: 'directLinkData'; readonly link: DirectLinkId; readonly bytes: Uint8Array }
  | { readonly type: 'directLinkDown'; readonly link: DirectLinkId; readonly reason: string }
  | { readonly type: 'directConnectFailed'; readonly attempt: AttemptId; readonly reason: string }
  /**
   * A node asked for a direct stream by AppAttach for the application 5222, was answered, and waits
   * for a TLS connection at one of these addresses (RFC 6940 §6.5.2).
   */
  | {
      readonly type: 'appAttachRequested';
      readonly nodeId: NodeId;
      /** The candidates that this node may connect to, best first. */
      readonly addresses: readonly IpAddressPort[];
    }
  /** Something happened to the connection to the server of the user's account. */
  | { readonly type: 'account'; readonly input: AccountInput }
  /** The end of a command of this usage. */
  | {
      readonly type: 'commandCompleted';
      readonly command: XmppCommandId;
      readonly outcome: CommandOutcome;
    }
  /** The Peer is in the overlay, or no more. */
  | { readonly type: 'overlay'; readonly joined: boolean }
  /** Who is trusted changed (revocation, bad-node, roots): certificates are asked about again. */
  | { readonly type: 'trustChanged' }
  /** The local password of SCRAM was set anew; sessions that are there stay. */
  | { readonly type: 'passwordChanged'; readonly credential: ScramCredential }
  /** Sends a text in the user's name; answered by `messageOutcome`, when there is one. */
  | {
      readonly type: 'sendMessage';
      readonly message: SentMessageId;
      readonly to: string;
      readonly text: string;
    }
  /** A change of the client certificates, or their list; answered by `certificatesManaged`. */
  | {
      readonly type: 'manageCertificates';
      readonly management: ManagementId;
      readonly what: CertificateCommand;
    }
  /** The peer's own issuer has answered `issueCertificate`. */
  | {
      readonly type: 'certificateIssued';
      readonly request: number;
      readonly outcome: IssueOutcome;
    }
  /** The peer's own certificate in the overlay, in DER: at the start, and when it was renewed. */
  | {
      readonly type: 'ownCertificate';
      readonly certificate: Uint8Array;
      /** DER: those above it, without the root. Default: none. */
      readonly above?: readonly Uint8Array[];
    }
  | { readonly type: 'persisted'; readonly ticket: XmppTicket }
  | { readonly type: 'persistFailed'; readonly ticket: XmppTicket; readonly reason: string }
  /** Leave: end every stream properly; ends with the output `stopped`. */
  | { readonly type: 'leave' }
  /** Nothing but that time has passed: send it when `nextDeadline()` is reached. */
  | { readonly type: 'tick' };

/** What a server keeps of a password (RFC 5802 §3, with SHA-256). It does not give it away. */
export interface ScramCredential {
  readonly salt: Uint8Array;
  readonly iterations: number;
  readonly storedKey: Uint8Array;
  readonly serverKey: Uint8Array;
}

/** Where a connection to a device goes. */
export interface DirectTarget {
  readonly address: IpAddressPort;
  readonly expectedNodeId: NodeId;
}
