/** What a sandbox run ended with; the keys are those of `xor sandbox --json`. */
export interface SandboxReport {
  readonly overlay: string;
  readonly peers: number;
  readonly joined: number;
  /** Peers whose certificate and location are stored in the overlay. */
  readonly stored: number;
  readonly lookups: number;
  /** Lookups whose certificates are valid and name the node and the user that they should. */
  readonly verified: number;
  readonly failed: number;
  readonly joinMs: { readonly p50: number; readonly max: number };
  readonly lookupMs: { readonly p50: number; readonly p95: number; readonly max: number };
}

/** The value below which `share` (0 to 1) of the values lie, by nearest rank; 0 of none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = Math.max(Math.ceil(share * sorted.length), 1);
  return toTenths(sorted[rank - 1] ?? 0);
}

function toTenths(value: number): number {
  return Math.round(value * 10) / 10;
}
