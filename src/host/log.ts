import { type DestinationStream, destination, type Logger, pino } from 'pino';

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

/**
 * JSON lines on stderr, so that stdout stays with the command's result. What comes from outside can
 * neither steer the terminal that shows them nor make one of them very long.
 */
export function createLog(level: LogLevel, stream: DestinationStream = destination(STDERR)): Log {
  const formatters = { log: fitForLines };
  return fromPino(pino({ level, base: null, timestamp: isoTime, formatters }, stream));
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

function fitForLines(fields: Record<string, unknown>): Record<string, unknown> {
  const fit = Object.entries(fields).map(([name, value]) => [
    name,
    typeof value === 'string' ? fitForLine(value) : value,
  ]);
  return Object.fromEntries(fit);
}

function fitForLine(text: string): string {
  const cut =
    text.length <= FIELD_CHARACTERS_MAX ? text : `${text.slice(0, FIELD_CHARACTERS_MAX)}…`;
  return cut.replace(STEERING, (character) => {
    const codePoint = character.codePointAt(0) ?? 0;
    return `<U+${codePoint.toString(16).toUpperCase().padStart(4, '0')}>`;
  });
}

function isoTime(): string {
  return `,"time":"${new Date().toISOString()}"`;
}

function discard(): undefined {
  return undefined;
}

const STDERR = 2;
const FIELD_CHARACTERS_MAX = 2_000;
/** Controls but line ends, directions of writing, invisible characters, halves of pairs. */
const STEERING = /(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
