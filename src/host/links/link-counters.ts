/** What happened at the links since the start; metrics read it. */
export class LinkCounters {
  handshakesAccepted = 0;
  handshakesFailed = 0;
  connectsSucceeded = 0;
  connectsFailed = 0;
  /** Our own verdict on a chain was not OpenSSL's. */
  opensslDiffers = 0;
  bytesReceived = 0;
  bytesSent = 0;
  /** Connections closed before they were links, by the rule or limit that was broken. */
  readonly refusedByRule = new Map<string, number>();

  refused(rule: string): void {
    this.refusedByRule.set(rule, (this.refusedByRule.get(rule) ?? 0) + 1);
  }
}
