/** A certificate as somebody hands it over; nothing of it is believed before it is judged. */
export interface CertificateChain {
  /** DER. */
  readonly leaf: Uint8Array;
  /** DER: the certificates between the leaf and a root, in any order; roots may be there. */
  readonly pool: readonly Uint8Array[];
}

/** The chain of a list whose first certificate is the leaf. */
export function chainOf(certificates: readonly Uint8Array[]): CertificateChain | undefined {
  const [leaf, ...pool] = certificates;
  return leaf === undefined ? undefined : { leaf, pool };
}
