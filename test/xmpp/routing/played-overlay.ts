import type { Command, CommandOutcome } from '../../../src/reload/command.ts';

/** An overlay of which nothing is asked but who has a certificate under a user name. */
export class PlayedOverlay {
  readonly certified = new Set<string>();
  isAway = false;

  outcomeOf(what: Command): CommandOutcome {
    const isThere = what.type === 'lookupByUserName' && this.certified.has(what.userName);
    const code = this.isAway ? 'timeout' : 'not-found';
    if (this.isAway || !isThere) return { ok: false, failure: { code, detail: 'no certificate' } };
    return { ok: true, result: { type: 'certificates', nodes: [] } };
  }
}
