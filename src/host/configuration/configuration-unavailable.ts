/** Why there is no configuration: one sentence that says what and what to do. */
export class ConfigurationUnavailable extends Error {
  /**
   * A rightful new configuration demands what this program does not do: the node MUST leave the
   * overlay (RFC 6940 §11.1).
   */
  readonly mustLeave: boolean;

  constructor(message: string, options?: ErrorOptions & { readonly mustLeave?: boolean }) {
    super(message, options);
    this.name = 'ConfigurationUnavailable';
    this.mustLeave = options?.mustLeave ?? false;
  }
}

/** There is a document, and it does not count: forged, older, or of no use to this program. */
export class ConfigurationRefused extends ConfigurationUnavailable {}

export const TRUST_TODO = 'an operator who trusts another document runs "xor config trust FILE"';
