import type { BareJid } from '../../xmpp-address/jid.ts';
import { DISCO_INFO_NAMESPACE, DISCO_ITEMS_NAMESPACE } from '../stanza/namespaces.ts';
import { element, type XmppElement } from '../stanza/xmpp-element.ts';
import type { FeatureTable } from './feature-table.ts';
import type { RoutingContext } from './routing-context.ts';
import type { FeatureRegistry, IqAnswer, IqRequest } from './routing-feature.ts';

/** Whether somebody may see what only contacts with a presence subscription see. */
export type MaySeePresence = (address: BareJid) => boolean;

/** XEP-0030: what the account and the server can do is what the features said that they do. */
export class ServiceDiscovery {
  private readonly context: RoutingContext;
  private readonly features: FeatureTable;
  private readonly maySeePresence: MaySeePresence;

  constructor(context: RoutingContext, features: FeatureTable, maySeePresence: MaySeePresence) {
    this.context = context;
    this.features = features;
    this.maySeePresence = maySeePresence;
  }

  register(registry: FeatureRegistry): void {
    registry.identity('server', 'server', 'im');
    registry.identity('account', 'account', 'registered');
    for (const target of ['server', 'account'] as const) {
      registry.disco(target, [DISCO_INFO_NAMESPACE, DISCO_ITEMS_NAMESPACE]);
    }
    registry.iq(DISCO_INFO_NAMESPACE, (request, answer) => this.info(request, answer));
    registry.iq(DISCO_ITEMS_NAMESPACE, (request, answer) => this.items(request, answer));
  }

  private info(request: IqRequest, answer: IqAnswer): void {
    if (!this.isQuery(request, answer)) return;
    const identities = this.features
      .identitiesOf(request.target)
      .map(({ category, type }) => element('identity', DISCO_INFO_NAMESPACE, { category, type }));
    const features = this.features
      .featuresOf(request.target)
      .map((name) => element('feature', DISCO_INFO_NAMESPACE, { var: name }));
    answer.result([element('query', DISCO_INFO_NAMESPACE, {}, [...identities, ...features])]);
  }

  /** XEP-0030 §4, §8: the resources of an account, for who may see its presence. */
  private items(request: IqRequest, answer: IqAnswer): void {
    if (!this.isQuery(request, answer)) return;
    const items: XmppElement[] = [];
    if (request.target === 'account') {
      for (const { jid } of this.context.clients.available()) {
        items.push(element('item', DISCO_ITEMS_NAMESPACE, { jid: jid.text }));
      }
    }
    answer.result([element('query', DISCO_ITEMS_NAMESPACE, {}, items)]);
  }

  private isQuery(request: IqRequest, answer: IqAnswer): boolean {
    const { payload } = request;
    if (request.type !== 'get' || payload.name !== 'query') {
      answer.error('bad-request', 'service discovery is asked by an iq of type get');
    } else if (!request.isOwn && !this.maySeePresence(request.from.bare)) {
      // XEP-0030 §8: the answer is the same as for an account that does not exist.
      answer.error('service-unavailable', 'nothing is told to who may not see the presence');
    } else if (payload.attributes.has('node')) {
      answer.error('item-not-found', 'there is no such node');
    } else {
      return true;
    }
    return false;
  }
}
