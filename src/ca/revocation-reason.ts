/**
 * CRLReason — RFC 5280 §5.3.1. certificateHold and removeFromCRL are missing: a revocation here is
 * for good.
 */
export const revocationReasonCodes = {
  unspecified: 0,
  keyCompromise: 1,
  cACompromise: 2,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
  privilegeWithdrawn: 9,
} as const;

export type RevocationReason = keyof typeof revocationReasonCodes;

/** The reason of that name, in any case of letters; undefined for none that exists. */
export function revocationReasonOf(text: string): RevocationReason | undefined {
  const names = Object.keys(revocationReasonCodes) as RevocationReason[];
  return names.find((name) => name.toLowerCase() === text.toLowerCase());
}
