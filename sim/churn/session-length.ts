import type { SimRandom } from '../world/sim-random.ts';

/**
 * How long nodes stay: whole ms, so that no run depends on the last bit of a logarithm or power,
 * which may differ between versions of Node. U is drawn evenly from (0, 1].
 */
export interface SessionLengths {
  /** From the beginning of a session to its end. */
  sessionMs(random: SimRandom): number;
  /**
   * From a moment of observation to the end, for a node that is up then: long sessions are met more
   * often than short ones, so this is not a session's length. With X length-biased (its density
   * is x f(x) / E[X]), the residual is U · X (renewal theory, "inspection paradox").
   */
  residualMs(random: SimRandom): number;
}

/** X = -m / ln 2 · ln U with median m. It has no memory: the residual is distributed as X is. */
export function exponentialSessions(medianMs: number): SessionLengths {
  const meanMs = medianMs / Math.LN2;
  const sessionMs = (random: SimRandom) => wholeMs(-meanMs * Math.log(unit(random)));
  return { sessionMs, residualMs: sessionMs };
}

/**
 * X = s · (-ln U)^(1/k) with the scale s = m / (ln 2)^(1/k). Length-biased it is s · G^(1/k), G
 * being gamma-distributed with shape 1 + 1/k. Measured sessions of peer-to-peer systems have k
 * between 0.34 and 0.59 (Stutzbach and Rejaie, "Understanding Churn in Peer-to-Peer Networks",
 * IMC 2006).
 */
export function weibullSessions(medianMs: number, shape: number): SessionLengths {
  const scaleMs = medianMs / Math.LN2 ** (1 / shape);
  return {
    sessionMs: (random) => wholeMs(scaleMs * (-Math.log(unit(random))) ** (1 / shape)),
    residualMs(random) {
      const biasedMs = scaleMs * gamma(1 + 1 / shape, random) ** (1 / shape);
      return wholeMs(unit(random) * biasedMs);
    },
  };
}

/**
 * X = s · U^(-1/a) with the scale, the shortest session, s = m / 2^(1/a). Length-biased it is of
 * the same form with a - 1, if a > 1. With a ≤ 1 the mean is infinite and no age is typical: then
 * those who are up are taken to have just begun.
 */
export function paretoSessions(medianMs: number, shape: number): SessionLengths {
  const scaleMs = medianMs / 2 ** (1 / shape);
  const sessionMs = (random: SimRandom) => wholeMs(scaleMs * unit(random) ** (-1 / shape));
  return {
    sessionMs,
    residualMs(random) {
      if (shape <= 1) return sessionMs(random);
      const biasedMs = scaleMs * unit(random) ** (-1 / (shape - 1));
      return wholeMs(unit(random) * biasedMs);
    },
  };
}

/** Marsaglia and Tsang, "A Simple Method for Generating Gamma Variables" (2000); shape ≥ 1. */
function gamma(shape: number, random: SimRandom): number {
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normal(random);
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(unit(random)) < x * x * 0.5 + d * (1 - v + Math.log(v))) return d * v;
  }
}

/** Box and Muller. */
function normal(random: SimRandom): number {
  return Math.sqrt(-2 * Math.log(unit(random))) * Math.cos(2 * Math.PI * random.share());
}

function unit(random: SimRandom): number {
  return 1 - random.share();
}

function wholeMs(ms: number): number {
  return Math.min(SESSION_MS_MAX, Math.max(1, Math.round(ms)));
}

/** 100 years: longer than any run. */
const SESSION_MS_MAX = 100 * 365 * 24 * 3_600_000;
