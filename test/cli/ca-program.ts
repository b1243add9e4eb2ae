/** `xor ca` as a program of its own, with the endings of `xor`. */

import type { Command } from 'commander';
import { caCommand } from '../../src/cli/ca-commands.ts';
import { failureOf } from '../../src/cli/failure-sentence.ts';

function handOverExits(command: Command): void {
  command.exitOverride();
  for (const inner of command.commands) handOverExits(inner);
}

const command = caCommand();
handOverExits(command);
try {
  await command.parseAsync(process.argv.slice(2), { from: 'user' });
} catch (error) {
  const { exitStatus, sentence } = failureOf(error);
  if (sentence !== undefined) process.stderr.write(`xor: ${sentence}\n`);
  process.exitCode = exitStatus;
}
process.exit();
