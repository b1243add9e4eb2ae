import type { CommandResult } from '../reload/command.ts';

/** The result of a command, by its type. */
export type ResultOf<T extends CommandResult['type']> = Extract<CommandResult, { type: T }>;

export function isResult<T extends CommandResult['type']>(
  result: CommandResult,
  type: T,
): result is ResultOf<T> {
  return result.type === type;
}
