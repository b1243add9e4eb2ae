export type PrecisRule =
  | 'empty'
  | 'too-long'
  | 'disallowed'
  | 'unassigned'
  | 'contextual-rule'
  | 'bidi-rule'
  | 'unstable';

/** The answer "no" about a string, by the rule of RFC 8264 that it breaks. Never thrown. */
export class PrecisFault {
  readonly rule: PrecisRule;
  /** A sentence without a capital and a full stop, which names the culprit. */
  readonly reason: string;

  constructor(rule: PrecisRule, reason: string) {
    this.rule = rule;
    this.reason = reason;
  }
}
