import type { Authenticator } from '../../tls-auth/authenticator.ts';
import type { RoutingContext } from '../routing/routing-context.ts';
import type { IqAnswer } from '../routing/routing-feature.ts';
import { PUBSUB_NAMESPACE } from '../stanza/namespaces.ts';
import { CLIENT_NAMESPACE } from '../stanza/stanza.ts';
import { element, type XmppElement } from '../stanza/xmpp-element.ts';
import {
  certificateItemId,
  certificatesFromPersonalEvents,
  personalCertificatesRequest,
  publishCertificates,
  retractCertificates,
} from './personal-certificates.ts';

/**
 * The certificate of this peer as a personal event of its user (XEP-0417 §9), for contacts that do
 * not look into the overlay. Each own device has an item; after a renewal the new one takes the
 * place of the old one.
 */
export class OwnCertificateEvent {
  private readonly context: RoutingContext;
  private readonly authenticator: Authenticator;

  constructor(context: RoutingContext, authenticator: Authenticator) {
    this.context = context;
    this.authenticator = authenticator;
  }

  /** DER, the leaf first. Nothing happens where it is published already. */
  publish(chain: readonly Uint8Array[]): void {
    const [leaf] = chain;
    const id = leaf === undefined ? undefined : certificateItemId(leaf);
    if (id === undefined) return;
    const formerIds = this.publishedIds();
    if (formerIds.includes(id)) return;
    const retractFormer = () => {
      for (const former of formerIds) this.ask('set', retractCertificates(former), IGNORED);
    };
    this.ask('set', publishCertificates(id, chain, undefined, { withOptions: true }), {
      result: retractFormer,
      // The user has made the node, and otherwise: that stays.
      error: () =>
        this.ask('set', publishCertificates(id, chain, undefined, { withOptions: false }), {
          ...IGNORED,
          result: retractFormer,
        }),
    });
  }

  /** The items of this very node. Reading is answered at once. */
  private publishedIds(): readonly string[] {
    const { environment, nodeId, own } = this.context;
    let answer: XmppElement | undefined;
    this.ask('get', personalCertificatesRequest(), {
      ...IGNORED,
      result: (payload) => {
        answer = element('iq', CLIENT_NAMESPACE, { type: 'result' }, payload);
      },
    });
    if (answer === undefined) return [];
    const { nodes } = certificatesFromPersonalEvents(
      answer,
      own.bare,
      this.authenticator,
      environment.unixMs,
    );
    return nodes
      .filter((node) => node.nodeId === nodeId)
      .flatMap(({ certificate }) => certificateItemId(certificate.der) ?? []);
  }

  private ask(type: 'get' | 'set', payload: XmppElement, answer: IqAnswer): void {
    const { features, own } = this.context;
    const from = own.bare;
    features.handlerOf(PUBSUB_NAMESPACE)?.(
      {
        stanza: element('iq', CLIENT_NAMESPACE, { type, from, to: from }, [payload]),
        type,
        payload,
        from: own,
        target: 'account',
        origin: { type: 'peer' },
        isOwn: true,
      },
      answer,
    );
  }
}

/** What cannot be published now is published at the next start. */
const IGNORED: IqAnswer = { result: () => undefined, error: () => undefined };
