import {
  SERVER_TIMEOUTS_DEFAULT,
  type ServerTimeouts,
} from '../../../xmpp/account/account-limits.ts';
import type { OwnAccount } from '../../../xmpp/account/own-account.ts';
import type { PrimaryWay } from '../../../xmpp/account/server-way.ts';
import type { SignedStanzaPolicy } from '../../../xmpp/signed-stanzas/signed-stanzas.ts';
import { AddressFault } from '../../../xmpp-address/address-fault.ts';
import { type Jid, parseJid } from '../../../xmpp-address/jid.ts';
import { isSecp256k1, type LinkCredentials, toPem } from '../../links/link-credentials.ts';
import type { AccountPlace } from './account-connections.ts';
import type { ServerEncryption } from './server-address.ts';
import type { ClientCertificate } from './server-tls.ts';

/** The user's account at an ordinary XMPP server, beside the overlay (XEP-0415 §8). */
export interface AccountJoinOptions {
  /** The bare JID of the account: that of the peer's certificate. */
  readonly jid: string;
  /** Host name or IP address; absent: what the SRV records of the account's domain say. */
  readonly server?: string | undefined;
  /** Default: 5222, with direct TLS 5223. It counts with `server` alone. */
  readonly port?: number | undefined;
  /** Default: `starttls`. */
  readonly tls?: ServerEncryption | undefined;
  /** Absent: the peer's certificate has to do, where the server takes it (SASL EXTERNAL). */
  readonly password?: string | undefined;
  /** PEM of the authorities that the server's certificate leads to; default: the system's. */
  readonly caCertificates?: string | undefined;
  /** Which way messages take first. Default: `overlay`. */
  readonly primary?: PrimaryWay | undefined;
  /** Signatures on what goes over the server (XEP-0285). Default: `prefer`. */
  readonly signedStanzas?: SignedStanzaPolicy | undefined;
  readonly timeouts?: Partial<ServerTimeouts>;
}

/** The account is not that of the user whose peer this is. */
export class AccountOfAnotherUser extends Error {
  constructor(account: string, user: string) {
    super(
      `the account ${account} is not of ${user}, whom the certificate of this peer names: ` +
        'beside the overlay a user has the same address at the server',
    );
    this.name = 'AccountOfAnotherUser';
  }
}

export interface OpenedAccount {
  readonly own: OwnAccount;
  readonly place: AccountPlace;
  /** Default: `prefer`. */
  readonly signedStanzas?: SignedStanzaPolicy | undefined;
}

/** What core and sockets need of it. Throws a sentence where the address is not the user's. */
export function openAccount(options: AccountJoinOptions, user: Jid): OpenedAccount {
  const account = parseJid(options.jid);
  if (account instanceof AddressFault || account.text !== user.bare) {
    throw new AccountOfAnotherUser(options.jid, user.bare);
  }
  const { server, port, tls = 'starttls', caCertificates, password, primary } = options;
  const timeouts = { ...SERVER_TIMEOUTS_DEFAULT, ...options.timeouts };
  return {
    own: {
      credentials: { password, certificate: 'names-account' },
      primary: primary ?? 'overlay',
      timeouts,
    },
    signedStanzas: options.signedStanzas,
    place: {
      account,
      server,
      port,
      encryption: tls,
      caCertificates: caCertificates === undefined ? undefined : [caCertificates],
      connectMs: timeouts.connectMs,
    },
  };
}

/** The peer's certificate for the server; none where TLS 1.3 could not prove its key. */
export function peerCertificate(credentials: LinkCredentials): ClientCertificate | undefined {
  const { chain, privateKey } = credentials;
  if (isSecp256k1(privateKey)) return undefined;
  return {
    certificate: chain.map(toPem).join(''),
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}
