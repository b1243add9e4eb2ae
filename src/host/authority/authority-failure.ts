/**
 * The authority cannot do what its operator asked. The message is for the operator: one sentence
 * that says what is wrong, and where there is something to do, what.
 */
export class AuthorityFailure extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'AuthorityFailure';
  }
}
