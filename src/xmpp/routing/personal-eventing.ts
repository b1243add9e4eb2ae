import type { PersistRecord } from '../../storage/persist-record.ts';
import { PUBSUB_NAMESPACE } from '../stanza/namespaces.ts';
import { childElements, element, type XmppElement } from '../stanza/xmpp-element.ts';
import { fitting, sizeFault } from './message-size.ts';
import { itemEntry, nodeEntry, PERSONAL_PART, removedEntry } from './own-devices/personal-sync.ts';
import type { TellOwnDevices } from './own-devices/synchronized-part.ts';
import { PersonalConfiguration } from './personal-configuration.ts';
import { type PersonalEvents, publishedElement, retractedElement } from './personal-events.ts';
import { itemOf, type PersonalNode, type PersonalNodes, payloadOf } from './personal-nodes.ts';
import { DEFAULT_OPTIONS, differ, publishOptions } from './personal-options.ts';
import type { Roster } from './roster.ts';
import type { RoutingContext } from './routing-context.ts';
import type { FeatureRegistry, IqAnswer, IqRequest } from './routing-feature.ts';
import { PEP_ITEMS_MAX, PEP_NAME_CHARACTERS_MAX } from './routing-limits.ts';

/**
 * Personal events (XEP-0163): the part of XEP-0060 that nicknames, bookmarks and keys need. Only
 * the user publishes; what one own device takes, it tells the others.
 */
export class PersonalEventing {
  private readonly context: RoutingContext;
  private readonly nodes: PersonalNodes;
  private readonly events: PersonalEvents;
  private readonly roster: Roster;
  private readonly tellOwnDevices: TellOwnDevices;
  private readonly configuration: PersonalConfiguration;

  constructor(
    context: RoutingContext,
    nodes: PersonalNodes,
    events: PersonalEvents,
    roster: Roster,
    tellOwnDevices: TellOwnDevices,
  ) {
    this.context = context;
    this.nodes = nodes;
    this.events = events;
    this.roster = roster;
    this.tellOwnDevices = tellOwnDevices;
    this.configuration = new PersonalConfiguration(context, nodes, events, tellOwnDevices);
  }

  register(registry: FeatureRegistry): void {
    registry.identity('account', 'pubsub', 'pep');
    registry.disco('account', [PUBSUB_NAMESPACE, ...FEATURES]);
    registry.iq(PUBSUB_NAMESPACE, (request, answer) => this.take(request, answer));
    this.configuration.register(registry);
    registry.listen({
      clientAvailable: (client) => this.events.clientAvailable(client),
      clientUnavailable: ({ jid }) => this.events.unavailable(jid),
      contactAvailable: (resource) => this.events.contactAvailable(resource),
      contactUnavailable: (jid) => this.events.unavailable(jid),
      deviceConnected: (device) => this.events.showToDevice(device),
    });
  }

  private take(request: IqRequest, answer: IqAnswer): void {
    const [action] = childElements(request.payload);
    const isGet = request.type === 'get';
    if (request.target !== 'account') {
      answer.error('service-unavailable', 'nodes are at an account');
    } else if (action?.name === 'items' && isGet) {
      this.items(request, action, answer);
    } else if (!request.isOwn) {
      answer.error('forbidden', 'only the user publishes here');
    } else if (action?.name === 'publish' && !isGet) {
      this.publish(request, action, answer);
    } else if (action?.name === 'retract' && !isGet) {
      this.retract(action, answer);
    } else if (action?.name === 'create' && !isGet) {
      this.configuration.create(request.payload, action.attributes.get('node'), answer);
    } else {
      answer.error('feature-not-implemented', 'nodes are published to, read and retracted from');
    }
  }

  /** XEP-0060 §7.1; a node that is not there is made (XEP-0163 §3). */
  private publish(request: IqRequest, publish: XmppElement, answer: IqAnswer): void {
    const name = publish.attributes.get('node') ?? '';
    const [item] = childElements(publish);
    if (!isName(name) || childElements(publish).length !== 1 || item?.name !== 'item') {
      return answer.error('bad-request', 'one item is published at a node');
    }
    const fault = sizeFault(item);
    if (fault !== undefined) return answer.error('not-acceptable', `it is too large: ${fault}`);
    const known = this.nodes.get(name);
    const asked = publishOptions(request.payload, known?.options ?? DEFAULT_OPTIONS);
    const isOther = asked !== undefined && known !== undefined && differ(asked, known.options);
    if (asked === undefined || isOther) {
      const unmet = element('precondition-not-met', PUBSUB_ERRORS_NAMESPACE);
      return answer.error('conflict', 'the node is not as publish-options want it', [unmet]);
    }
    const given = item.attributes.get('id');
    const id = isName(given) ? given : this.newId();
    const kept = (known?.items ?? []).filter((other) => other.id !== id);
    const published = itemOf(id, childElements(item)[0], this.nodes.nextChange(name, id));
    const items = [...kept, published].slice(-asked.itemsMax);
    const changedUnixMs = known?.changedUnixMs ?? this.nodes.nextChange(name);
    const node = { name, options: asked, changedUnixMs, items };
    const done = element('publish', PUBSUB_NAMESPACE, { node: name }, [
      element('item', PUBSUB_NAMESPACE, { id }),
    ]);
    const told = [nodeEntry(node), itemEntry(name, published)];
    this.store(node, [], { answer, done, change: publishedElement(name, [published]), told });
  }

