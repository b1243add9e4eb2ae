import type { TLSSocket } from 'node:tls';
import type { LinkAuthentication } from './link-authentication.ts';
import type { LinkLimits } from './link-limits.ts';

/** Who fetches the revocation lists that an Authenticator asks for. */
export interface ListsInTransit {
  /** Resolves once every list that is wanted was asked for. */
  settled(): Promise<void>;
}

/**
 * Connections whose handshake is done, and of which only a revocation list can tell whether they
 * become links: the first certificate of an issuer makes that list wanted. They wait for it unread,
 * because the other end takes the link to be up and would not understand why it closes.
 */
export class UndecidedLinks {
  private readonly limits: LinkLimits;
  private readonly lists: ListsInTransit | undefined;
  private readonly waiting = new Set<TLSSocket>();

  /** `lists` is absent where revocation is not looked at. */
  constructor(limits: LinkLimits, lists: ListsInTransit | undefined) {
    this.limits = limits;
    this.lists = lists;
  }

  /** Calls `decided` once: now, or after a list came. Not after `closeAll()`. */
  judge(
    socket: TLSSocket,
    authenticate: () => LinkAuthentication,
    decided: (result: LinkAuthentication) => void,
  ): void {
    const { lists } = this;
    const first = authenticate();
    const isUndecided = !first.ok && first.refusal.rule === 'revocation-undetermined';
    if (!isUndecided || lists === undefined || this.waiting.size >= this.limits.undecidedMax) {
      decided(first);
      return;
    }
    this.waiting.add(socket);
    const destroy = () => socket.destroy();
    socket.on('error', destroy);
    const judgeAgain = () => {
      clearTimeout(patience);
      if (!this.waiting.delete(socket)) return;
      socket.off('error', destroy);
      decided(socket.destroyed ? first : authenticate());
    };
    const patience = setTimeout(judgeAgain, this.limits.undecidedMsMax);
    void lists.settled().then(judgeAgain);
  }

  /** Closes all that wait. */
  closeAll(): void {
    for (const socket of this.waiting) socket.destroy();
    this.waiting.clear();
  }
}
