/** What of a run decides how many values chance alone takes. */
export interface LossConditions {
  /** Acknowledged values × hours that they were there. */
  readonly valueHours: number;
  /** Acknowledged Stores. */
  readonly stores: number;
  /** How often a peer goes, per peer and hour, those that go together with others not counted. */
  readonly deathsPerPeerHour: number;
  /** From the death of a holder until all copies are there again, on average. */
  readonly repairHours: number;
  /** From the first copy of a new value until all are there, on average. */
  readonly firstReplicationHours: number;
}

/**
 * How many acknowledged values are expected to be lost, if peers go independently of each other
 * (a Poisson process of rate λ for each) and copies are made as fast as was measured.
 *
 * A value with three holders (RFC 6940 §10.4) has a first death at the rate 3λ. It is repaired
 * after R; that one of the other two dies before has the probability 2λR, and that the last one
 * dies before the repair after that, λR. So a value is lost at the rate 3λ · 2λR · λR = 6λ³R².
 * A new value has one holder until it is replicated, for r: it is lost with the probability λr.
 *
 *   expected = valueHours · 6 λ³ R² + stores · λ r
 *
 * It holds while λR is much less than one. Heavy-tailed sessions have more short-lived peers than
 * λ says, and lose more.
 */
export function expectedLosses(conditions: LossConditions): number {
  const { valueHours, stores, deathsPerPeerHour: rate, repairHours } = conditions;
  const whileReplicated = valueHours * 6 * rate ** 3 * repairHours ** 2;
  return whileReplicated + stores * rate * conditions.firstReplicationHours;
}

/**
 * Of `values` values, how many lose all three holders when `gone` of `peers` peers vanish in one
 * moment: the chance that three given peers are among those, C(gone, 3) / C(peers, 3).
 */
export function expectedLossesAtOnce(values: number, gone: number, peers: number): number {
  if (gone < 3 || peers < 3) return 0;
  return (values * gone * (gone - 1) * (gone - 2)) / (peers * (peers - 1) * (peers - 2));
}

/** A mean that is added to. */
export class Mean {
  private sum = 0;
  private count = 0;

  add(value: number): void {
    this.sum += value;
    this.count++;
  }

  /** `otherwise` where nothing was added. */
  value(otherwise: number): number {
    return this.count === 0 ? otherwise : this.sum / this.count;
  }
}
