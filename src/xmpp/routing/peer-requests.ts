import type { NodeId } from '../../wire/node-id.ts';
import type { SessionId } from '../client-session/local-sessions.ts';
import type { Device } from '../direct/direct-streams.ts';
import { CLIENT_NAMESPACE } from '../stanza/stanza.ts';
import { element, type XmppElement } from '../stanza/xmpp-element.ts';
import type { Client } from './client-table.ts';
import { type RoutingContext, UNTRACKED } from './routing-context.ts';
import { PEER_REQUEST_TIMEOUT_MS, PEER_REQUESTS_MAX } from './routing-limits.ts';

interface PeerRequest {
  /** The device, or the session of an own client, that is to answer. */
  readonly asked: NodeId | SessionId;
  readonly answered: (answer: XmppElement) => void;
}

/** Requests of this peer itself to devices and own clients, in its user's name. */
export class PeerRequests {
  private readonly context: RoutingContext;
  private readonly open = new Map<string, PeerRequest>();

  constructor(context: RoutingContext) {
    this.context = context;
  }

  /** `answered` with the result or error, if one comes in time; `to` is of the device's user. */
  ask(
    device: Device,
    type: 'get' | 'set',
    payload: XmppElement,
    answered: (answer: XmppElement) => void,
    to: string = device.user,
  ): void {
    const iq = this.request({ asked: device.nodeId, answered }, type, to, payload);
    if (iq !== undefined) this.context.streams.send(device.nodeId, iq, UNTRACKED);
  }

  /** Asks an own client. */
  askClient(client: Client, payload: XmppElement, answered: (answer: XmppElement) => void): void {
    const request = { asked: client.session, answered };
    const iq = this.request(request, 'get', client.jid.text, payload);
    if (iq !== undefined) this.context.sessions.send(client.session, iq);
  }

  /** An answer to the own bare JID, from a device or an own client. */
  answered(by: NodeId | SessionId, answer: XmppElement): void {
    const id = answer.attributes.get('id') ?? '';
    const request = this.open.get(id);
    if (request?.asked !== by) return;
    this.open.delete(id);
    this.context.environment.cancelDeadline(`routing-peer-request ${id}`);
    request.answered(answer);
  }

  deviceLost(device: Device): void {
    for (const [id, request] of [...this.open]) {
      if (request.asked !== device.nodeId) continue;
      this.open.delete(id);
      this.context.environment.cancelDeadline(`routing-peer-request ${id}`);
    }
  }

  private request(
    request: PeerRequest,
    type: 'get' | 'set',
    to: string,
    payload: XmppElement,
  ): XmppElement | undefined {
    const { environment, own } = this.context;
    if (this.open.size >= PEER_REQUESTS_MAX) return undefined;
    const id = Buffer.from(environment.random.bytes(ID_BYTES)).toString('base64url');
    this.open.set(id, request);
    const key = `routing-peer-request ${id}`;
    environment.setDeadline(key, PEER_REQUEST_TIMEOUT_MS, () => this.open.delete(id));
    return element('iq', CLIENT_NAMESPACE, { type, id, from: own.bare, to }, [payload]);
  }
}

const ID_BYTES = 12;
