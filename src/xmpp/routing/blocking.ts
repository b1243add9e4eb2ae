import type { BareJid, Jid } from '../../xmpp-address/jid.ts';
import type { SessionId } from '../client-session/local-sessions.ts';
import { CLIENT_NAMESPACE } from '../stanza/stanza.ts';
import { childElements, element, type XmppElement } from '../stanza/xmpp-element.ts';
import type { BlockedAddress } from './block-list.ts';
import { BLOCKED_PART, blockedEntry } from './own-devices/blocked-sync.ts';
import type { TellOwnDevices } from './own-devices/synchronized-part.ts';
import type { Roster } from './roster.ts';
import { type RoutingContext, refuse } from './routing-context.ts';
import type { FeatureRegistry, IqAnswer, IqRequest } from './routing-feature.ts';
import { BLOCKED_ADDRESSES_MAX } from './routing-limits.ts';
import type { StanzaOrigin } from './stanza-origin.ts';

/** Whose presence ceases or begins to be seen, on both sides. */
export interface BlockingListener {
  contactBlocked(contact: BareJid): void;
  contactUnblocked(contact: BareJid): void;
}

/** XEP-0191: the user refuses all stanzas from an address, and sends it none. */
export class Blocking {
  private readonly context: RoutingContext;
  private readonly roster: Roster;
  private readonly listener: BlockingListener;
  private readonly tellOwnDevices: TellOwnDevices;
  /** Those that asked for the list. */
  private readonly interested = new Set<SessionId>();

  constructor(
    context: RoutingContext,
    roster: Roster,
    listener: BlockingListener,
    tellOwnDevices: TellOwnDevices,
  ) {
    this.context = context;
    this.roster = roster;
    this.listener = listener;
    this.tellOwnDevices = tellOwnDevices;
  }

  register(registry: FeatureRegistry): void {
    registry.disco('server', [BLOCKING_NAMESPACE]);
    registry.disco('account', [BLOCKING_NAMESPACE]);
    registry.listen({ clientEnded: ({ session }) => this.interested.delete(session) });
    registry.iq(BLOCKING_NAMESPACE, (request, answer) => {
      const { origin, payload, type } = request;
      if (origin.type !== 'client') {
        answer.error('forbidden', 'only the user knows whom the user blocks');
      } else if (type === 'get' && payload.name === 'blocklist') {
        this.interested.add(origin.client.session);
        const items = this.context.blocked.all().map(({ jid }) => itemElement(jid));
        answer.result([element('blocklist', BLOCKING_NAMESPACE, {}, items)]);
      } else if (type === 'set' && (payload.name === 'block' || payload.name === 'unblock')) {
        this.change(request, payload.name, answer);
      } else answer.error('bad-request', 'a list is asked for, and addresses are blocked or not');
    });
  }

  /** From somebody blocked: refused, or passed over; then true (XEP-0191 §3.2). */
  refusesFrom(origin: StanzaOrigin, stanza: XmppElement, from: Jid): boolean {
    if (from.bare === this.context.own.bare || !this.context.blocked.blocks(from)) return false;
    if (stanza.name !== 'presence') {
      // As if nobody were there.
      const text = 'no client is there that takes it';
      refuse(this.context, origin, stanza, 'service-unavailable', text);
    }
    return true;
  }

  /** To somebody blocked: refused; then true. */
  refusesTo(origin: StanzaOrigin, stanza: XmppElement): boolean {
    const { addresses, blocked, own } = this.context;
    const to = addresses.parseIfValid(stanza.attributes.get('to'));
    if (to === undefined || to.bare === own.bare || !blocked.blocks(to)) return false;
    const text = `${to.bare} is blocked`;
    const isBlocked = element('blocked', BLOCKING_ERRORS_NAMESPACE);
    refuse(this.context, origin, stanza, 'not-acceptable', text, [isBlocked]);
    return true;
  }

