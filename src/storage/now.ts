/**
 * The two clocks. Deadlines and remaining lifetimes run on `monotonicMs`, which never jumps;
 * storage_time and certificate validity on `unixMs`. The two are never mixed.
 */
export interface Now {
  /** Milliseconds since some fixed point of this process. */
  readonly monotonicMs: number;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly unixMs: number;
}
