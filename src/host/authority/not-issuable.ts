/**
 * The authority made something that the peers would refuse. It is an internal error: what was made
 * is neither recorded nor handed out.
 */
export class NotIssuable extends Error {
  constructor(what: string, reason: string) {
    super(`${what} that was made here would be refused, so it is not issued: ${reason}`);
    this.name = 'NotIssuable';
  }
}
