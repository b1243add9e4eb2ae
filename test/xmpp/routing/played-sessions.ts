import type { LocalSessions } from '../../../src/xmpp/client-session/local-sessions.ts';
import type { XmppElement } from '../../../src/xmpp/stanza/xmpp-element.ts';

interface PlayedClient {
  readonly hasRoom: boolean;
  handled: number;
  /** What it was sent and never acknowledged. */
  readonly undelivered: readonly XmppElement[];
  take(stanza: XmppElement): void;
}

/** The sessions of clients that are played by a test. */
export class PlayedSessions implements LocalSessions {
  private readonly clients: Map<number, PlayedClient>;
  private readonly ended: (session: number, undelivered: readonly XmppElement[]) => void;

  constructor(
    clients: Map<number, PlayedClient>,
    ended: (session: number, undelivered: readonly XmppElement[]) => void,
  ) {
    this.clients = clients;
    this.ended = ended;
  }

  send(session: number, stanza: XmppElement): void {
    this.clients.get(session)?.take(stanza);
  }

  hasRoom(session: number): boolean {
    return this.clients.get(session)?.hasRoom ?? false;
  }

  handled(session: number): void {
    const client = this.clients.get(session);
    if (client !== undefined) client.handled += 1;
  }

  end(session: number): void {
    const undelivered = this.clients.get(session)?.undelivered ?? [];
    this.clients.delete(session);
    this.ended(session, undelivered);
  }
}
