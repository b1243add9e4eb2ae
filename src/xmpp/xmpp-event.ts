import type { NodeId } from '../wire/node-id.ts';
import type { ConnectionId } from './xmpp-input.ts';

/** What the XMPP usage tells about itself. No secret and no text of a message is ever in it. */
export type XmppEvent =
  | {
      readonly type: 'clientAuthenticated';
      readonly connection: ConnectionId;
      readonly mechanism: string;
    }
  | {
      readonly type: 'clientRefused';
      readonly connection: ConnectionId;
      /** The condition of a SASL failure or stream error. */
      readonly condition: string;
      readonly reason: string;
    }
  | { readonly type: 'clientBound'; readonly connection: ConnectionId; readonly address: string }
  | { readonly type: 'clientEnded'; readonly address: string; readonly reason: string }
  | { readonly type: 'deviceConnected'; readonly nodeId: NodeId; readonly address: string }
  | { readonly type: 'deviceLost'; readonly nodeId: NodeId; readonly reason: string }
  /** No device of the address can be reached; the next try follows by itself. */
  | { readonly type: 'addressUnreachable'; readonly address: string; readonly reason: string }
  | {
      readonly type: 'stanzaRefused';
      /** Who sent it: a full JID of an own client, or a Node-ID. */
      readonly from: string;
      readonly condition: string;
      readonly reason: string;
    }
  /** Logged in at the user's own server; `address` is the full one that it gave. */
  | {
      readonly type: 'accountOnline';
      readonly address: string;
      readonly mechanism: string;
      readonly isResumed: boolean;
    }
  /** Not, or no more; it is tried again after the pause. */
  | {
      readonly type: 'accountOffline';
      readonly code: string;
      readonly reason: string;
      readonly pauseMs: number;
    }
  /** It works, but other clients of the account do not see what this peer sends, nor vice versa. */
  | { readonly type: 'accountWithoutCarbons'; readonly reason: string }
  /** A message waited too long or found no place, and its sender was told. */
  | { readonly type: 'messageGivenUp'; readonly to: string; readonly reason: string }
  /** One of the user's client certificates can be used from now on, or no more. */
  | {
      readonly type: 'clientCertificate';
      readonly change: 'added' | 'disabled' | 'revoked';
      readonly name: string;
      /** SHA-256, lower-case hex. */
      readonly fingerprint: string;
    }
  /** The disk cannot be written; nothing is acknowledged until it can, and it is tried again. */
  | { readonly type: 'recordsNotWritten'; readonly reason: string }
  /** A record of a former run is damaged and was left out. */
  | { readonly type: 'recordDropped'; readonly key: string };
