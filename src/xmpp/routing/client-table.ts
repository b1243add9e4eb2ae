import { AddressFault } from '../../xmpp-address/address-fault.ts';
import { type Jid, parseJid } from '../../xmpp-address/jid.ts';
import type { SessionId } from '../client-session/local-sessions.ts';
import type { XmppElement } from '../stanza/xmpp-element.ts';

/** One of the user's own clients on this peer, with a bound resource. */
export interface Client {
  readonly session: SessionId;
  readonly jid: Jid;
  /** Its last available presence; undefined before the first and after `unavailable`. */
  presence: XmppElement | undefined;
  /** RFC 6121 §4.7.2.3. */
  priority: number;
  /** Since when it takes messages to the bare JID; undefined while it does not. */
  receivesSinceUnixMs: number | undefined;
  /** XEP-0280 §4. */
  hasCarbons: boolean;
  /** It asked for the roster, so it gets pushes (RFC 6121 §2.1.6). */
  wantsRoster: boolean;
  /** Whom it sent directed presence (RFC 6121 §4.6). */
  readonly directed: Set<string>;
  /** What the former session of its resource never acknowledged, for when it takes messages. */
  inherited: readonly XmppElement[];
}

/** The clients that are logged in at this peer. */
export class ClientTable {
  private readonly bySession = new Map<SessionId, Client>();
  private readonly byAddress = new Map<string, Client>();

  add(session: SessionId, fullAddress: string): Client {
    const jid = parseJid(fullAddress);
    if (jid instanceof AddressFault) throw new Error(`a bound address is one: ${jid.describe()}`);
    const client: Client = {
      session,
      jid,
      presence: undefined,
      priority: 0,
      receivesSinceUnixMs: undefined,
      hasCarbons: false,
      wantsRoster: false,
      directed: new Set(),
      inherited: [],
    };
    this.bySession.set(session, client);
    this.byAddress.set(jid.text, client);
    return client;
  }

  remove(session: SessionId): Client | undefined {
    const client = this.bySession.get(session);
    if (client === undefined) return undefined;
    this.bySession.delete(session);
    if (this.byAddress.get(client.jid.text) === client) this.byAddress.delete(client.jid.text);
    return client;
  }

  get(session: SessionId): Client | undefined {
    return this.bySession.get(session);
  }

  at(fullAddress: string): Client | undefined {
    return this.byAddress.get(fullAddress);
  }

  get size(): number {
    return this.bySession.size;
  }

  all(): IterableIterator<Client> {
    return this.bySession.values();
  }

  /** Those with available presence. */
  available(): Client[] {
    return [...this.bySession.values()].filter(({ presence }) => presence !== undefined);
  }

  /** Those that get what is sent to the bare JID: available, priority not negative. */
  receiving(): Client[] {
    return [...this.bySession.values()].filter(
      ({ receivesSinceUnixMs }) => receivesSinceUnixMs !== undefined,
    );
  }
}
