import { CommanderError } from 'commander';
import { OperatorError } from './operator-error.ts';

/** How a command ends that threw. */
export interface Failure {
  readonly exitStatus: number;
  /** For stderr; undefined where the reason has been printed already. */
  readonly sentence: string | undefined;
}

/**
 * What to tell the operator. Errors that are meant for him are one sentence; any other error is a
 * bug of this program and keeps its stack, so that it can be reported.
 */
export function failureOf(error: unknown): Failure {
  if (error instanceof CommanderError) {
    // Commander has printed its sentence, or the help that was asked for.
    return { exitStatus: error.exitCode === 0 ? 0 : WRONG_ARGUMENTS, sentence: undefined };
  }
  if (error instanceof OperatorError) {
    return { exitStatus: error.exitStatus, sentence: oneLine(error.message) };
  }
  if (isForOperator(error)) return { exitStatus: FAILED, sentence: oneLine(error.message) };
  if (isSystemError(error)) return { exitStatus: FAILED, sentence: systemSentence(error) };
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { exitStatus: FAILED, sentence: `an internal error, please report it: ${stack}` };
}

/** A sentence may quote what came from a file or a stranger. */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ');
}

interface SystemError extends Error {
  readonly code: string;
  readonly syscall: string;
  readonly path?: string;
  readonly address?: string;
  readonly port?: number;
}

/** By name, so that no command has to load the modules of all others. */
function isForOperator(error: unknown): error is Error {
  return error instanceof Error && FOR_OPERATOR.has(error.name);
}

function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && 'code' in error && 'syscall' in error;
}

function systemSentence(error: SystemError): string {
  const place = error.path ?? `${error.address ?? 'the address'}:${error.port ?? '?'}`;
  switch (error.code) {
    case 'EADDRINUSE':
      return `${place} is in use by another program; choose another port`;
    case 'EADDRNOTAVAIL':
      return `${place} is not an address of this machine`;
    case 'EACCES':
    case 'EPERM':
      return error.path === undefined
        ? `no permission to listen at ${place}; choose a port from 1024 on`
        : `no permission to read or write ${place}`;
    case 'ENOENT':
      return `there is no file ${place}`;
    case 'EISDIR':
      return `${error.path ?? 'what was named'} is a directory; name a file`;
    case 'EEXIST':
    case 'ENOTDIR':
      return `${place} is no directory, or lies below a file; name another one`;
    case 'ENOSPC':
      return error.path === undefined
        ? 'no space is left on the disk'
        : `no space is left on the disk of ${error.path}`;
    default:
      return `${error.syscall} failed for ${place}: ${error.code}`;
  }
}

/** Errors whose message is one sentence that says what is wrong and what to do. */
const FOR_OPERATOR: ReadonlySet<string> = new Set([
  'AuthorityBusy',
  'AuthorityFailure',
  'CommandError',
  'ConfigurationCacheDamaged',
  'ConfigurationUnavailable',
  'EnrollmentFailure',
  'HttpApiExposed',
  'HttpsFetchError',
  'IdentityFileDamaged',
  'IdentityMissing',
  'MemoryTooSmall',
  'NotASandbox',
  'PasswordRefused',
  'RevocationUnavailable',
  'SaslcertFailure',
  'ServerConnectionError',
  'StanzaErrorAnswer',
  'StateDirectoryLocked',
  'StateDirectoryUnusable',
  'StoreFileFailure',
  'XmppEnrollmentFailure',
]);
const FAILED = 1;
const WRONG_ARGUMENTS = 2;
