/** One attribute of a relative distinguished name — RFC 5280 §4.1.2.4. */
export interface NameAttribute {
  readonly oid: string;
  /** The text of a string type; undefined for other types. */
  readonly text: string | undefined;
  /** DER of the value. */
  readonly value: Uint8Array;
}

/** A distinguished name — RFC 5280 §4.1.2.4. */
export interface DistinguishedName {
  readonly der: Uint8Array;
  readonly relativeNames: readonly (readonly NameAttribute[])[];
  readonly isEmpty: boolean;
  /** Readable, in the form and order of RFC 4514: the last relative name first. */
  readonly text: string;
  /** Two names match (RFC 5280 §7.1) when these are equal. */
  readonly comparisonKey: string;
}
