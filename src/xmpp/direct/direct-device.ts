import type { NodeId } from '../../wire/node-id.ts';
import type { BareJid } from '../../xmpp-address/jid.ts';
import type { XmppEnvironment } from '../xmpp-environment.ts';
import type { DirectLinkId } from '../xmpp-input.ts';
import { type ConnectionOwner, DeviceConnection } from './device-connection.ts';
import { DeviceSession, type SessionContext } from './device-session.ts';

/** One device: the way to it and the stanzas exchanged with it. */
export class DirectDevice {
  readonly session: DeviceSession;
  readonly connection: DeviceConnection;

  constructor(nodeId: NodeId, owner: ConnectionOwner, context: SessionContext) {
    this.connection = new DeviceConnection(nodeId, owner, () => this.session);
    this.session = new DeviceSession(context, this.connection);
  }

  /** Whose it is, as far as a certificate has shown it. */
  get user(): BareJid | undefined {
    return this.connection.stream?.user ?? this.session.current?.device.user;
  }

  get priority(): number {
    return this.connection.priority ?? 0;
  }

  streamOf(link: DirectLinkId): DeviceConnection['stream'] {
    const { stream } = this.connection;
    return stream?.link === link ? stream : undefined;
  }

  isIdle(env: XmppEnvironment, idleMs: number): boolean {
    const { stream } = this.connection;
    const session = this.session.current;
    if (stream?.isOpen !== true || stream.role !== 'initiator' || session === undefined)
      return false;
    if (session.unacknowledgedStanzas > 0 || session.unhandledStanzas > 0) return false;
    return env.now.monotonicMs - this.session.lastStanzaMs >= idleMs;
  }
}
