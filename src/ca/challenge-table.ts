/** What a table of challenges holds at most, and for how long. */
export interface ChallengeLimits {
  readonly challengesMax: number;
  readonly challengesPerDomainMax: number;
  readonly challengesPerAccountMax: number;
  /** From the challenge to its answer. */
  readonly challengeMsMax: number;
  /** Wrong answers to one challenge. */
  readonly challengeAnswersMax: number;
}

/** Which request a challenge is for. */
export interface ChallengeSubject {
  readonly userName: string;
  /** SHA-256 of the request, lower-case hex. */
  readonly requestSha256: string;
}

/** How a challenge ended, for whoever looks at its page afterwards. */
export type ChallengeEnd = 'passed' | 'failed' | 'expired' | 'replaced';

export interface Challenge<Request extends ChallengeSubject> {
  /** The secret part of its URL. */
  readonly token: string;
  readonly request: Request;
  readonly deadlineMs: number;
  /** `answering`: one answer is being looked at, and no other is taken meanwhile. */
  readonly state: 'waiting' | 'answering' | ChallengeEnd;
  readonly wrongAnswers: number;
}

/**
 * Challenges of XEP-0417 §6.2: each is for one request of one address, is answered once, and ends
 * by itself. Times are monotonic, in ms. It is in memory alone: after a restart of the authority
 * the client asks again.
 */
export class ChallengeTable<Request extends ChallengeSubject> {
  private readonly limits: ChallengeLimits;
  /** By token, in the order of their deadlines: all have the same time. */
  private readonly challenges = new Map<string, Challenge<Request>>();
  private readonly liveTokens = new Map<string, string>();
  private readonly countByDomain = new Map<string, number>();
  private readonly countByAccount = new Map<string, number>();

  constructor(limits: ChallengeLimits) {
    this.limits = limits;
  }

  /** How many wait for an answer. */
  get liveCount(): number {
    return this.liveTokens.size;
  }

  /** Begins one; undefined where there are too many, of all or of this account or domain. */
  begin(request: Request, token: string, nowMs: number): Challenge<Request> | undefined {
    const { limits } = this;
    const isFull =
      this.liveCount >= limits.challengesMax ||
      (this.countByDomain.get(domainOf(request)) ?? 0) >= limits.challengesPerDomainMax ||
      (this.countByAccount.get(request.userName) ?? 0) >= limits.challengesPerAccountMax;
    if (isFull) return undefined;
    const deadlineMs = nowMs + limits.challengeMsMax;
    const challenge = { token, request, deadlineMs, state: 'waiting', wrongAnswers: 0 } as const;
    this.challenges.set(token, challenge);
    this.liveTokens.set(keyOf(request), token);
    this.count(request, 1);
    this.forgetEnded();
    return challenge;
  }

  /** As it is now; undefined: there never was such a challenge, or that was long ago. */
  find(token: string): Challenge<Request> | undefined {
    return this.challenges.get(token);
  }

  /** Takes in that an answer came; undefined: it is not the time for one. */
  claim(token: string, nowMs: number): Challenge<Request> | undefined {
    const challenge = this.challenges.get(token);
    if (challenge?.state !== 'waiting' || nowMs >= challenge.deadlineMs) return undefined;
    return this.set(challenge, { state: 'answering' });
  }

  /**
   * The answer that was claimed is wrong. Returns the challenge as it is then: `waiting` for
   * another answer, or `failed` after too many.
   */
  refuse(token: string): Challenge<Request> | undefined {
    const challenge = this.challenges.get(token);
    if (challenge?.state !== 'answering') return challenge;
    const wrongAnswers = challenge.wrongAnswers + 1;
    if (wrongAnswers < this.limits.challengeAnswersMax) {
      return this.set(challenge, { state: 'waiting', wrongAnswers });
    }
    return this.end(token, 'failed');
  }

  /** The answer that was claimed could not be looked at; it does not count. */
  release(token: string): void {
    const challenge = this.challenges.get(token);
    if (challenge?.state === 'answering') this.set(challenge, { state: 'waiting' });
  }

  /** Ends a challenge that is still open; undefined: it is not. */
  end(token: string, how: ChallengeEnd): Challenge<Request> | undefined {
    const challenge = this.challenges.get(token);
    if (challenge === undefined || !isLive(challenge)) return undefined;
    this.liveTokens.delete(keyOf(challenge.request));
    this.count(challenge.request, -1);
    return this.set(challenge, { state: how });
  }

  /** Ends the open challenge for the same request of the same account, if there is one. */
  endSame(subject: ChallengeSubject, how: ChallengeEnd): Challenge<Request> | undefined {
    const token = this.liveTokens.get(keyOf(subject));
    return token === undefined ? undefined : this.end(token, how);
  }

  /** Ends those whose time is over, and returns them. An answer that came in time still counts. */
  expire(nowMs: number): readonly Challenge<Request>[] {
    const expired: Challenge<Request>[] = [];
    for (const token of this.liveTokens.values()) {
      const challenge = this.challenges.get(token);
      if (challenge === undefined || challenge.deadlineMs > nowMs) continue;
      if (challenge.state === 'waiting') expired.push(challenge);
    }
    return expired.flatMap(({ token }) => this.end(token, 'expired') ?? []);
  }

  /** When the next one expires; undefined: none is open. */
  nextDeadline(): number | undefined {
    for (const token of this.liveTokens.values()) {
      const challenge = this.challenges.get(token);
      if (challenge?.state === 'waiting') return challenge.deadlineMs;
    }
    return undefined;
  }

  private set(
    challenge: Challenge<Request>,
    change: Partial<Challenge<Request>>,
  ): Challenge<Request> {
    const changed = { ...challenge, ...change };
    this.challenges.set(challenge.token, changed);
    return changed;
  }

  private count(request: Request, by: 1 | -1): void {
    add(this.countByDomain, domainOf(request), by);
    add(this.countByAccount, request.userName, by);
  }

  /** Ended ones are kept for those who come back to the page, as many as may be open. */
  private forgetEnded(): void {
    let surplus = this.challenges.size - 2 * this.limits.challengesMax;
    for (const [token, challenge] of this.challenges) {
      if (surplus <= 0) return;
      if (isLive(challenge)) continue;
      this.challenges.delete(token);
      surplus -= 1;
    }
  }
}

function isLive({ state }: Challenge<ChallengeSubject>): boolean {
  return state === 'waiting' || state === 'answering';
}

/** Neither part has a space in it. */
function keyOf({ userName, requestSha256 }: ChallengeSubject): string {
  return `${requestSha256} ${userName}`;
}

function domainOf({ userName }: ChallengeSubject): string {
  return userName.slice(userName.lastIndexOf('@') + 1);
}

function add(counts: Map<string, number>, key: string, by: 1 | -1): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}
