import { DATA_FORM_NAMESPACE, PUBSUB_NAMESPACE } from '../stanza/namespaces.ts';
import { childElement, element, type XmppElement } from '../stanza/xmpp-element.ts';
import { type FormFields, submittedForm } from './data-form.ts';
import { ACCESS_MODELS, type NodeOptions } from './personal-nodes.ts';
import { PEP_ITEMS_MAX } from './routing-limits.ts';

/** Of a node that is made without any (XEP-0163 §5). */
export const DEFAULT_OPTIONS: NodeOptions = { access: 'presence', itemsMax: 1, sendsLast: true };

/** What publish-options (XEP-0060 §7.1.5) ask for; undefined where that is not to be had. */
export function publishOptions(pubsub: XmppElement, before: NodeOptions): NodeOptions | undefined {
  const wrapper = childElement(pubsub, 'publish-options', PUBSUB_NAMESPACE);
  if (wrapper === undefined) return before;
  return submittedOptions(wrapper, 'publish-options', before);
}

/** What the form in `wrapper` asks for; what it does not name stays as it was. */
export function submittedOptions(
  wrapper: XmppElement,
  form: 'publish-options' | 'node_config',
  before: NodeOptions,
): NodeOptions | undefined {
  const fields = submittedForm(wrapper, `${PUBSUB_NAMESPACE}#${form}`);
  return fields === undefined ? undefined : optionsOfForm(fields, before);
}

/** XEP-0060 §8.2: what the owner may change, and how it is now. */
export function configurationForm({ access, itemsMax, sendsLast }: NodeOptions): XmppElement {
  const last = sendsLast ? 'on_sub_and_presence' : 'never';
  return element('x', DATA_FORM_NAMESPACE, { type: 'form' }, [
    field('FORM_TYPE', 'hidden', `${PUBSUB_NAMESPACE}#node_config`),
    field('pubsub#access_model', 'list-single', access, ACCESS_MODELS),
    field('pubsub#max_items', 'text-single', String(itemsMax)),
    field('pubsub#send_last_published_item', 'list-single', last, SENDS_LAST),
    field('pubsub#persist_items', 'boolean', '1'),
  ]);
}

export function differ(a: NodeOptions, b: NodeOptions): boolean {
  return a.access !== b.access || a.itemsMax !== b.itemsMax || a.sendsLast !== b.sendsLast;
}

function optionsOfForm(fields: FormFields, before: NodeOptions): NodeOptions | undefined {
  let { access, itemsMax, sendsLast } = before;
  for (const [name, [value = '']] of fields) {
    const model = ACCESS_MODELS.find((one) => one === value);
    if (name === 'FORM_TYPE') continue;
    if (name === 'pubsub#access_model' && model !== undefined) access = model;
    else if (name === 'pubsub#max_items' && (value === 'max' || /^[1-9]\d{0,5}$/.test(value))) {
      itemsMax = value === 'max' ? PEP_ITEMS_MAX : Math.min(Number(value), PEP_ITEMS_MAX);
    } else if (name === 'pubsub#send_last_published_item') sendsLast = value !== 'never';
    else if (name !== 'pubsub#persist_items' || (value !== 'true' && value !== '1')) {
      return undefined;
    }
  }
  return { access, itemsMax, sendsLast };
}

function field(
  name: string,
  type: string,
  value: string,
  options: readonly string[] = [],
): XmppElement {
  const valueElement = (text: string) => element('value', DATA_FORM_NAMESPACE, {}, [text]);
  return element('field', DATA_FORM_NAMESPACE, { var: name, type }, [
    valueElement(value),
    ...options.map((one) => element('option', DATA_FORM_NAMESPACE, {}, [valueElement(one)])),
  ]);
}

const SENDS_LAST = ['never', 'on_sub', 'on_sub_and_presence'];
