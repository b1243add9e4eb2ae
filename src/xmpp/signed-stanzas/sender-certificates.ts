import type { CommandOutcome } from '../../reload/command.ts';
import { BoundedCache } from '../../tls-auth/bounded-cache.ts';
import type { BareJid } from '../../xmpp-address/jid.ts';
import type { DurableWrites } from '../routing/durable-writes.ts';
import type { XmppElement } from '../stanza/xmpp-element.ts';
import type { XmppEnvironment } from '../xmpp-environment.ts';
import { type CertificateChain, chainOf } from './certificate-chain.ts';
import type { RememberedCertificates } from './remembered-certificates.ts';
import {
  CERTIFICATE_LOOKUPS_MAX,
  CERTIFICATES_AGAIN_MS,
  CERTIFICATES_AGE_MAX_MS,
  CERTIFICATES_OTHER_WAIT_MS,
  CERTIFICATES_WAIT_MS,
  CERTIFIED_USERS_MAX,
  CHAIN_CERTIFICATES_MAX,
} from './signed-limits.ts';

/** What is known of a user's certificates. */
export interface UserCertificates {
  readonly chains: readonly CertificateChain[];
  /** The overlay has answered, now or lately; else nobody knows whether there are (more). */
  readonly isAnswered: boolean;
}

/** Asks the server of a user for a node; `then` once, with the iq of type result, or undefined. */
export type AskForNode = (user: BareJid, then: (answer: XmppElement | undefined) => void) => void;

export interface SenderCertificatesParts {
  readonly environment: XmppEnvironment;
  readonly writes: Pick<DurableWrites, 'write'>;
  readonly remembered: RememberedCertificates;
  /** Whether a chain may be of this user; what is not is not kept. */
  readonly isUsable: (user: BareJid, chain: CertificateChain) => boolean;
  /** The chains in an answer of a server about a user. */
  readonly published: (user: BareJid, answer: XmppElement) => readonly CertificateChain[];
  /** Absent: there is no server to ask. */
  readonly askForNode?: AskForNode | undefined;
}

/**
 * The certificates of a user by the address: remembered ones, those of the overlay, and those of
 * the node `urn:xmpp:x509:0` (XEP-0416 §6). Where they come from does not matter, since each is
 * judged by whoever uses it.
 */
export class SenderCertificates {
  private readonly parts: SenderCertificatesParts;
  private readonly waiting = new Map<BareJid, ((found: UserCertificates) => void)[]>();
  /** When a user was last asked about, and whether the overlay answered. */
  private readonly asked = new BoundedCache<
    BareJid,
    { readonly unixMs: number; readonly isAnswered: boolean }
  >(CERTIFIED_USERS_MAX);

  constructor(parts: SenderCertificatesParts) {
    this.parts = parts;
  }

  /**
   * `then` once: at once where some are remembered, which are asked for again meanwhile when they
   * are old.
   */
  find(user: BareJid, then: (found: UserCertificates) => void): void {
    const { remembered, environment } = this.parts;
    const found = remembered.get(user);
    if (found === undefined) return this.ask(user, then);
    const age = environment.unixMs - found.askedUnixMs;
    if (age < 0 || age > CERTIFICATES_AGE_MAX_MS) this.ask(user, () => undefined);
    then({ chains: found.chains, isAnswered: true });
  }

  /** Asks for them, whatever is known. `then` is called once: at once where it was just asked. */
  ask(user: BareJid, then: (found: UserCertificates) => void): void {
    const waiting = this.waiting.get(user);
    if (waiting !== undefined) {
      waiting.push(then);
      return;
    }
    const asked = this.askedLately(user);
    if (asked !== undefined || this.waiting.size >= CERTIFICATE_LOOKUPS_MAX) {
      const chains = this.parts.remembered.get(user)?.chains ?? [];
      return then({ chains, isAnswered: asked?.isAnswered === true });
    }
    this.waiting.set(user, [then]);
    new Lookup(this.parts, user, (chains, isAnswered) =>
      this.end(user, chains, isAnswered),
    ).begin();
  }

  private end(user: BareJid, chains: readonly CertificateChain[], isAnswered: boolean): void {
    const { environment, remembered, writes } = this.parts;
    const { unixMs } = environment;
    this.asked.set(user, { unixMs, isAnswered });
    if (chains.length > 0) {
      const all = [...chains, ...this.formerChains(user, chains)];
      writes.write(remembered.set(user, all, unixMs));
    }
    const found = { chains: remembered.get(user)?.chains ?? [], isAnswered };
    const waiting = this.waiting.get(user) ?? [];
    this.waiting.delete(user);
    for (const then of waiting) then(found);
  }

  /** Whoever answers first need not know all; what still counts is not forgotten for that. */
  private formerChains(user: BareJid, found: readonly CertificateChain[]): CertificateChain[] {
    const former = this.parts.remembered.get(user)?.chains ?? [];
    return former.filter(
      (chain) =>
        !found.some(({ leaf }) => Buffer.compare(leaf, chain.leaf) === 0) &&
        this.parts.isUsable(user, chain),
    );
  }

  private askedLately(user: BareJid) {
    const asked = this.asked.get(user);
    if (asked === undefined) return undefined;
    const age = this.parts.environment.unixMs - asked.unixMs;
    return age >= 0 && age <= CERTIFICATES_AGAIN_MS ? asked : undefined;
  }
}

/** One question: the overlay and the user's server at once; each may know of other devices. */
class Lookup {
  private readonly parts: SenderCertificatesParts;
  private readonly user: BareJid;
  private readonly whenFound: (chains: readonly CertificateChain[], isAnswered: boolean) => void;
  private readonly deadline: string;
  private readonly chains: CertificateChain[] = [];
  private isAnswered = false;
  private open = 0;
  private isOver = false;

  constructor(
    parts: SenderCertificatesParts,
    user: BareJid,
    then: (chains: readonly CertificateChain[], isAnswered: boolean) => void,
  ) {
    this.parts = parts;
    this.user = user;
    this.whenFound = then;
    this.deadline = `signed-certificates ${user}`;
  }

  begin(): void {
    const { askForNode, environment } = this.parts;
    this.open = askForNode === undefined ? 1 : 2;
    environment.setDeadline(this.deadline, CERTIFICATES_WAIT_MS, () => this.end());
    environment.command({ type: 'lookupByUserName', userName: this.user }, (outcome) =>
      this.answered(this.ofOverlay(outcome)),
    );
    askForNode?.(this.user, (answer) =>
      this.answered(answer === undefined ? [] : this.parts.published(this.user, answer)),
    );
  }

  private ofOverlay(outcome: CommandOutcome): CertificateChain[] {
    if (!outcome.ok) {
      const { code } = outcome.failure;
      this.isAnswered = code === 'not-found' || code === 'revoked';
      return [];
    }
    this.isAnswered = true;
    if (outcome.result.type !== 'certificates') return [];
    return outcome.result.nodes.flatMap(
      ({ chain }) => chainOf(chain.slice(0, CHAIN_CERTIFICATES_MAX)) ?? [],
    );
  }

  private answered(chains: readonly CertificateChain[]): void {
    const { environment, isUsable } = this.parts;
    this.open -= 1;
    for (const chain of chains) if (isUsable(this.user, chain)) this.chains.push(chain);
    if (this.open === 0) this.end();
    else if (this.chains.length > 0 && !this.isOver) {
      environment.setDeadline(this.deadline, CERTIFICATES_OTHER_WAIT_MS, () => this.end());
    }
  }

  private end(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.parts.environment.cancelDeadline(this.deadline);
    this.whenFound(this.chains, this.isAnswered);
  }
}
