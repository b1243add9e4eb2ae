import type { Authenticator } from '../../tls-auth/authenticator.ts';
import type { Signer } from '../../tls-auth/signer.ts';
import type { XmppInput } from '../../xmpp/xmpp-input.ts';
import { AddressFault } from '../../xmpp-address/address-fault.ts';
import { type BareJid, type Jid, parseJid } from '../../xmpp-address/jid.ts';
import { advertisedAddresses, resolveHost } from '../advertised-addresses.ts';
import { hostClock } from '../host-clock.ts';
import type { JoinOptions, XmppJoinOptions } from '../join-options.ts';
import { limitedLog } from '../limited-log.ts';
import type { LinkCredentials } from '../links/link-credentials.ts';
import type { OverlayLinksOptions } from '../links/overlay-links.ts';
import type { Log } from '../log.ts';
import type { SocketAddress } from '../socket-address.ts';
import { openAccount } from './account/open-account.ts';
import { ClientGateway } from './gateway/client-gateway.ts';
import { XmppHost } from './xmpp-host.ts';

/** What the XMPP usage shares with the peer beside which it runs. */
export interface XmppSurroundings {
  readonly signer: Signer;
  readonly credentials: LinkCredentials;
  readonly authenticator: Authenticator;
  readonly revocation: OverlayLinksOptions['revocation'];
  readonly rootCertificates: readonly Uint8Array[];
  /** Where the overlay links are accepted. */
  readonly linkListen: SocketAddress;
  /** What others are told of this host, with the port of the overlay links. */
  readonly advertise: SocketAddress | undefined;
  readonly log: Log;
}

/** The certificate of this peer names no XMPP address. */
export class NoXmppAddress extends Error {
  constructor(userName: string) {
    super(
      `the certificate of ${userName} names no XMPP address, so there is no XMPP; ` +
        'the overlay needs the certificate profile xep-0416',
    );
    this.name = 'NoXmppAddress';
  }
}

/**
 * Opens the XMPP usage that the options ask for, up to where it can begin beside its peer.
 * Undefined: none is asked for. Rejects with the system's error when a port is taken.
 */
export async function openXmpp(
  options: JoinOptions,
  surroundings: XmppSurroundings,
): Promise<XmppHost | undefined> {
  const { xmpp, stateDirectory } = options;
  if (xmpp === undefined) return undefined;
  const { signer, advertise, linkListen } = surroundings;
  const log = limitedLog(surroundings.log, hostClock);
  const user = parseJid(signer.node.xmppAddr ?? '');
  if (user instanceof AddressFault) throw new NoXmppAddress(signer.node.userName);
  const others = await advertisedForDevices(xmpp, advertise);
  return XmppHost.open({
    ...surroundings,
    stateDirectory,
    user,
    nodeId: signer.nodeId,
    listen: xmpp.listen ?? { host: linkListen.host, port: 0 },
    advertised: (bound) => advertisedAddresses(bound, others),
    // The gateway reads it, now and whenever it is set anew.
    credential: undefined,
    openClients: (deliver) => openGateway(xmpp, user, log, deliver, stateDirectory),
    clock: hostClock,
    log: log.child({ part: 'xmpp' }),
    ...(xmpp.certificatePolicy === undefined ? {} : { certificatePolicy: xmpp.certificatePolicy }),
    ...(xmpp.account === undefined ? {} : { account: openAccount(xmpp.account, user) }),
    ...(xmpp.attachOrder === undefined ? {} : { attachOrder: xmpp.attachOrder }),
  });
}

async function advertisedForDevices(
  { advertise }: XmppJoinOptions,
  ofPeer: SocketAddress | undefined,
): Promise<SocketAddress | undefined> {
  if (advertise !== undefined) return resolveHost(advertise);
  // The port of the overlay links leads to no direct stream.
  return ofPeer === undefined ? undefined : { host: ofPeer.host, port: 0 };
}

function openGateway(
  { gateway, gatewayWebSocket, origins = [] }: XmppJoinOptions,
  user: Jid,
  log: Log,
  deliver: (input: XmppInput) => void,
  stateDirectory: string,
): Promise<ClientGateway> {
  const listen = { gateway, gatewayWebSocket };
  const domain = user.domainpart;
  const options = { stateDirectory, domain, origins, clock: hostClock, log, ...listen };
  return ClientGateway.open(options, deliver);
}

/** The address that `forwardTo` names, prepared; throws a sentence where it is none. */
export function forwardingAddress({ forwardTo }: JoinOptions): BareJid | undefined {
  if (forwardTo === undefined) return undefined;
  const jid = parseJid(forwardTo);
  if (jid instanceof AddressFault) {
    throw new Error(`"${forwardTo}" is no XMPP address to forward to: ${jid.describe()}`);
  }
  if (jid.resourcepart !== undefined) {
    throw new Error(`name a bare address to forward to, ${jid.bare} instead of ${jid.text}`);
  }
  return jid.bare;
}
