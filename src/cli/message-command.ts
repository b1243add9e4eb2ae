import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { Command } from 'commander';
import { dissectLine, isFault, reencodeLine } from './message-dissection.ts';
import { OperatorError } from './operator-error.ts';
import { readNumber } from './option-readers.ts';
import { printJson, printLine } from './terminal-output.ts';

interface DecodeOptions {
  readonly reencode?: boolean;
  readonly nodeIdLength: number;
}

/** `xor message …`: RELOAD messages as people read them. */
export function messageCommand(): Command {
  const command = new Command('message').description('read RELOAD messages');
  command
    .command('decode')
    .description('messages or frames, one in hex a line, to one JSON document a line')
    .argument('[file]', 'file to read; - or nothing is stdin', '-')
    .option('--json', 'one JSON document a line (what is printed anyway)')
    .option('--reencode', 'print each in hex, encoded again from its decoded fields')
    .option('--node-id-length <bytes>', 'of the overlay', readNumber(16, 20), 16)
    .addHelpText('after', EXAMPLES)
    .action(decode);
  return command;
}

async function decode(file: string, options: DecodeOptions): Promise<void> {
  const input = file === '-' ? process.stdin : createReadStream(file);
  let lines = 0;
  let faults = 0;
  // A file that cannot be opened ends the loop below with its error.
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line.trim() === '') continue;
    lines += 1;
    const result =
      options.reencode === true ? reencodeLine(line, options) : dissectLine(line, options);
    if (typeof result === 'string') printLine(result);
    else printJson(result);
    if (isFault(result)) faults += 1;
  }
  if (faults > 0) throw new OperatorError(`${faults} of ${lines} lines did not decode`);
}

const EXAMPLES = `
Examples:
  $ xor message decode frames.hex
  $ echo d2454c4f… | xor message decode --reencode`;
