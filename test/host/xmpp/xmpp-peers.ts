import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { advertisedAddresses } from '../../../src/host/advertised-addresses.ts';
import { hostClock } from '../../../src/host/host-clock.ts';
import type { LinkCredentials } from '../../../src/host/links/link-credentials.ts';
import { type Log, silentLog } from '../../../src/host/log.ts';
import type { PeerHost } from '../../../src/host/peer-host.ts';
import type { SocketAddress } from '../../../src/host/socket-address.ts';
import type { OpenedAccount } from '../../../src/host/xmpp/account/open-account.ts';
import { type ClientConnections, XmppHost } from '../../../src/host/xmpp/xmpp-host.ts';
import type { Authenticator } from '../../../src/tls-auth/authenticator.ts';
import type { NodeId } from '../../../src/wire/node-id.ts';
import type { XmppInput } from '../../../src/xmpp/xmpp-input.ts';
import { AddressFault } from '../../../src/xmpp-address/address-fault.ts';
import { parseJid } from '../../../src/xmpp-address/jid.ts';
import type { TestAuthority } from '../links/link-identities.ts';
import { knownPeer, startTestPeer, testConfiguration } from '../peer-host-fixture.ts';

/** A peer with XMPP on real sockets and a real disk; its clients are in this process. */
export interface XmppPeer {
  readonly host: PeerHost;
  readonly xmpp: XmppHost;
  readonly clients: MemoryClients;
  readonly credentials: LinkCredentials;
  readonly authenticator: Authenticator;
  stop(): Promise<void>;
}

export interface XmppPeerOptions {
  readonly authority: TestAuthority;
  readonly nodeId: NodeId;
  readonly jid: string;
  /** Absent: the first peer of the overlay. */
  readonly through?: PeerHost;
  readonly forwardTo?: string;
  /** Of a former run, and kept; default: a new one, which goes with the peer. */
  readonly stateDirectory?: string;
  readonly account?: OpenedAccount;
  /** Hears what the XMPP usage logs. */
  readonly log?: Log;
  /** Where other devices are told to connect instead. */
  readonly advertised?: (bound: SocketAddress) => SocketAddress;
}

export async function startXmppPeer(options: XmppPeerOptions): Promise<XmppPeer> {
  const { authority, nodeId, jid, through, forwardTo, account, advertised } = options;
  const credentials = await authority.certify(nodeId, jid);
  const stateDirectory = options.stateDirectory ?? (await mkdtemp(join(tmpdir(), 'xor-xmpp-')));
  const user = parseJid(jid);
  if (user instanceof AddressFault) throw new Error(user.describe());
  const authenticator = authority.authenticator();
  const clients = new MemoryClients(credentials);
  const xmpp = await XmppHost.open({
    stateDirectory,
    user,
    nodeId,
    credentials,
    authenticator,
    rootCertificates: testConfiguration(authority).rootCertificates,
    revocation: undefined,
    listen: { host: '127.0.0.1', port: 0 },
    advertised: (bound) => advertisedAddresses(advertised?.(bound) ?? bound, undefined),
    ...(account === undefined ? {} : { account }),
    credential: undefined,
    openClients: (deliver) => clients.open(deliver),
    log: options.log ?? silentLog,
    clock: hostClock,
  });
  const { host } = await startTestPeer({
    authority,
    authenticator,
    credentials,
    first: through === undefined,
    knownPeers: through === undefined ? [] : [knownPeer(through)],
    applications: xmpp.applications,
    ...(forwardTo === undefined ? {} : { forwardTo }),
  });
  await xmpp.begin(host);
  await host.whenJoined(AbortSignal.timeout(20_000));
  const stop = async () => {
    await host.leave();
    if (options.stateDirectory !== undefined) return;
    await rm(stateDirectory, { recursive: true, force: true });
  };
  return { host, xmpp, clients, credentials, authenticator, stop };
}

/** Clients that a test plays: logged in by the certificate of their peer. */
export class MemoryClients implements ClientConnections {
  readonly listening = {};
  /** Hears everything instead of `heard`, for those who count. */
  listener: ((text: string) => void) | undefined;
  private readonly credentials: LinkCredentials;
  private readonly heard = new Map<number, string>();
  private deliver: (input: XmppInput) => void = () => undefined;
  private last = 0;

  constructor(credentials: LinkCredentials) {
    this.credentials = credentials;
  }

  open(deliver: (input: XmppInput) => void): Promise<MemoryClients> {
    this.deliver = deliver;
    return Promise.resolve(this);
  }

  /** A client that is logged in, with stream management; returns how to speak and to listen. */
  logIn(domain: string, resource: string): MemoryClient {
    this.last += 1;
    const connection = this.last;
    this.heard.set(connection, '');
    const certificates = [...this.credentials.chain];
    const tls = { certificates, serverEndPoint: new Uint8Array(32), exporter: undefined };
    this.deliver({ type: 'clientConnected', connection, transport: 'tcp', tls });
    const says = (text: string) =>
      this.deliver({ type: 'clientData', connection, bytes: new Uint8Array(Buffer.from(text)) });
    const header =
      `<stream:stream to='${domain}' version='1.0' xmlns='jabber:client' ` +
      "xmlns:stream='http://etherx.jabber.org/streams'>";
    says(header);
    says("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>");
    says(header);
    says(
      "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>" +
        `<resource>${resource}</resource></bind></iq><presence/>`,
    );
    return { says, heard: () => this.heard.get(connection) ?? '' };
  }

  send(connection: number, bytes: Uint8Array): void {
    this.deliver({ type: 'clientDrained', connection, pendingBytes: 0 });
    if (this.listener !== undefined) {
      this.listener(Buffer.from(bytes).toString());
      return;
    }
    const before = this.heard.get(connection) ?? '';
    this.heard.set(connection, before + Buffer.from(bytes).toString());
  }

  startTls(): void {
    throw new Error('the clients of this test have TLS already');
  }

  close(connection: number, reason: string): void {
    const before = this.heard.get(connection) ?? '';
    this.heard.set(connection, `${before}[closed: ${reason}]`);
  }

  closeAll(): Promise<void> {
    return Promise.resolve();
  }
}

export interface MemoryClient {
  says(text: string): void;
  /** All bytes that came, as text. */
  heard(): string;
}
