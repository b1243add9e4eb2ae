import type { Jid } from '../../xmpp-address/jid.ts';
import type { XmppElement } from '../stanza/xmpp-element.ts';
import { ReceivedCount, UnacknowledgedQueue } from '../stream/stream-management.ts';

/** A stanza to the server; tag 0: nobody waits for its acknowledgement. */
export interface SentToServer {
  readonly stanza: XmppElement;
  readonly tag: number;
}

/** What outlives one connection to the server, where it can be resumed (XEP-0198 §5). */
export class AccountSession {
  readonly id: number;
  readonly bound: Jid;
  /** Undefined: it ends with its connection. */
  resumptionId: string | undefined;
  /** Whether the server counts stanzas (XEP-0198): `asked` until it answers. */
  management: 'off' | 'asked' | 'on' = 'off';
  private readonly sent = new UnacknowledgedQueue<SentToServer>();
  private readonly received = new ReceivedCount();
  /** Stanzas that came before the server counted, and are not dealt with. */
  private uncounted = 0;

  constructor(id: number, bound: Jid) {
    this.id = id;
    this.bound = bound;
  }

  get unacknowledged(): readonly SentToServer[] {
    return this.sent.all;
  }

  get sentCount(): number {
    return this.sent.sentCount;
  }

  get handledCount(): number {
    return this.received.handledCount;
  }

  get unhandledCount(): number {
    return this.received.pendingCount + this.uncounted;
  }

  push(sent: SentToServer): void {
    this.sent.push(sent);
  }

  /** The server has handled `h` of all: the tags of those; `too-high` when fewer were sent. */
  acknowledge(h: number): number[] | 'too-high' {
    const acknowledged = this.sent.acknowledge(h);
    return acknowledged === 'too-high' ? acknowledged : tagsOf(acknowledged);
  }

  /** True when the stanza is new: not one that came before a resumption, too. */
  receive(): boolean {
    if (this.management === 'on') return this.received.receive();
    this.uncounted += 1;
    return true;
  }

  /** The oldest stanza is dealt with. */
  handle(): void {
    if (this.uncounted > 0) this.uncounted -= 1;
    else this.received.handle();
  }

  /** `h` of a resumption. */
  resume(): number {
    return this.received.resume();
  }

  /** The session is over: the tags of what the server may have or not. */
  end(): number[] {
    return tagsOf(this.sent.takeAll());
  }
}

function tagsOf(sent: readonly SentToServer[]): number[] {
  return sent.map(({ tag }) => tag).filter((tag) => tag !== 0);
}
