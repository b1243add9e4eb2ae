import { destination, type Logger, pino } from 'pino';

/**
 * Where the host writes what happened: fields for programs, a sentence for people. No secret is
 * ever among the fields: passwords, keys and the API token stay where they are used.
 */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** A log whose lines all carry these fields. */
  child(fields: Record<string, unknown>): Log;
}

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** JSON lines on stderr, so that stdout stays with the command's result. */
export function createLog(level: LogLevel): Log {
  return fromPino(pino({ level, base: null, timestamp: isoTime }, destination(STDERR)));
}

/** For whoever gives no log. */
export const silentLog: Log = {
  debug: discard,
  info: discard,
  warn: discard,
  error: discard,
  child: () => silentLog,
};

function fromPino(logger: Logger): Log {
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    child: (fields) => fromPino(logger.child(fields)),
  };
}

function isoTime(): string {
  return `,"time":"${new Date().toISOString()}"`;
}

function discard(): undefined {
  return undefined;
}

const STDERR = 2;
