import { AddressFault } from '../../xmpp-address/address-fault.ts';
import type { Jid } from '../../xmpp-address/jid.ts';
import type { Device } from '../direct/direct-streams.ts';
import { CLIENT_NAMESPACE, type StanzaErrorCondition } from '../stanza/stanza.ts';
import {
  childElements,
  element,
  withAttributes,
  type XmppElement,
} from '../stanza/xmpp-element.ts';
import { AnswerRoutes } from './answer-routes.ts';
import type { Client } from './client-table.ts';
import type { FeatureTable } from './feature-table.ts';
import type { Done } from './ordered-acknowledgements.ts';
import type { PeerRequests } from './peer-requests.ts';
import type { RemoteRequests, RequestsByServer } from './remote-requests.ts';
import { type RoutingContext, refuse, sendBack, UNTRACKED } from './routing-context.ts';
import type { IqAnswer, IqTarget } from './routing-feature.ts';
import type { StanzaOrigin } from './stanza-origin.ts';

/** Requests and answers (RFC 6120 §8.2.3, §10.3.3, §10.5). */
export class IqRouting {
  private readonly context: RoutingContext;
  private readonly features: FeatureTable;
  private readonly requests: RemoteRequests;
  private readonly peerRequests: PeerRequests;
  private readonly answerRoutes: AnswerRoutes;
  private readonly serverPath: RequestsByServer | undefined;

  constructor(
    context: RoutingContext,
    requests: RemoteRequests,
    peerRequests: PeerRequests,
    serverPath: RequestsByServer | undefined,
  ) {
    this.serverPath = serverPath;
    this.context = context;
    this.features = context.features;
    this.requests = requests;
    this.peerRequests = peerRequests;
    this.answerRoutes = new AnswerRoutes(context.environment);
  }

  /** `done` when it is answered here, or on its way. */
  fromClient(client: Client, stanza: XmppElement, done: Done): void {
    const origin: StanzaOrigin = { type: 'client', client };
    if (!this.isWellFormed(origin, stanza)) return done();
    const given = stanza.attributes.get('to');
    const to = given === undefined ? this.context.own : this.context.addresses.parse(given);
    if (to instanceof AddressFault) {
      refuse(this.context, origin, stanza, 'jid-malformed', `"to" is no address: ${to.describe()}`);
      return done();
    }
    const target = this.targetOf(to);
    if (target === 'account' && isAnswer(stanza)) {
      this.peerRequests.answered(client.session, stanza);
      return done();
    }
    if (target !== undefined) return this.answerHere(origin, stanza, client.jid, target, done);
    if (isAnswer(stanza)) this.sendAnswer(client, stanza, to);
    else this.sendRequest(client, stanza, to);
    done();
  }

  /** `from` is of the device's user, or of a service of its domain. */
  fromDevice(device: Device, stanza: XmppElement, from: Jid, to: Jid, done: Done): void {
    const isOwn = device.user === this.context.own.bare;
    const origin: StanzaOrigin = { type: 'device', device, isOwn };
    if (!this.isWellFormed(origin, stanza)) return done();
    if (isAnswer(stanza)) {
      if (to.resourcepart === undefined) this.peerRequests.answered(device.nodeId, stanza);
      else this.requests.answered(device, stanza, from);
      return done();
    }
    if (to.resourcepart === undefined) {
      return this.answerHere(origin, stanza, from, 'account', done);
    }
    const client = this.context.clients.at(to.text);
    if (client === undefined) {
      const text = `no client with the resource ${to.resourcepart} is here`;
      refuse(this.context, origin, stanza, 'service-unavailable', text);
    } else {
      this.answerRoutes.expect(client.jid.text, from.text, idOf(stanza), device.nodeId);
      this.context.sessions.send(client.session, stanza);
    }
    done();
  }

  /** RFC 6121 §8.4, XEP-0198 §4: requests to a session that ended are answered for it. */
  undelivered(stanza: XmppElement): void {
    if (isAnswer(stanza)) return;
    const from = this.context.addresses.parseIfValid(stanza.attributes.get('from'));
    const to = stanza.attributes.get('to');
    if (from === undefined || to === undefined) return;
    const text = 'the client went away before it answered';
    const client = this.context.clients.at(from.text);
    const route = this.answerRoutes.take(to, from.text, idOf(stanza));
    if (client !== undefined) {
      refuse(this.context, { type: 'client', client }, stanza, 'service-unavailable', text);
    } else if (route !== undefined) {
      const device = { nodeId: route, user: from.bare };
      const isOwn = from.bare === this.context.own.bare;
      const origin: StanzaOrigin = { type: 'device', device, isOwn };
      refuse(this.context, origin, stanza, 'service-unavailable', text);
    }
  }

