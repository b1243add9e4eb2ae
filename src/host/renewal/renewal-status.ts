/** How the renewal of a peer's certificate stands. */
export interface RenewalStatus {
  /** When the certificate in force ends, ms since 1970. */
  readonly notAfterUnixMs: number;
  /** When it is renewed, or tried again; undefined: this process does not renew it. */
  readonly nextTryUnixMs: number | undefined;
  /** Since this process started. */
  readonly renewals: number;
  readonly failures: number;
  /** Why the last try failed, a sentence for the operator; undefined: it did not. */
  readonly fault: string | undefined;
  /** Less than a quarter of the certificate's life is left. */
  readonly isUrgent: boolean;
}
