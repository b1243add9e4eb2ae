/**
 * The authority made something that the peers would refuse. It is an internal error: what was made
 * is not handed out, and the ledger says that it was not.
 */
export class NotIssuable extends Error {
  constructor(what: string, reason: string) {
    super(`${what} that was made here would be refused, so it is not issued: ${reason}`);
    this.name = 'NotIssuable';
  }
}
