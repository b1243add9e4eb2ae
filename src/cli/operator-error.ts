/**
 * A command cannot do what it was asked. The message is one sentence for the operator: what is
 * wrong and, where there is something to do, what. `main` prints it and ends with the exit status.
 */
export class OperatorError extends Error {
  /** 1: the operation failed; 2: the arguments are wrong. */
  readonly exitStatus: 1 | 2;

  constructor(message: string, exitStatus: 1 | 2 = 1, options?: ErrorOptions) {
    super(message, options);
    this.name = 'OperatorError';
    this.exitStatus = exitStatus;
  }
}

/** The arguments themselves are wrong: exit status 2. */
export function usageError(message: string): OperatorError {
  return new OperatorError(message, 2);
}
