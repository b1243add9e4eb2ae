import type { LocalSessions } from '../../../src/xmpp/client-session/local-sessions.ts';
import type { XmppElement } from '../../../src/xmpp/stanza/xmpp-element.ts';

interface PlayedClient {
  readonly hasRoom: boolean;
  handled: number;
  take(stanza: XmppElement): void;
}

/** The sessions of clients that are played by a test. */
export class PlayedSessions implements LocalSessions {
  private readonly clients: Map<number, PlayedClient>;
  private readonly ended: (session: number) => void;

  constructor(clients: Map<number, PlayedClient>, ended: (session: number) => void) {
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
    this.clients.delete(session);
    this.ended(session);
  }
}
