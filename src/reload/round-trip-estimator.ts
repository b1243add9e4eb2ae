/** Smoothed round-trip time and retransmission timeout — RFC 6298 §2, in ms. */
export class RoundTripEstimator {
  private smoothedMs: number | undefined;
  private variationMs = 0;

  /** SRTT; undefined before the first sample. */
  get roundTripMs(): number | undefined {
    return this.smoothedMs;
  }

  /** RTO; `floorMs` is what it is never below, and its value before the first sample. */
  timeoutMs(floorMs: number): number {
    if (this.smoothedMs === undefined) return floorMs;
    const timeout = this.smoothedMs + Math.max(CLOCK_GRANULARITY_MS, 4 * this.variationMs);
    return Math.min(Math.max(timeout, floorMs), TIMEOUT_MAX_MS);
  }

  /** RFC 6298 §2.2 and §2.3, alpha 1/8 and beta 1/4. */
  addSample(sampleMs: number): void {
    if (this.smoothedMs === undefined) {
      this.smoothedMs = sampleMs;
      this.variationMs = sampleMs / 2;
      return;
    }
    this.variationMs = 0.75 * this.variationMs + 0.25 * Math.abs(this.smoothedMs - sampleMs);
    this.smoothedMs = 0.875 * this.smoothedMs + 0.125 * sampleMs;
  }
}

const CLOCK_GRANULARITY_MS = 1;
const TIMEOUT_MAX_MS = 60_000;
