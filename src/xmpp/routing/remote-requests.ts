import type { NodeId } from '../../wire/node-id.ts';
import type { Jid } from '../../xmpp-address/jid.ts';
import type { Device } from '../direct/direct-streams.ts';
import { STANZA_ERROR_NAMESPACE, type StanzaErrorCondition } from '../stanza/stanza.ts';
import { childElement, writeElement, type XmppElement } from '../stanza/xmpp-element.ts';
import type { Client } from './client-table.ts';
import { addressedTo, type RoutingContext, refuse, UNTRACKED } from './routing-context.ts';
import { REMOTE_IQ_TIMEOUT_MS, REMOTE_IQS_MAX } from './routing-limits.ts';

/** An iq of a client to somebody else, until it is answered. */
interface RemoteRequest {
  readonly client: Client;
  readonly stanza: XmppElement;
  readonly to: Jid;
  readonly deadline: string;
  /** As it is written. */
  readonly bytes: number;
  /** Devices that have it and may still answer. */
  readonly asked: Set<NodeId>;
  /** An answer that another device may still better. */
  refusal: XmppElement | undefined;
}

/** The way over the user's own server: whether it takes a request of a client. */
export interface RequestsByServer {
  /** Before the overlay is asked. */
  takesFirst(client: Client, stanza: XmppElement, to: Jid): boolean;
  /** The overlay could not bring it there. */
  takesLast(client: Client, stanza: XmppElement, to: Jid): boolean;
}

/**
 * Requests (RFC 6120 §8.2.3) of the user's clients to others. Which device a resource is at is
 * known from its presence; else all devices of the addressee are asked, and the first answer counts
 * that is not `service-unavailable`.
 */
export class RemoteRequests {
  private readonly context: RoutingContext;
  private readonly requests = new Map<string, RemoteRequest>();
  private readonly serverPath: RequestsByServer | undefined;
  private count = 0;
  /** Of all that are open. */
  private bytes = 0;

  constructor(context: RoutingContext, serverPath: RequestsByServer | undefined) {
    this.context = context;
    this.serverPath = serverPath;
  }

  send(client: Client, stanza: XmppElement, to: Jid): void {
    const bytes = Buffer.byteLength(writeElement(stanza));
    if (this.requests.size >= REMOTE_IQS_MAX || this.bytes + bytes > REQUEST_BYTES_MAX) {
      return this.refuse(client, stanza, 'resource-constraint', 'too many requests are open');
    }
    const key = requestKey(client.jid.text, to.text, stanza.attributes.get('id'));
    if (this.requests.has(key)) {
      return this.refuse(client, stanza, 'conflict', 'a request with this id is open already');
    }
    this.count += 1;
    const deadline = `routing-iq ${this.count}`;
    const asked = new Set<NodeId>();
    const request = { client, stanza, to, deadline, bytes, asked, refusal: undefined };
    this.requests.set(key, request);
    this.bytes += bytes;
    this.context.environment.setDeadline(deadline, REMOTE_IQ_TIMEOUT_MS, () => this.late(key));
    this.ask(request);
    if (request.asked.size === 0) this.context.wanted.reach(to.bare);
  }

  /** An answer from a device; one that nobody waits for goes nowhere. */
  answered(device: Device, stanza: XmppElement, from: Jid): void {
    const to = stanza.attributes.get('to') ?? '';
    const key = requestKey(to, from.text, stanza.attributes.get('id'));
    const request = this.requests.get(key);
    if (request === undefined || !request.asked.delete(device.nodeId)) return;
    if (isServiceUnavailable(stanza)) {
      request.refusal = stanza;
      this.settleIfNobodyIsLeft(key, request);
    } else {
      this.finish(key, request, stanza);
    }
  }

  deviceConnected(device: Device): void {
    for (const request of this.requests.values()) {
      if (request.asked.size > 0) continue;
      const devices = this.context.streams.devicesOf(request.to.bare);
      if (devices.some(({ nodeId }) => nodeId === device.nodeId)) this.ask(request);
    }
  }

  deviceLost(device: Device): void {
    for (const [key, request] of [...this.requests]) {
      if (request.asked.delete(device.nodeId)) this.settleIfNobodyIsLeft(key, request);
    }
  }

  /** Nobody was found or reached. */
  addressTried(address: string, found: number, reason: string | undefined): void {
    for (const [key, request] of [...this.requests]) {
      if (request.to.bare !== address || request.asked.size > 0) continue;
      this.ask(request);
      if (request.asked.size > 0) continue;
      if (this.serverPath?.takesLast(request.client, request.stanza, request.to) === true) {
        this.forget(key, request);
        continue;
      }
      const condition = found === 0 ? 'remote-server-not-found' : 'remote-server-timeout';
      this.fail(key, request, condition, reason ?? `no device of ${address} can be reached`);
    }
  }

  clientEnded(client: Client): void {
    for (const [key, request] of [...this.requests]) {
      if (request.client === client) this.forget(key, request);
    }
  }

  /** To one device where that is known or enough, else to all. */
  private ask(request: RemoteRequest): void {
    const { resources, streams } = this.context;
    const devices = streams.devicesOf(request.to.bare);
    const known = resources.get(request.to)?.device;
    const isAtKnown = devices.filter(({ nodeId }) => nodeId === known);
    const isToAccount = request.to.resourcepart === undefined;
    const several = isToAccount ? devices.slice(0, 1) : devices;
    for (const device of isAtKnown.length > 0 ? isAtKnown : several) {
      request.asked.add(device.nodeId);
      const stanza = addressedTo(device, request.to.bare, request.stanza);
      streams.send(device.nodeId, stanza, UNTRACKED);
    }
  }

  private settleIfNobodyIsLeft(key: string, request: RemoteRequest): void {
    if (request.asked.size > 0) return;
    if (request.refusal !== undefined) return this.finish(key, request, request.refusal);
    this.fail(key, request, 'remote-server-timeout', 'the connection was lost before the answer');
  }

  private late(key: string): void {
    const request = this.requests.get(key);
    if (request === undefined) return;
    this.fail(key, request, 'remote-server-timeout', `${request.to.bare} did not answer in time`);
  }

  private finish(key: string, request: RemoteRequest, answer: XmppElement): void {
    this.forget(key, request);
    this.context.sessions.send(request.client.session, answer);
  }

  private fail(
    key: string,
    request: RemoteRequest,
    condition: StanzaErrorCondition,
    text: string,
  ): void {
    this.forget(key, request);
    this.refuse(request.client, request.stanza, condition, text);
  }

  private refuse(
    client: Client,
    stanza: XmppElement,
    condition: StanzaErrorCondition,
    text: string,
  ): void {
    refuse(this.context, { type: 'client', client }, stanza, condition, text);
  }

  private forget(key: string, request: RemoteRequest): void {
    this.requests.delete(key);
    this.bytes -= request.bytes;
    this.context.environment.cancelDeadline(request.deadline);
  }
}

/** `from` is who asked, `to` who was asked. */
function requestKey(from: string, to: string, id: string | undefined): string {
  return `${from}\n${to}\n${id ?? ''}`;
}

function isServiceUnavailable(stanza: XmppElement): boolean {
  const error = childElement(stanza, 'error');
  if (stanza.attributes.get('type') !== 'error' || error === undefined) return false;
  return childElement(error, 'service-unavailable', STANZA_ERROR_NAMESPACE) !== undefined;
}

/** Of all requests together that are open. */
const REQUEST_BYTES_MAX = 32 * 1024 * 1024;
