import type { BareJid } from '../../xmpp-address/jid.ts';
import { HELD_PER_USER_MAX, HELD_STANZAS_MAX } from './signed-limits.ts';

/** What is to be done with a stanza; it calls `done` once, at once or later. */
export type StanzaTask = (done: () => void) => void;

/** Tasks in their order for each user: what comes later waits until what came before is done. */
export class HeldStanzas {
  /** The first of each list is under way. */
  private readonly queues = new Map<BareJid, StanzaTask[]>();
  private held = 0;

  /** False, and nothing is done, when too much waits already. */
  take(user: BareJid, task: StanzaTask): boolean {
    if (this.held >= HELD_STANZAS_MAX) return false;
    const queue = this.queues.get(user);
    if (queue === undefined) {
      const begun = [task];
      this.queues.set(user, begun);
      this.held += 1;
      this.run(user, begun);
      return true;
    }
    if (queue.length >= HELD_PER_USER_MAX) return false;
    queue.push(task);
    this.held += 1;
    return true;
  }

  /** A loop, so that a long queue whose tasks are all done at once needs no deep stack. */
  private run(user: BareJid, queue: StanzaTask[]): void {
    for (let task = queue[0]; task !== undefined; task = queue[0]) {
      let isDone = false;
      let isWaiting = false;
      task(() => {
        if (isDone) return;
        isDone = true;
        queue.shift();
        this.held -= 1;
        if (isWaiting) this.run(user, queue);
      });
      if (!isDone) {
        isWaiting = true;
        return;
      }
    }
    this.queues.delete(user);
  }
}
