import type { VerifiedConfiguration } from '../overlay-config/verified-configuration.ts';
import type { LookupDefences } from '../reload/lookup-defences.ts';
import type { RevocationPolicy } from '../tls-auth/revocation-check.ts';
import type { KeyType } from './enrollment/enrollment-key.ts';
import type { LinkCredentials } from './links/link-credentials.ts';
import type { LinkLimits } from './links/link-limits.ts';
import type { Log } from './log.ts';
import type { SocketAddress } from './socket-address.ts';
import type { AccountJoinOptions } from './xmpp/account/open-account.ts';

/** How a program joins an overlay. All but the state directory has a default. */
export interface JoinOptions {
  /** Key, certificate, stored values and caches of this peer; locked while it runs. */
  readonly stateDirectory: string;
  /** The overlay's name, a domain. Default: xmpp.org. */
  readonly overlay?: string;
  /** Default: fetched from the overlay's own HTTPS server, or found in the state directory. */
  readonly configuration?: ConfigurationSource;
  /** Default: what the state directory holds. */
  readonly identity?: IdentitySource;
  /** Default: port 6084 on every IPv4 interface. Port 0 lets the system choose. */
  readonly listen?: SocketAddress;
  /** Where others reach this peer. Default: where it listens. */
  readonly advertise?: SocketAddress;
  /** This peer is the whole overlay and waits for others. Default: false. */
  readonly first?: boolean;
  /** Store and fetch, but neither route nor store for others. Default: false. */
  readonly client?: boolean;
  /** Lookups that hold out against lying peers, at the price of more messages. Default: none. */
  readonly defences?: LookupDefences;
  /**
   * `require`: a certificate counts only with a current revocation list that does not name it;
   * `prefer` (the default): also while no list of its issuer was ever reachable; `off`.
   */
  readonly revocation?: RevocationPolicy;
  /** Revocation lists are asked for at least so often, ms. Default: an hour. */
  readonly revocationRefreshMs?: number;
  /** XMPP over the overlay for the user's own clients. Default: none. */
  readonly xmpp?: XmppJoinOptions;
  /**
   * A bare XMPP address at which the user is reached instead: published in place of the way to this
   * peer (XEP-0415 §4.1).
   */
  readonly forwardTo?: string;
  /**
   * Which of the user's devices is tried first by those who try one after another (XEP-0415
   * §6.1): 0 to 255, the smallest first. Default 0.
   */
  readonly locationPriority?: number;
  /** Default: nothing is logged. */
  readonly log?: Log;
  readonly linkLimits?: Partial<LinkLimits>;
  /** Gives up joining. */
  readonly signal?: AbortSignal;
}

/** Where the XMPP usage of a peer listens. Port 0 lets the system choose. */
export interface XmppJoinOptions {
  /** For other devices. Default: any port at the host of the overlay links. */
  readonly listen?: SocketAddress;
  /** Where other devices reach that. Default: the host of `advertise` of the peer, that port. */
  readonly advertise?: SocketAddress;
  /** For the user's own clients: STARTTLS, or direct TLS, told apart by the first byte. */
  readonly gateway?: SocketAddress;
  /** The same for WebSockets (RFC 7395). */
  readonly gatewayWebSocket?: SocketAddress;
  /** Web pages of these origins may connect, such as `https://chat.example`. Default: none. */
  readonly origins?: readonly string[];
  /**
   * Which certificates let clients in: `registered` (the default) those of the overlay and all that
   * the user registered; `authority` no registered ones but those that this peer's issuer signed.
   */
  readonly certificatePolicy?: 'registered' | 'authority';
  /** The user's account at an ordinary server, beside the overlay. Default: none. */
  readonly account?: AccountJoinOptions;
  /** Devices of an address are connected to all at once (the default), or by their priority. */
  readonly attachOrder?: 'parallel' | 'sequential';
}

export type ConfigurationSource =
  | {
      readonly from: 'https';
      /** Default: https://OVERLAY/.well-known/reload-config, found by DNS SRV. */
      readonly url?: string;
      /** PEM certificates to trust beside those of the system. */
      readonly trustedCertificates?: string;
    }
  /** One that the program has verified itself. */
  | { readonly from: 'given'; readonly configuration: VerifiedConfiguration };

export type IdentitySource =
  /** Used only when the state directory holds no certificate yet. */
  | {
      readonly from: 'enrollment';
      readonly userName: string;
      /** Asked for only when it is needed. */
      readonly password: () => Promise<string>;
      /** Default: p256. */
      readonly keyType?: KeyType;
      /**
       * https URL of the enrollment server that has the account, where several authorities serve
       * the overlay. Default: those of the configuration, one after another until one answers.
       */
      readonly enrollmentUrl?: string;
    }
  | { readonly from: 'given'; readonly credentials: LinkCredentials };
