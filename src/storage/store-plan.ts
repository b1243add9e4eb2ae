declare const planned: unique symbol;

/** A Store that passed every check. Only `ResourceStore.plan` makes one. */
export interface StorePlan {
  readonly [planned]: true;
}
