import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startAuthority } from '../../../src/host/authority/authority-server.ts';
import { initializeAuthority } from '../../../src/host/authority/initialization.ts';
import { freePort } from '../../../src/host/free-port.ts';
import { openPeer } from '../../../src/host/join-overlay.ts';
import type { PeerHost } from '../../../src/host/peer-host.ts';
import type { SocketAddress } from '../../../src/host/socket-address.ts';
import { setLocalPassword } from '../../../src/host/xmpp/gateway/password-file.ts';

const OVERLAY = 'xmpp.org';
const PASSWORD = 'wherefore';

/** A peer with XMPP, and what clients of its user need to log in. */
export interface UserPeer {
  readonly jid: string;
  readonly host: PeerHost;
  readonly password: string;
  readonly gateway: SocketAddress;
  readonly webSocketUrl: string;
  /** PEM: of the gateway. */
  readonly trust: string;
  /** PEM: certificates and key of the peer. */
  readonly identity: string;
}

export interface OverlayOfTwo {
  readonly romeo: UserPeer;
  readonly juliet: UserPeer;
  stop(): Promise<void>;
}

/** An authority and the peers of two users; pages of these origins may use WebSockets. */
export async function startOverlayOfTwo(origins: readonly string[]): Promise<OverlayOfTwo> {
  const directory = await mkdtemp(join(tmpdir(), 'xor-overlay-of-two-'));
  const authorityDirectory = join(directory, 'ca');
  const bootstrap = { host: '127.0.0.1', port: await freePort() };
  await initializeAuthority({
    stateDirectory: authorityDirectory,
    overlayName: OVERLAY,
    httpsNames: ['127.0.0.1'],
  });
  const authority = await startAuthority({
    stateDirectory: authorityDirectory,
    listen: { host: '127.0.0.1', port: 0 },
    bootstrap: [bootstrap],
  });

  const startPeer = async (jid: string, first: boolean): Promise<UserPeer> => {
    const stateDirectory = join(directory, jid);
    await authority.addUser(jid, PASSWORD);
    const host = await openPeer({
      stateDirectory,
      overlay: OVERLAY,
      configuration: {
        from: 'https',
        url: authority.configurationUrl,
        trustedCertificates: authority.trustedCertificates,
      },
      identity: { from: 'enrollment', userName: jid, password: () => Promise.resolve(PASSWORD) },
      listen: first ? bootstrap : { host: '127.0.0.1', port: 0 },
      first,
      xmpp: {
        gateway: { host: '127.0.0.1', port: 0 },
        gatewayWebSocket: { host: '127.0.0.1', port: 0 },
        origins,
      },
    });
    await host.whenJoined(AbortSignal.timeout(60_000));
    await setLocalPassword(stateDirectory, PASSWORD);
    const { gateway, gatewayWebSocket } = host.xmppListening ?? {};
    if (gateway === undefined || gatewayWebSocket === undefined) throw new Error('no gateway');
    return {
      ...{ jid, host, password: PASSWORD, gateway },
      webSocketUrl: `wss://127.0.0.1:${gatewayWebSocket.port}/xmpp-websocket`,
      trust: join(stateDirectory, 'gateway.pem'),
      identity: join(stateDirectory, 'identity.pem'),
    };
  };

  const romeo = await startPeer('romeo@montague.lit', true);
  const juliet = await startPeer('juliet@capulet.lit', false);
  const stop = async () => {
    await juliet.host.leave();
    await romeo.host.leave();
    await authority.close();
    await rm(directory, { recursive: true, force: true });
  };
  return { romeo, juliet, stop };
}
