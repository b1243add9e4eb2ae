import { DoubleEndedQueue } from './double-ended-queue.ts';

/** Says once that one stanza is dealt with; a second call does nothing. */
export type Done = () => void;

/**
 * Acknowledgements count (XEP-0198): to say that a stanza is handled also says so of all before it.
 * So what is done early waits here for what came before it from the same source.
 */
export class OrderedAcknowledgements<Source> {
  private readonly handled: (source: Source) => void;
  private readonly open = new Map<Source, DoubleEndedQueue<{ isDone: boolean }>>();

  constructor(handled: (source: Source) => void) {
    this.handled = handled;
  }

  /** A stanza has come from `source`; the answer is called when it is dealt with. */
  began(source: Source): Done {
    let queue = this.open.get(source);
    if (queue === undefined) {
      queue = new DoubleEndedQueue();
      this.open.set(source, queue);
    }
    const stanza = { isDone: false };
    queue.push(stanza);
    const ofSource = queue;
    return () => {
      if (stanza.isDone) return;
      stanza.isDone = true;
      if (this.open.get(source) === ofSource) this.advance(source, ofSource);
    };
  }

  /** The source is gone: nothing is said to it any more. */
  forget(source: Source): void {
    this.open.delete(source);
  }

  private advance(source: Source, queue: DoubleEndedQueue<{ isDone: boolean }>): void {
    while (queue.first()?.isDone === true) {
      queue.shift();
      this.handled(source);
    }
  }
}
