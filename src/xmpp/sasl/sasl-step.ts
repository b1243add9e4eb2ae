import type { BareJid, Resourcepart } from '../../xmpp-address/jid.ts';

export const SASL_NAMESPACE = 'urn:ietf:params:xml:ns:xmpp-sasl';

/** RFC 6120 §6.5: those that this program sends. */
export type SaslCondition =
  | 'aborted'
  | 'encryption-required'
  | 'incorrect-encoding'
  | 'invalid-authzid'
  | 'invalid-mechanism'
  | 'malformed-request'
  | 'not-authorized'
  | 'temporary-auth-failure';

/** What a server's side of a mechanism answers. */
export type SaslStep =
  | { readonly type: 'challenge'; readonly data: Uint8Array }
  | {
      readonly type: 'success';
      readonly user: BareJid;
      /** The only one that may be bound (XEP-0257, "SASL EXTERNAL"); undefined: any. */
      readonly resource?: Resourcepart | undefined;
      /** Additional data with success (RFC 6120 §6.3.10). */
      readonly data: Uint8Array | undefined;
    }
  | SaslFailure;

export interface SaslFailure {
  readonly type: 'failure';
  readonly condition: SaslCondition;
  /** For the log, not for the client: it may tell who has an account. */
  readonly reason: string;
}

/** The server's side of one handshake. */
export interface SaslMechanism {
  /** What the client sent: its initial response first. */
  respond(data: Uint8Array): SaslStep;
}

export function saslFailure(condition: SaslCondition, reason: string): SaslFailure {
  return { type: 'failure', condition, reason };
}
