import { DATA_FORM_NAMESPACE, PUBSUB_NAMESPACE } from '../stanza/namespaces.ts';
import { childElement, childElements, element, type XmppElement } from '../stanza/xmpp-element.ts';
import { nodeEntry, PERSONAL_PART, removedEntry } from './own-devices/personal-sync.ts';
import type { TellOwnDevices } from './own-devices/synchronized-part.ts';
import { deletedElement, type PersonalEvents } from './personal-events.ts';
import type { NodeOptions, PersonalNode, PersonalNodes } from './personal-nodes.ts';
import { configurationForm, DEFAULT_OPTIONS, submittedOptions } from './personal-options.ts';
import type { RoutingContext } from './routing-context.ts';
import type { FeatureRegistry, IqAnswer, IqRequest } from './routing-feature.ts';
import { PEP_NAME_CHARACTERS_MAX } from './routing-limits.ts';

/** XEP-0060 §8: the nodes of the user are made, configured and deleted by the user alone. */
export class PersonalConfiguration {
  private readonly context: RoutingContext;
  private readonly nodes: PersonalNodes;
  private readonly events: PersonalEvents;
  private readonly tellOwnDevices: TellOwnDevices;

  constructor(
    context: RoutingContext,
    nodes: PersonalNodes,
    events: PersonalEvents,
    tellOwnDevices: TellOwnDevices,
  ) {
    this.context = context;
    this.nodes = nodes;
    this.events = events;
    this.tellOwnDevices = tellOwnDevices;
  }

  register(registry: FeatureRegistry): void {
    registry.disco('account', FEATURES);
    registry.iq(OWNER_NAMESPACE, (request, answer) => this.take(request, answer));
  }

  /** XEP-0060 §8.1: a node without items, configured as the request wants it. */
  create(pubsub: XmppElement, name: string | undefined, answer: IqAnswer): void {
    if (name === undefined || name === '' || name.length > PEP_NAME_CHARACTERS_MAX) {
      return answer.error('not-acceptable', 'a node has a name');
    }
    if (this.nodes.get(name) !== undefined) {
      return answer.error('conflict', 'there is such a node already');
    }
    const configure = childElement(pubsub, 'configure', PUBSUB_NAMESPACE);
    const options = optionsOf(configure, DEFAULT_OPTIONS);
    if (options === undefined) return answer.error('not-acceptable', UNKNOWN_OPTION);
    this.configure({ name, options, changedUnixMs: 0, items: [] }, options, answer);
  }

  private take(request: IqRequest, answer: IqAnswer): void {
    const [action] = childElements(request.payload);
    if (!request.isOwn) return answer.error('forbidden', 'only the user owns these nodes');
    if (action?.name === 'default' && request.type === 'get') {
      return answer.result([owner('default', undefined, [configurationForm(DEFAULT_OPTIONS)])]);
    }
    const isKnown = action?.name === 'configure' || action?.name === 'delete';
    if (!isKnown || (action.name === 'delete' && request.type === 'get')) {
      return answer.error('feature-not-implemented', 'nodes are configured and deleted');
    }
    const node = this.nodes.get(action.attributes.get('node') ?? '');
    if (node === undefined) return answer.error('item-not-found', 'there is no such node');
    if (action.name === 'delete') this.delete(node, answer);
    else if (request.type === 'get') {
      answer.result([owner('configure', node.name, [configurationForm(node.options)])]);
    } else this.submit(node, action, answer);
  }

  /** XEP-0060 §8.2.4, §8.2.5. */
  private submit(node: PersonalNode, configure: XmppElement, answer: IqAnswer): void {
    const form = childElement(configure, 'x', DATA_FORM_NAMESPACE);
    if (form?.attributes.get('type') === 'cancel') return answer.result();
    const options = optionsOf(configure, node.options);
    if (form === undefined || options === undefined) {
      return answer.error('not-acceptable', UNKNOWN_OPTION);
    }
    this.configure(node, options, answer);
  }

  private configure(node: PersonalNode, options: NodeOptions, answer: IqAnswer): void {
    const changedUnixMs = this.nodes.nextChange(node.name);
    const items = node.items.slice(-options.itemsMax);
    const changed = { ...node, options, items, changedUnixMs };
    const records = this.nodes.set(changed);
    if (typeof records === 'string') return answer.error('resource-constraint', records);
    this.context.writes.write(records, () => {
      answer.result();
      this.tellOwnDevices(PERSONAL_PART, [nodeEntry(changed)]);
    });
  }

  /** XEP-0060 §8.4. */
  private delete(node: PersonalNode, answer: IqAnswer): void {
    const changedUnixMs = this.nodes.nextChange(node.name);
    this.context.writes.write(this.nodes.remove(node.name, changedUnixMs), () => {
      answer.result();
      this.events.tell(node, deletedElement(node.name));
      this.tellOwnDevices(PERSONAL_PART, [removedEntry(changedUnixMs, node.name)]);
    });
  }
}

/** As before where no form is there. */
function optionsOf(
  configure: XmppElement | undefined,
  before: NodeOptions,
): NodeOptions | undefined {
  if (configure === undefined || childElements(configure).length === 0) return before;
  return submittedOptions(configure, 'node_config', before);
}

function owner(
  name: string,
  node: string | undefined,
  children: readonly XmppElement[],
): XmppElement {
  const inner = element(name, OWNER_NAMESPACE, { node }, children);
  return element('pubsub', OWNER_NAMESPACE, {}, [inner]);
}

const OWNER_NAMESPACE = `${PUBSUB_NAMESPACE}#owner`;
const UNKNOWN_OPTION = 'the form has an option or value that nodes here do not have';
const FEATURES = [
  'config-node',
  'create-and-configure',
  'create-nodes',
  'delete-nodes',
  'retrieve-default',
].map((name) => `${PUBSUB_NAMESPACE}#${name}`);
