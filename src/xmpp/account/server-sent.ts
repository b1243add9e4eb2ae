import type { BareJid } from '../../xmpp-address/jid.ts';
import { sizeOf } from '../routing/message-size.ts';
import type { XmppElement } from '../stanza/xmpp-element.ts';
import { SERVER_SENT_BYTES_MAX, SERVER_SENT_MAX } from './account-limits.ts';

/** A message that went by the server, as long as an error may still come for it. */
export interface SentByServer {
  readonly to: BareJid;
  /** With the `from` of the own client that sent it. */
  readonly stanza: XmppElement;
  /** The id under which it left: an error has that one. */
  readonly id: string | undefined;
  /** Its sequence in the outbox; undefined: it was worth something only to who is there now. */
  readonly sequence: number | undefined;
  /** When its sender sent it. */
  readonly unixMs: number;
}

/** The last messages that went by the server, by addressee and id; the oldest are forgotten. */
export class ServerSent {
  private readonly byKey = new Map<string, SentByServer & { readonly bytes: number }>();
  private bytes = 0;

  add(sent: SentByServer): void {
    const { id } = sent;
    if (id === undefined) return;
    const key = keyOf(sent.to, id);
    this.drop(key);
    const { bytes } = sizeOf(sent.stanza);
    this.byKey.set(key, { ...sent, bytes });
    this.bytes += bytes;
    for (const oldest of this.byKey.keys()) {
      if (this.byKey.size <= SERVER_SENT_MAX && this.bytes <= SERVER_SENT_BYTES_MAX) return;
      this.drop(oldest);
    }
  }

  /** The one that an error with this id from this address answers; it is forgotten. */
  take(to: BareJid, id: string): SentByServer | undefined {
    const key = keyOf(to, id);
    const sent = this.byKey.get(key);
    this.drop(key);
    return sent;
  }

  private drop(key: string): void {
    const sent = this.byKey.get(key);
    if (sent === undefined) return;
    this.byKey.delete(key);
    this.bytes -= sent.bytes;
  }
}

function keyOf(to: BareJid, id: string): string {
  return `${to}\n${id}`;
}
