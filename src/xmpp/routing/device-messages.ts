import { parseUtcTime } from '../../overlay-config/date-time.ts';
import type { Jid } from '../../xmpp-address/jid.ts';
import type { Device } from '../direct/direct-streams.ts';
import type { XmppElement } from '../stanza/xmpp-element.ts';
import { carbonContent, isCarbon } from './carbon.ts';
import type { MessageReception } from './message-reception.ts';
import type { MessageRouting } from './message-routing.ts';
import { withoutDelaysFrom, withoutStanzaIdsBy } from './message-rules.ts';
import { isTooDeep } from './message-size.ts';
import type { Done } from './ordered-acknowledgements.ts';
import { type RoutingContext, refuse } from './routing-context.ts';
import { MESSAGE_DEPTH_MAX } from './routing-limits.ts';
import type { StanzaOrigin } from './stanza-origin.ts';

/** Messages from other devices: of contacts, and copies from the user's own (XEP-0415 §6.2). */
export class DeviceMessages {
  private readonly context: RoutingContext;
  private readonly reception: MessageReception;
  private readonly routing: MessageRouting;

  constructor(context: RoutingContext, reception: MessageReception, routing: MessageRouting) {
    this.context = context;
    this.reception = reception;
    this.routing = routing;
  }

  /** `from` is of the device's user, `to` of the own one. */
  take(device: Device, given: XmppElement, from: Jid, to: Jid, done: Done): void {
    const { bare } = this.context.own;
    const isOwn = device.user === bare;
    const origin: StanzaOrigin = { type: 'device', device, isOwn };
    const identified = withoutStanzaIdsBy(given, bare);
    const message = isOwn ? identified : withoutDelaysFrom(identified, bare);
    if (!isCarbon(message)) {
      if (isTooDeep(message)) {
        const text = `elements are ${MESSAGE_DEPTH_MAX} deep at most`;
        refuse(this.context, origin, given, 'policy-violation', text);
        return done();
      }
      return this.reception.receive({ message, from, to, origin, isCopy: false }, done);
    }
    if (isOwn) return this.takeCopy(origin, message, done);
    const text = 'copies of messages are taken from the own devices only';
    refuse(this.context, origin, given, 'not-allowed', text);
    done();
  }

  /** It is not passed on again: its maker has sent it to all own devices. */
  private takeCopy(origin: StanzaOrigin, wrapper: XmppElement, done: Done): void {
    const { addresses, environment, own } = this.context;
    const content = carbonContent(wrapper);
    const inner = content?.message.attributes;
    const from = addresses.parseIfValid(inner?.get('from'));
    const to = addresses.parseIfValid(inner?.get('to')) ?? own;
    const isSent = content?.direction === 'sent';
    const isOfUser = (isSent ? from?.bare : to.bare) === own.bare;
    if (content === undefined || from === undefined || !isOfUser) {
      const text = 'a copy holds one message from or to the user';
      refuse(this.context, origin, wrapper, 'bad-request', text);
      return done();
    }
    const message = withoutStanzaIdsBy(content.message, own.bare);
    if (!isSent) return this.reception.receive({ message, from, to, origin, isCopy: true }, done);
    const stamp = content.stamp === undefined ? undefined : parseUtcTime(content.stamp);
    const { unixMs } = environment;
    this.routing.sentElsewhere(message, from, to, Math.min(stamp ?? unixMs, unixMs), done);
  }
}
