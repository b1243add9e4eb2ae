import type { NodeId } from '../../wire/node-id.ts';
import type { Device } from '../direct/direct-streams.ts';
import { CLIENT_NAMESPACE } from '../stanza/stanza.ts';
import { element, type XmppElement } from '../stanza/xmpp-element.ts';
import { type RoutingContext, UNTRACKED } from './routing-context.ts';
import { PEER_REQUEST_TIMEOUT_MS, PEER_REQUESTS_MAX } from './routing-limits.ts';

interface PeerRequest {
  readonly device: NodeId;
  readonly answered: (answer: XmppElement) => void;
}

/** Requests of this peer itself to devices, in its user's name. */
export class PeerRequests {
  private readonly context: RoutingContext;
  private readonly open = new Map<string, PeerRequest>();

  constructor(context: RoutingContext) {
    this.context = context;
  }

  /** `answered` with the result or error, if one comes in time. */
  ask(
    device: Device,
    type: 'get' | 'set',
    payload: XmppElement,
    answered: (answer: XmppElement) => void,
  ): void {
    if (this.open.size >= PEER_REQUESTS_MAX) return;
    const id = Buffer.from(this.context.environment.random.bytes(ID_BYTES)).toString('base64url');
    this.open.set(id, { device: device.nodeId, answered });
    const key = `routing-peer-request ${id}`;
    this.context.environment.setDeadline(key, PEER_REQUEST_TIMEOUT_MS, () => this.open.delete(id));
    const attributes = { type, id, from: this.context.own.bare, to: device.user };
    const iq = element('iq', CLIENT_NAMESPACE, attributes, [payload]);
    this.context.streams.send(device.nodeId, iq, UNTRACKED);
  }

  /** An answer to the own bare JID. */
  answered(device: Device, answer: XmppElement): void {
    const id = answer.attributes.get('id') ?? '';
    const request = this.open.get(id);
    if (request?.device !== device.nodeId) return;
    this.open.delete(id);
    this.context.environment.cancelDeadline(`routing-peer-request ${id}`);
    request.answered(answer);
  }

  deviceLost(device: Device): void {
    for (const [id, request] of [...this.open]) {
      if (request.device !== device.nodeId) continue;
      this.open.delete(id);
      this.context.environment.cancelDeadline(`routing-peer-request ${id}`);
    }
  }
}

const ID_BYTES = 12;