  /** XEP-0060 §7.2. */
  private retract(retract: XmppElement, answer: IqAnswer): void {
    const node = this.nodes.get(retract.attributes.get('node') ?? '');
    const id = childElements(retract)[0]?.attributes.get('id');
    if (node === undefined || id === undefined || !node.items.some((item) => item.id === id)) {
      return answer.error('item-not-found', 'there is no such item');
    }
    const items = node.items.filter((item) => item.id !== id);
    const changedUnixMs = this.nodes.nextChange(node.name, id);
    const removed = this.nodes.noteRemoval(changedUnixMs, node.name, id);
    const change = retractedElement(node.name, id);
    const told = [removedEntry(changedUnixMs, node.name, id)];
    this.store({ ...node, items }, removed, { answer, done: undefined, change, told });
  }

  /** XEP-0060 §6.5, for who may read the node. */
  private items(request: IqRequest, wanted: XmppElement, answer: IqAnswer): void {
    const node = this.nodes.get(wanted.attributes.get('node') ?? '');
    if (node === undefined || !this.mayRead(request, node)) {
      // Who may not read a node is not told whether it is there.
      return answer.error('item-not-found', 'there is no such node');
    }
    const ids = childElements(wanted).map(({ attributes }) => attributes.get('id'));
    const named = node.items.filter(({ id }) => ids.length === 0 || ids.includes(id));
    const count = Number(wanted.attributes.get('max_items') ?? PEP_ITEMS_MAX);
    const chosen = count > 0 ? named.slice(-count) : [];
    const shown = chosen.map((item) => {
      const payload = payloadOf(item);
      const inside = payload === undefined ? [] : [payload];
      return element('item', PUBSUB_NAMESPACE, { id: item.id }, inside);
    });
    const list = fitting(shown, (items) =>
      element('items', PUBSUB_NAMESPACE, { node: node.name }, items),
    );
    answer.result([element('pubsub', PUBSUB_NAMESPACE, {}, [list])]);
  }

  private mayRead(request: IqRequest, node: PersonalNode): boolean {
    const { access } = node.options;
    if (request.isOwn || access === 'open') return true;
    return access === 'presence' && this.roster.hasSubscriber(request.from.bare);
  }

  /** Answers and tells when it is durable, with the other `records`; or there is no room. */
  private store(node: PersonalNode, records: readonly PersistRecord[], then: Stored): void {
    const { answer, change, done, told } = then;
    const changed = this.nodes.set(node);
    if (typeof changed === 'string') return answer.error('resource-constraint', changed);
    this.context.writes.write([...records, ...changed], () => {
      answer.result(done === undefined ? [] : [element('pubsub', PUBSUB_NAMESPACE, {}, [done])]);
      this.events.tell(node, change);
      this.tellOwnDevices(PERSONAL_PART, told);
    });
  }

  private newId(): string {
    return Buffer.from(this.context.environment.random.bytes(12)).toString('base64url');
  }
}

/** What follows when a node is on disk. */
interface Stored {
  readonly answer: IqAnswer;
  /** What the answer holds. */
  readonly done: XmppElement | undefined;
  /** For those who hear of events. */
  readonly change: XmppElement;
  /** For the other own devices. */
  readonly told: readonly XmppElement[];
}

function isName(text: string | undefined): text is string {
  return text !== undefined && text !== '' && text.length <= PEP_NAME_CHARACTERS_MAX;
}

const PUBSUB_ERRORS_NAMESPACE = `${PUBSUB_NAMESPACE}#errors`;
/** XEP-0060 §10, the part that is here. */
const FEATURES = [
  'access-open',
  'access-presence',
  'access-whitelist',
  'auto-create',
  'auto-subscribe',
  'filtered-notifications',
  'item-ids',
  'last-published',
  'multi-items',
  'persistent-items',
  'publish',
  'publish-options',
  'retract-items',
  'retrieve-items',
].map((name) => `${PUBSUB_NAMESPACE}#${name}`);
