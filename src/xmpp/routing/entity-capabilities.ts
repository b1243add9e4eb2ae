import type { Jid } from '../../xmpp-address/jid.ts';
import { DISCO_INFO_NAMESPACE } from '../stanza/namespaces.ts';
import { childElement, childElements, element, type XmppElement } from '../stanza/xmpp-element.ts';
import { capabilitiesHash } from './capabilities-hash.ts';
import { CAPABILITIES_MAX, NOTIFY_NODES_MAX, PEP_NAME_CHARACTERS_MAX } from './routing-limits.ts';

/** Asks a client, and hands on its answer, if one comes. */
export type AskClient = (query: XmppElement, answered: (answer: XmppElement) => void) => void;

/**
 * Of which nodes available clients want to hear (XEP-0163 §4.2): the features that end in `+notify`
 * of what their presence stands for (XEP-0115). What a hash proves is asked for once.
 */
export class EntityCapabilities {
  /** Nodes by hash, node and verification string; proved by the hash. The oldest first. */
  private readonly proved = new Map<string, ReadonlySet<string>>();
  private readonly clients = new Map<
    string,
    { readonly key: string; nodes: ReadonlySet<string> }
  >();

  /** Whether a client wants to hear of a node. */
  wants(client: Jid, node: string): boolean {
    return this.clients.get(client.text)?.nodes.has(node) === true;
  }

  /** Its presence came; `learned` when it is known to want to hear of something. */
  note(client: Jid, presence: XmppElement, ask: AskClient, learned: () => void): void {
    const caps = childElement(presence, 'c', CAPS_NAMESPACE);
    const [node, ver] = [caps?.attributes.get('node'), caps?.attributes.get('ver')];
    const hash = caps?.attributes.get('hash') ?? '';
    const key = JSON.stringify([hash, node, ver]);
    if (this.clients.get(client.text)?.key === key) return;
    this.clients.delete(client.text);
    if (node === undefined || ver === undefined || key.length > KEY_CHARACTERS_MAX) return;
    const entry = { key, nodes: this.proved.get(key) ?? new Set<string>() };
    this.clients.set(client.text, entry);
    if (this.proved.has(key)) return learned();
    const query = element('query', DISCO_INFO_NAMESPACE, { node: `${node}#${ver}` });
    ask(query, (answer) => {
      const info = childElement(answer, 'query', DISCO_INFO_NAMESPACE);
      if (info === undefined || this.clients.get(client.text) !== entry) return;
      entry.nodes = notifyNodes(info);
      if (capabilitiesHash(info, hash) === ver) this.remember(key, entry.nodes);
      learned();
    });
  }

  /** It is not available any more. */
  forget(client: Jid): void {
    this.clients.delete(client.text);
  }

  private remember(key: string, nodes: ReadonlySet<string>): void {
    this.proved.set(key, nodes);
    const [oldest] = this.proved.keys();
    if (this.proved.size > CAPABILITIES_MAX && oldest !== undefined) this.proved.delete(oldest);
  }
}

function notifyNodes(info: XmppElement): Set<string> {
  const features = childElements(info).map(({ attributes }) => attributes.get('var') ?? '');
  const nodes = features
    .filter((name) => name.endsWith(NOTIFY) && name.length <= PEP_NAME_CHARACTERS_MAX)
    .map((name) => name.slice(0, -NOTIFY.length));
  return new Set(nodes.slice(0, NOTIFY_NODES_MAX));
}

const CAPS_NAMESPACE = 'http://jabber.org/protocol/caps';
const NOTIFY = '+notify';
const KEY_CHARACTERS_MAX = 1_024;
