import type { XmppElement } from '../stanza/xmpp-element.ts';
import { ElementParser, StreamFault } from './element-parser.ts';
import type { StreamErrorCondition } from './stream-error.ts';
import type { StreamLimits } from './stream-limits.ts';
import { Utf8Text } from './utf8-text.ts';

/** What comes out of the bytes of a stream, one after the other. */
export type StreamEvent = StreamOpened | ElementRead | StreamClosed | StreamFaulted;

/** The stream header (RFC 6120 §4.7). */
export interface StreamOpened {
  readonly type: 'opened';
  /** Without children. */
  readonly header: XmppElement;
  /** The content namespace (RFC 6120 §4.8.2): the default one; empty when there is none. */
  readonly contentNamespace: string;
}

export interface ElementRead {
  readonly type: 'element';
  readonly element: XmppElement;
  /** How many it took in the stream. */
  readonly bytes: number;
}

/** `</stream:stream>`. Nothing is read after it. */
export interface StreamClosed {
  readonly type: 'closed';
}

/** Input that no stream may carry. Nothing is read after it. */
export interface StreamFaulted {
  readonly type: 'fault';
  /** RFC 6120 §4.9.3. */
  readonly condition: StreamErrorCondition;
  /** What was expected and what came. */
  readonly text: string;
}

/**
 * Bytes of an XML stream (RFC 6120 §4) → events. After each `push`, call `next` until it gives
 * undefined. How the bytes are cut makes no difference. Memory is bounded by
 * `limits.stanzaBytesMax` and by the size of one push; white space between stanzas is dropped.
 */
export class StreamReader {
  private limits: StreamLimits;
  private readonly utf8 = new Utf8Text();
  private parser: ElementParser;
  private readonly events: StreamEvent[] = [];
  /** Decoded, and read up to `offset`. */
  private text = '';
  private offset = 0;
  /** The beginning of a piece whose `>` has not come. */
  private readonly unfinished: string[] = [];
  /** Bytes since the end of the last first-level element. */
  private bytes = 0;
  /** False between first-level elements, and before the header. */
  private isInside = false;
  private isOver = false;

  constructor(limits: StreamLimits) {
    this.limits = limits;
    this.parser = this.newParser();
  }

  push(bytes: Uint8Array): void {
    if (this.isOver) return;
    const added = this.utf8.push(bytes);
    const isAllRead = this.offset >= this.text.length;
    this.text = isAllRead ? added : this.text.slice(this.offset) + added;
    this.offset = 0;
  }

  /** The next event, or undefined until more bytes come. */
  next(): StreamEvent | undefined {
    try {
      while (this.events.length === 0 && !this.isOver) {
        if (!this.readPiece()) break;
      }
    } catch (error) {
      if (!(error instanceof StreamFault)) throw error;
      this.finish({ type: 'fault', condition: error.condition, text: error.message });
    }
    return this.events.shift();
  }

  /**
   * What follows is a new stream over the same connection (RFC 6120 §4.3.3), with its own limits
   * where they are given. Call it after the event that restarts, before `next`. After STARTTLS make
   * a new reader: what came in the clear is not to be read.
   */
  restart(limits: StreamLimits = this.limits): void {
    this.limits = limits;
    this.parser = this.newParser();
    this.unfinished.length = 0;
    this.bytes = 0;
    this.isInside = false;
  }

  /** Whether there are bytes that no event has told of; white space is none. */
  get hasUnread(): boolean {
    return this.isInside || /[^ \t\r\n]/.test(this.text.slice(this.offset));
  }

  /** Reads up to the next `>`; false when it has not come. */
  private readPiece(): boolean {
    if (!this.isInside && !this.skipSpace()) return this.needsMore();
    const end = this.text.indexOf('>', this.offset) + 1;
    const piece = end === 0 ? this.text.slice(this.offset) : this.text.slice(this.offset, end);
    this.offset += piece.length;
    this.countBytes(piece);
    if (end === 0) {
      if (piece !== '') this.unfinished.push(piece);
      return this.needsMore();
    }
    const whole = this.unfinished.length === 0 ? piece : this.unfinished.join('') + piece;
    this.unfinished.length = 0;
    this.parser.write(whole, this.bytes);
    return true;
  }

  private needsMore(): false {
    if (this.utf8.isBroken) {
      throw new StreamFault('unsupported-encoding', 'expected UTF-8, got other bytes');
    }
    return false;
  }

  /** To the `<` of what comes next between first-level elements; false when only space is there. */
  private skipSpace(): boolean {
    const { text } = this;
    SPACE.lastIndex = this.offset;
    SPACE.test(text);
    this.offset = SPACE.lastIndex;
    if (this.offset >= text.length) return false;
    if (text[this.offset] !== '<') {
      const condition = this.parser.depth === 0 ? 'not-well-formed' : 'bad-format';
      throw new StreamFault(condition, 'expected an element, got character data');
    }
    this.isInside = true;
    this.bytes = 0;
    return true;
  }

  private countBytes(piece: string): void {
    this.bytes += Buffer.byteLength(piece);
    const { stanzaBytesMax } = this.limits;
    if (this.bytes > stanzaBytesMax) {
      throw new StreamFault('policy-violation', `expected at most ${stanzaBytesMax} bytes at once`);
    }
  }

  private newParser(): ElementParser {
    return new ElementParser(this.limits, 'stream', {
      declared: () => {
        this.isInside = false;
      },
      rootOpened: (header, contentNamespace) => {
        this.isInside = false;
        this.events.push({ type: 'opened', header, contentNamespace });
      },
      childComplete: (element) => {
        this.isInside = false;
        this.events.push({ type: 'element', element, bytes: this.bytes });
      },
      rootClosed: () => this.finish({ type: 'closed' }),
    });
  }

  private finish(event: StreamEvent): void {
    this.events.push(event);
    this.isOver = true;
    this.text = '';
    this.offset = 0;
    this.unfinished.length = 0;
  }
}

/** XML §2.3, from `lastIndex` on. */
const SPACE = /[ \t\r\n]*/y;