  /** RFC 6120 §8.2.3: an id, a known type, one child in a request. */
  private isWellFormed(origin: StanzaOrigin, stanza: XmppElement): boolean {
    const type = stanza.attributes.get('type') ?? '';
    const isRequest = type === 'get' || type === 'set';
    const isFit = isRequest ? childElements(stanza).length === 1 : isAnswer(stanza);
    const id = idOf(stanza);
    if (id !== '' && id.length <= ID_CHARACTERS_MAX && isFit) return true;
    const text =
      `an iq has an id of ${ID_CHARACTERS_MAX} characters at most, a type of get, set, result or ` +
      'error, and one child in a request';
    refuse(this.context, origin, stanza, 'bad-request', text);
    return false;
  }

  private targetOf(to: Jid): IqTarget | undefined {
    const { own } = this.context;
    if (to.text === own.bare) return 'account';
    return to.text === own.domainpart ? 'server' : undefined;
  }

  private answerHere(
    origin: StanzaOrigin,
    stanza: XmppElement,
    from: Jid,
    target: IqTarget,
    done: Done,
  ): void {
    const [payload] = childElements(stanza);
    // Nothing was asked in the account's name, so no answer is waited for.
    if (isAnswer(stanza) || payload === undefined) return done();
    const answer = this.answerTo(origin, stanza, target, done);
    const handler = this.features.handlerOf(payload.namespace);
    if (handler === undefined) {
      const text = `there is no service for ${payload.namespace} here`;
      return answer.error('service-unavailable', text);
    }
    const type = stanza.attributes.get('type') === 'set' ? 'set' : 'get';
    const isOwn = from.bare === this.context.own.bare;
    handler({ stanza, type, payload, from, target, origin, isOwn }, answer);
  }

  private answerTo(
    origin: StanzaOrigin,
    stanza: XmppElement,
    target: IqTarget,
    done: Done,
  ): IqAnswer {
    const { own } = this.context;
    const self = target === 'account' ? own.bare : own.domainpart;
    return {
      result: (payload = []) => {
        const to = stanza.attributes.get('from');
        const attributes = { type: 'result', id: idOf(stanza), from: self, to };
        sendBack(this.context, origin, element('iq', CLIENT_NAMESPACE, attributes, payload));
        done();
      },
      error: (condition: StanzaErrorCondition, text, applicationCondition) => {
        refuse(this.context, origin, stanza, condition, text, applicationCondition);
        done();
      },
    };
  }

  private sendRequest(client: Client, stanza: XmppElement, to: Jid): void {
    const { clients, own, resources, sessions } = this.context;
    const origin: StanzaOrigin = { type: 'client', client };
    const local = clients.at(to.text);
    if (local !== undefined) return sessions.send(local.session, stanza);
    if (to.bare === own.bare && resources.get(to) === undefined) {
      if (this.serverPath?.takesFirst(client, stanza, to) === true) return;
      const text = `no client of yours has the resource ${to.resourcepart}`;
      return refuse(this.context, origin, stanza, 'service-unavailable', text);
    }
    if (this.serverPath?.takesFirst(client, stanza, to) === true) return;
    if (to.localpart === undefined) {
      const text = `${to.domainpart} is no user, and only users are in the overlay`;
      return refuse(this.context, origin, stanza, 'remote-server-not-found', text);
    }
    this.requests.send(client, stanza, to);
  }

  /** To the client or device that asked; an answer that nobody waits for goes nowhere. */
  private sendAnswer(client: Client, stanza: XmppElement, to: Jid): void {
    const local = this.context.clients.at(to.text);
    if (local !== undefined) return this.context.sessions.send(local.session, stanza);
    const device = this.answerRoutes.take(client.jid.text, to.text, idOf(stanza));
    if (device === undefined) return;
    const answer = withAttributes(stanza, { from: client.jid.text });
    this.context.streams.send(device, answer, UNTRACKED);
  }
}

function isAnswer(stanza: XmppElement): boolean {
  const type = stanza.attributes.get('type');
  return type === 'result' || type === 'error';
}

function idOf(stanza: XmppElement): string {
  return stanza.attributes.get('id') ?? '';
}

/** Ids are remembered until the answer comes. */
const ID_CHARACTERS_MAX = 1_024;
