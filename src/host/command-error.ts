import type { CommandFailure, CommandFailureCode } from '../reload/command.ts';

/** A command that a Peer could not carry out: `code` for programs, the message for people. */
export class CommandError extends Error {
  readonly code: CommandFailureCode;
  /** The RELOAD error code where an ErrorResponse was the reason — RFC 6940 §14.9. */
  readonly errorCode: number | undefined;
  /** For the code `revoked`: since when, and why. */
  readonly revocation: CommandFailure['revocation'];

  constructor(failure: CommandFailure) {
    super(failure.detail);
    this.name = 'CommandError';
    this.code = failure.code;
    this.errorCode = failure.errorCode;
    this.revocation = failure.revocation;
  }
}
