import type { Jid } from '../../xmpp-address/jid.ts';
import type { Device } from '../direct/direct-streams.ts';
import type { StanzaErrorCondition } from '../stanza/stanza.ts';
import type { XmppElement } from '../stanza/xmpp-element.ts';
import type { Client } from './client-table.ts';
import type { RemoteResource } from './remote-resources.ts';
import type { StanzaOrigin } from './stanza-origin.ts';

/** An iq of type get or set that this peer answers: for the user's account, or as the server. */
export interface IqRequest {
  readonly stanza: XmppElement;
  readonly type: 'get' | 'set';
  /** Its one child. */
  readonly payload: XmppElement;
  readonly from: Jid;
  readonly target: IqTarget;
  readonly origin: StanzaOrigin;
  /** From the user, at this or another own device. */
  readonly isOwn: boolean;
}

/** The user's bare JID, or the domain that this peer stands for. */
export type IqTarget = 'account' | 'server';

/** Exactly one of them is called once, at once or when what must be durable is. */
export interface IqAnswer {
  result(payload?: readonly XmppElement[]): void;
  error(
    condition: StanzaErrorCondition,
    text: string,
    applicationCondition?: readonly XmppElement[],
  ): void;
}

export type IqHandler = (request: IqRequest, answer: IqAnswer) => void;

/** What may happen to clients and devices, for whoever wants to follow it. */
export interface RoutingListener {
  /** A client became available with a priority that is not negative, having not been before. */
  clientReceives?(client: Client): void;
  /** A client sent available presence without `to`; `isInitial` when it was not available. */
  clientAvailable?(client: Client, isInitial: boolean): void;
  clientUnavailable?(client: Client): void;
  clientEnded?(client: Client): void;
  /** Available presence of a client of a contact came, which is remembered. */
  contactAvailable?(resource: RemoteResource): void;
  contactUnavailable?(jid: Jid): void;
  deviceConnected?(device: Device): void;
  deviceLost?(device: Device): void;
}

/** Where a feature says at the start what it does. */
export interface FeatureRegistry {
  /** Answers iqs whose payload has this namespace; one feature for each. */
  iq(namespace: string, handler: IqHandler): void;
  /** disco#info features (XEP-0030) of the account or the server. */
  disco(target: IqTarget, features: readonly string[]): void;
  identity(target: IqTarget, category: string, type: string): void;
  listen(listener: RoutingListener): void;
}
