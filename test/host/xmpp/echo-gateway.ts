import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { hostClock } from '../../../src/host/host-clock.ts';
import { silentLog } from '../../../src/host/log.ts';
import { PeerDriver, type Tick } from '../../../src/host/peer-driver.ts';
import type { SocketAddress } from '../../../src/host/socket-address.ts';
import { ClientGateway } from '../../../src/host/xmpp/gateway/client-gateway.ts';
import { setLocalPassword } from '../../../src/host/xmpp/gateway/password-file.ts';
import type { Now } from '../../../src/storage/now.ts';
import { CLIENT_LIMITS_DEFAULT } from '../../../src/xmpp/client-session/client-limits.ts';
import { ClientSessions } from '../../../src/xmpp/client-session/client-sessions.ts';
import type {
  LocalSessionsListener,
  SessionId,
} from '../../../src/xmpp/client-session/local-sessions.ts';
import { judgeByOverlay } from '../../../src/xmpp/sasl/client-certificate.ts';
import { stanzaError } from '../../../src/xmpp/stanza/stanza.ts';
import { withAttributes, type XmppElement } from '../../../src/xmpp/stanza/xmpp-element.ts';
import { XmppEnvironment } from '../../../src/xmpp/xmpp-environment.ts';
import type { XmppEvent } from '../../../src/xmpp/xmpp-event.ts';
import type { XmppInput } from '../../../src/xmpp/xmpp-input.ts';
import type { XmppOutput } from '../../../src/xmpp/xmpp-output.ts';
import { AddressFault } from '../../../src/xmpp-address/address-fault.ts';
import { type Jid, parseJid } from '../../../src/xmpp-address/jid.ts';
import { seededRandom } from '../../reload/seeded-random.ts';
import { TestAuthority } from '../links/link-identities.ts';

export const USER = 'romeo@montague.lit';
export const DOMAIN = 'montague.lit';
export const PASSWORD = 'wherefore art thou';

/** A gateway whose stanzas come back to whoever sent them, in a state directory of its own. */
export interface EchoGateway {
  readonly gateway: ClientGateway;
  readonly stateDirectory: string;
  readonly authority: TestAuthority;
  readonly events: readonly XmppEvent[];
  readonly ended: readonly { readonly undelivered: readonly XmppElement[] }[];
  readonly tcp: SocketAddress;
  readonly web: SocketAddress;
}

export async function openEchoGateway(
  options: { readonly origins?: readonly string[]; readonly waitingBytesMax?: number } = {},
): Promise<EchoGateway> {
  const stateDirectory = await mkdtemp(join(tmpdir(), 'xor-gateway-'));
  onTestFinished(() => rm(stateDirectory, { recursive: true, force: true }));
  await setLocalPassword(stateDirectory, PASSWORD);
  const authority = await TestAuthority.create();
  const core = new EchoCore(authority, options.waitingBytesMax);
  let gateway: ClientGateway | undefined;
  const driver = new PeerDriver<XmppInput, XmppOutput>(core, hostClock, (output) => {
    if (output.type === 'clientSend') gateway?.send(output.connection, output.bytes);
    else if (output.type === 'clientStartTls') gateway?.startTls(output.connection);
    else if (output.type === 'clientClose') gateway?.close(output.connection);
    else if (output.type === 'event') core.events.push(output.event);
  });
  const loopback = { host: '127.0.0.1', port: 0 };
  gateway = await ClientGateway.open(
    {
      stateDirectory,
      domain: DOMAIN,
      gateway: loopback,
      gatewayWebSocket: loopback,
      clock: hostClock,
      log: silentLog,
      ...(options.origins === undefined ? {} : { origins: options.origins }),
    },
    (input) => driver.deliver(input),
  );
  const opened = gateway;
  onTestFinished(async () => {
    await opened.closeAll();
    driver.stop();
  });
  return {
    gateway,
    stateDirectory,
    authority,
    events: core.events,
    ended: core.ended,
    tcp: gateway.listening.gateway ?? loopback,
    web: gateway.listening.gatewayWebSocket ?? loopback,
  };
}

/** Client sessions without routing. */
class EchoCore implements LocalSessionsListener {
  readonly events: XmppEvent[] = [];
  readonly ended: { readonly undelivered: readonly XmppElement[] }[] = [];
  private readonly env = new XmppEnvironment(seededRandom(9));
  private readonly sessions: ClientSessions;

  constructor(authority: TestAuthority, waitingBytesMax = CLIENT_LIMITS_DEFAULT.waitingBytesMax) {
    const user = jid(USER);
    this.sessions = new ClientSessions(
      this.env,
      {
        user,
        credential: undefined,
        judgeClientCertificate: judgeByOverlay(authority.authenticator(), user.bare),
        limits: { waitingBytesMax },
      },
      this,
    );
  }

  handle(input: XmppInput | Tick, now: Now): readonly XmppOutput[] {
    this.env.now = now;
    if (input.type === 'clientConnected') {
      this.sessions.connected(input.connection, input.transport, input.tls, input.address);
    } else if (input.type === 'clientTls') this.sessions.tlsUp(input.connection, input.tls);
    else if (input.type === 'clientData') this.sessions.received(input.connection, input.bytes);
    else if (input.type === 'clientDrained') {
      this.sessions.drained(input.connection, input.pendingBytes);
    } else if (input.type === 'clientClosed') this.sessions.closed(input.connection, input.reason);
    else if (input.type === 'passwordChanged') this.sessions.passwordChanged(input.credential);
    this.env.runDueDeadlines();
    return this.env.takeOutputs();
  }

  nextDeadline(): number | undefined {
    return this.env.nextDeadline();
  }

  sessionBinding(session: SessionId, wanted: string | undefined): string {
    return wanted ?? `made-${session}`;
  }

  stanzaFromSession(session: SessionId, stanza: XmppElement): void {
    this.sessions.handled(session);
    const { name, attributes } = stanza;
    const type = attributes.get('type');
    if (name === 'iq' && (type === 'get' || type === 'set')) {
      this.sessions.send(session, stanzaError(stanza, 'service-unavailable', 'An echo has none.'));
    } else if (name !== 'iq') {
      const to = attributes.get('from');
      this.sessions.send(session, withAttributes(stanza, { to, from: attributes.get('to') ?? to }));
    }
  }

  sessionEnded(_session: SessionId, undelivered: readonly XmppElement[]): void {
    this.ended.push({ undelivered });
  }
}

function jid(text: string): Jid {
  const parsed = parseJid(text);
  if (parsed instanceof AddressFault) throw new Error(`no address: ${text}`);
  return parsed;
}