  /** What another own device changed, the latest of it. */
  adopt(changes: readonly (BlockedAddress & { readonly isBlocked: boolean })[]): void {
    const { blocked } = this.context;
    const late = changes.filter(({ jid, changedUnixMs }) => changedUnixMs > blocked.changedAt(jid));
    const isNew = late.filter(({ jid, isBlocked }) => isBlocked && !blocked.has(jid));
    if (!blocked.hasRoomFor(isNew.length)) return;
    for (const name of ['block', 'unblock'] as const) {
      const ofName = late.filter(({ isBlocked }) => isBlocked === (name === 'block'));
      if (ofName.length > 0) this.carryOut(name, ofName, () => undefined);
    }
  }

  private change(request: IqRequest, name: 'block' | 'unblock', answer: IqAnswer): void {
    const { addresses, blocked, own } = this.context;
    const items = childElements(request.payload);
    const jids: string[] = [];
    for (const { attributes } of items) {
      const jid = addresses.parseIfValid(attributes.get('jid'));
      if (jid === undefined) return answer.error('jid-malformed', 'an item has an address');
      if (jid.bare === own.bare) return answer.error('not-allowed', 'nobody blocks itself');
      jids.push(jid.text);
    }
    if (name === 'block' && jids.length === 0) {
      return answer.error('bad-request', 'somebody is to be blocked');
    }
    const isNew = new Set(jids.filter((jid) => !blocked.has(jid)));
    if (name === 'block' && !blocked.hasRoomFor(isNew.size)) {
      const text = `${BLOCKED_ADDRESSES_MAX} addresses are blocked at most`;
      return answer.error('resource-constraint', text);
    }
    // XEP-0191 §3.4: without items, everybody is unblocked.
    const all = jids.length > 0 ? jids : blocked.all().map(({ jid }) => jid);
    const changes = all.map((jid) => ({ jid, changedUnixMs: blocked.nextChange(jid) }));
    this.carryOut(name, changes, () => {
      answer.result();
      this.push(element(name, BLOCKING_NAMESPACE, {}, jids.map(itemElement)));
      const told = changes.flatMap(({ jid }) => blockedEntry(blocked, jid) ?? []);
      this.tellOwnDevices(BLOCKED_PART, told);
    });
  }

  /** `then` when it is durable; who is not seen any more, or again, is told at once. */
  private carryOut(
    name: 'block' | 'unblock',
    changes: readonly BlockedAddress[],
    then: () => void,
  ): void {
    const { blocked, writes } = this.context;
    const before = this.blockedContacts();
    const records = changes.flatMap((change) =>
      name === 'block' ? blocked.block(change) : blocked.unblock(change),
    );
    const after = this.blockedContacts();
    writes.write(records, then);
    for (const contact of after) {
      if (!before.has(contact)) this.listener.contactBlocked(contact);
    }
    for (const contact of before) {
      if (!after.has(contact)) this.listener.contactUnblocked(contact);
    }
  }

  private blockedContacts(): Set<BareJid> {
    const contacts = [...this.roster.all()].map(({ jid }) => jid);
    return new Set(contacts.filter((jid) => this.context.blocked.blocksUser(jid)));
  }

  /** XEP-0191 §3.3: to all clients that asked for the list. */
  private push(change: XmppElement): void {
    const { clients, environment, sessions } = this.context;
    for (const session of this.interested) {
      const client = clients.get(session);
      if (client === undefined) continue;
      const id = Buffer.from(environment.random.bytes(ID_BYTES)).toString('base64url');
      const attributes = { type: 'set', id, to: client.jid.text };
      sessions.send(session, element('iq', CLIENT_NAMESPACE, attributes, [change]));
    }
  }
}

function itemElement(jid: string): XmppElement {
  return element('item', BLOCKING_NAMESPACE, { jid });
}

const BLOCKING_NAMESPACE = 'urn:xmpp:blocking';
const BLOCKING_ERRORS_NAMESPACE = 'urn:xmpp:blocking:errors';
const ID_BYTES = 9;
