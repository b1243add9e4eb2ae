/** One measurement, set against something that any reader can judge. */
export interface BenchResult {
  readonly name: string;
  readonly value: number;
  /** E.g. `messages/s`; units say whether more or less is better only through `bound`. */
  readonly unit: string;
  /** What `reference` is: the same work done in another way. */
  readonly referenceName: string;
  readonly reference: number;
  /** value / reference. */
  readonly ratio: number;
  /** What must hold, e.g. `value >= 300000 and ratio >= 0.5`. */
  readonly bound: string;
  /** Whether it holds. */
  readonly isMet: boolean;
}
