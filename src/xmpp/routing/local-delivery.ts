import type { Jid } from '../../xmpp-address/jid.ts';
import type { LocalSessions } from '../client-session/local-sessions.ts';
import type { XmppElement } from '../stanza/xmpp-element.ts';
import { carbonOf } from './carbon.ts';
import type { Client, ClientTable } from './client-table.ts';
import { isCarbonEligible, type MessageType, messageType } from './message-rules.ts';

/**
 * What became of a message to the user: somebody has it; nobody is there, so it may wait; or it is
 * dropped, with or without an error to its sender.
 */
export type LocalOutcome = 'delivered' | 'nobody' | 'ignored' | 'refused';

/** Which of the user's clients on this peer get a message (RFC 6121 §8.5, XEP-0280). */
export class LocalDelivery {
  private readonly clients: ClientTable;
  private readonly sessions: LocalSessions;

  constructor(clients: ClientTable, sessions: LocalSessions) {
    this.clients = clients;
    this.sessions = sessions;
  }

  /** What `deliver` would come to now. `isElsewhere`: another own device has that resource. */
  outcome(message: XmppElement, to: Jid, isElsewhere: boolean): LocalOutcome {
    if (this.clients.at(to.text) !== undefined) return 'delivered';
    const type = messageType(message);
    if (type === 'groupchat') return isElsewhere ? 'ignored' : 'refused';
    if (type === 'error') return 'ignored';
    if (to.resourcepart !== undefined) {
      if (isElsewhere) return 'delivered';
      if (type !== 'chat') return type === 'headline' ? 'ignored' : 'refused';
    }
    if (this.clients.receiving().length > 0) return 'delivered';
    return type === 'headline' ? 'ignored' : 'nobody';
  }

  /** Hands the message to those whom it is for, and to others as a carbon. */
  deliver(message: XmppElement, to: Jid, isElsewhere: boolean): LocalOutcome {
    const outcome = this.outcome(message, to, isElsewhere);
    if (outcome !== 'delivered') return outcome;
    const addressed = this.addressed(to, messageType(message), isElsewhere);
    for (const client of addressed) this.sessions.send(client.session, message);
    this.sendCarbons(message, 'received', new Set(addressed));
    return outcome;
  }

  /** XEP-0280 §7: what one of the user's clients sent or got, for the others. */
  sendCarbons(
    message: XmppElement,
    direction: 'sent' | 'received',
    except: ReadonlySet<Client>,
  ): void {
    if (!isCarbonEligible(message)) return;
    for (const client of this.clients.all()) {
      if (!client.hasCarbons || except.has(client)) continue;
      this.sessions.send(client.session, carbonOf(message, direction, client.jid));
    }
  }

  private addressed(to: Jid, type: MessageType, isElsewhere: boolean): Client[] {
    const client = this.clients.at(to.text);
    if (client !== undefined) return [client];
    if (to.resourcepart !== undefined && (isElsewhere || type !== 'chat')) return [];
    return this.clients.receiving();
  }
}
