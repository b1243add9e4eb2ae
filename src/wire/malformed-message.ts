/**
 * Bytes that are not what RFC 6940 says they must be. It names the struct, the field and the byte
 * offset (from the start of the decoded input), so that the sender's engineer can find the fault.
 *
 * Inside `wire/` it is thrown; `decode()` turns it into a value and nothing of it escapes.
 */
export class MalformedMessage extends Error {
  /** Innermost struct in which the fault was found, e.g. `StoreReq`; empty outside any struct. */
  struct = '';
  /** Field of that struct, in the RFC's order and our spelling, e.g. `replicaNumber`. */
  field = '';
  /** Byte offset in the input given to `decode()`. */
  readonly offset: number;
  /** What was expected and what came. */
  readonly detail: string;

  constructor(detail: string, offset: number) {
    super(detail);
    this.name = 'MalformedMessage';
    this.detail = detail;
    this.offset = offset;
  }

  /** `StoreReq.replicaNumber at byte 17: expected 1 byte, the input has 0 left` */
  describe(): string {
    const place = this.struct === '' ? 'message' : `${this.struct}.${this.field}`;
    return `${place} at byte ${this.offset}: ${this.detail}`;
  }
}
