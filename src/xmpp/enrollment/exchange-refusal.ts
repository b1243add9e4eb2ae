/** Why something that came in an exchange with an authority was not taken. */
export type ExchangeRefusalCode =
  /** It carries our id or transaction, and comes from somebody else. */
  | 'wrong-sender'
  /** A challenge for a transaction that is not under way: another's, or an old one. */
  | 'wrong-transaction'
  /** What came is not what XEP-0417 describes. */
  | 'malformed'
  /** The authority's key did not sign it. */
  | 'challenge-signature'
  /** The page that a user is to open is no HTTPS page. */
  | 'challenge-uri'
  /** It is for the key of another request than ours. */
  | 'challenge-key'
  | 'too-many-challenges'
  /** It comes when the exchange is over. */
  | 'too-late';

/** Something was passed over; the exchange goes on. */
export interface ExchangeRefusal {
  readonly code: ExchangeRefusalCode;
  /** A sentence for people. */
  readonly reason: string;
}

/** Why an exchange ended without what was asked for. */
export type ExchangeFailureCode =
  /** The authority, or a server on the way, answered with an error. */
  | 'error-answer'
  | 'challenge-failed'
  /** Neither challenge nor response came in time. */
  | 'timeout'
  /** The connection ended. */
  | 'lost'
  /** The response is not what XEP-0417 §6.3 describes. */
  | 'malformed-response'
  /** The chain does not lead to a root of the overlay, or breaks a rule of XEP-0416. */
  | 'invalid-chain'
  /** Another authority than the one that was asked has signed it. */
  | 'another-authority'
  /** It is for another key than the own one. */
  | 'another-key'
  /** It is for another address. */
  | 'another-address';

/** The exchange is over. */
export interface ExchangeFailure {
  readonly code: ExchangeFailureCode;
  /**
   * XEP-0417 §6.4: the same authority may be asked again, with the same request. Otherwise only
   * another one.
   */
  readonly isTemporary: boolean;
  /** A sentence for people, that says what to do. */
  readonly reason: string;
}
