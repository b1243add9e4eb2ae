/**
 * What one peer keeps for others at most. The overlay's own limits (max-count and max-size of a
 * Kind, RFC 6940 §11.1) come on top; these protect the memory of this process. Bytes are those of
 * the encoded StoredData.
 */
export interface StoreLimits {
  /** Resource-IDs with at least one value. */
  readonly resourcesMax: number;
  /** Values of all Resource-IDs together. */
  readonly valuesMax: number;
  /** Bytes of all values together. */
  readonly bytesMax: number;
  /** Bytes of all values of one Kind, so that no Kind crowds out the others. */
  readonly kindBytesMax: number;
  /** Values signed by one Node-ID. */
  readonly signerValuesMax: number;
  /** Bytes signed by one Node-ID. */
  readonly signerBytesMax: number;
  /** Different certificates kept to prove the signers of the values. */
  readonly certificatesMax: number;
  /** Bytes of these certificates. */
  readonly certificateBytesMax: number;
  /** Bytes of one dictionary key. */
  readonly dictionaryKeyBytesMax: number;
  /** Bytes of all values in one FetchAns or StatAns. */
  readonly answerBytesMax: number;
}

/** Room for a hundred thousand users with a few devices each, in well under a gigabyte. */
export const STORE_LIMITS_DEFAULT: StoreLimits = {
  resourcesMax: 200_000,
  valuesMax: 500_000,
  bytesMax: 256 * 1024 * 1024,
  kindBytesMax: 128 * 1024 * 1024,
  signerValuesMax: 256,
  signerBytesMax: 1024 * 1024,
  certificatesMax: 200_000,
  certificateBytesMax: 256 * 1024 * 1024,
  dictionaryKeyBytesMax: 1024,
  answerBytesMax: 1024 * 1024,
};
