import type { Command } from '../reload/command.ts';
import type { PersistRecord } from '../storage/persist-record.ts';
import type { AccountOutput } from './account/account-events.ts';
import type { CertificateOutcome } from './client-certificates/certificate-command.ts';
import type { XmppEvent } from './xmpp-event.ts';
import type {
  AttemptId,
  ConnectionId,
  DirectLinkId,
  DirectTarget,
  ManagementId,
  SentMessageId,
  XmppCommandId,
  XmppTicket,
} from './xmpp-input.ts';

/**
 * All that the world must do for the XMPP usage, in this order.
 *
 * The one invariant: what acknowledges a stanza, to a client or to another device, is returned only
 * AFTER the `persisted` input for what must outlive a crash of it.
 */
export type XmppOutput =
  /** Bytes of a stream; in a WebSocket one whole message. */
  | { readonly type: 'clientSend'; readonly connection: ConnectionId; readonly bytes: Uint8Array }
  /** Begin TLS as the server AFTER what was sent before is flushed, and answer with `clientTls`. */
  | { readonly type: 'clientStartTls'; readonly connection: ConnectionId }
  /** Close AFTER what was sent before is flushed, a bounded time long. No clientClosed follows. */
  | { readonly type: 'clientClose'; readonly connection: ConnectionId; readonly reason: string }
  /**
   * Open a TLS connection, without STARTTLS and without ALPN (XEP-0415 §6), as the TLS client, and
   * answer with directLinkUp or directConnectFailed. BEFORE directLinkUp the host closes one whose
   * certificate does not pass or names another node.
   */
  | { readonly type: 'directConnect'; readonly attempt: AttemptId; readonly target: DirectTarget }
  | { readonly type: 'directSend'; readonly link: DirectLinkId; readonly bytes: Uint8Array }
  | { readonly type: 'directClose'; readonly link: DirectLinkId; readonly reason: string }
  /** For the connection to the server of the user's account. */
  | { readonly type: 'account'; readonly output: AccountOutput }
  /** A command to the Peer, answered by `commandCompleted`. */
  | { readonly type: 'command'; readonly command: XmppCommandId; readonly what: Command }
  /** Write all records in one atomic batch, durably, and only AFTER that answer `persisted`. */
  | {
      readonly type: 'persist';
      readonly ticket: XmppTicket;
      readonly records: readonly PersistRecord[];
    }
  /** What became of a `sendMessage`: it may take as long as its addressee is away. */
  | {
      readonly type: 'messageOutcome';
      readonly message: SentMessageId;
      readonly outcome: SentMessageOutcome;
    }
  /** What became of a `manageCertificates`: AFTER it is on disk. */
  | {
      readonly type: 'certificatesManaged';
      readonly management: ManagementId;
      readonly outcome: CertificateOutcome;
    }
  /**
   * Certify the key of a PKCS #10 request (DER) for this user with the peer's own issuer, if it
   * asks for nothing else, and answer with `certificateIssued`.
   */
  | {
      readonly type: 'issueCertificate';
      readonly request: number;
      readonly signingRequest: Uint8Array;
    }
  /** For logs, metrics and whoever listens; nothing depends on it. */
  | { readonly type: 'event'; readonly event: XmppEvent }
  | { readonly type: 'stopped' };

export type SentMessageOutcome =
  /**
   * A device of the addressee has it on its disk; `by` the user's own server: that one has it, and
   * delivers it as it delivers any message.
   */
  | { readonly type: 'acknowledged'; readonly by?: 'server' }
  /** It will not be delivered; the condition is one of RFC 6120 §8.3.3. */
  | { readonly type: 'refused'; readonly condition: string; readonly reason: string };
