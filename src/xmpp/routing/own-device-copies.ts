import type { XmppElement } from '../stanza/xmpp-element.ts';
import { type CarbonDirection, deviceCopyOf } from './carbon.ts';
import { isCarbonEligible, isForwardable } from './message-rules.ts';
import { sizeFault } from './message-size.ts';
import { type RoutingContext, sendToDevices } from './routing-context.ts';

/**
 * Copies for the user's other devices (XEP-0415 §6.2). A device that gets one never passes it on,
 * so each message goes at most once from each device to each other.
 */
export class OwnDeviceCopies {
  private readonly context: RoutingContext;

  constructor(context: RoutingContext) {
    this.context = context;
  }

  send(message: XmppElement, direction: CarbonDirection, unixMs: number): void {
    const { own, streams } = this.context;
    if (streams.devicesOf(own.bare).length === 0) return;
    const isWanted = direction === 'sent' ? isCarbonEligible(message) : isForwardable(message);
    // A contact must not be able to break the own streams by what is wrapped.
    if (!isWanted || sizeFault(message) !== undefined) return;
    sendToDevices(this.context, own.bare, deviceCopyOf(message, direction, own.bare, unixMs));
  }
}
