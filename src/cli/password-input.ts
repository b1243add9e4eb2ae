import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { usageError } from './operator-error.ts';

/**
 * The first line of stdin, without its end. On a terminal it is asked for and not shown, so that
 * the password stands neither on the screen nor in the shell's history.
 */
export async function readPasswordFromStdin(prompt: string): Promise<string> {
  const isTerminal = process.stdin.isTTY === true;
  if (isTerminal) process.stderr.write(`${prompt}: `);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: silent, terminal: isTerminal });
  try {
    for await (const line of lines) {
      if (line === '') break;
      return line;
    }
  } finally {
    lines.close();
    process.stdin.pause();
    if (isTerminal) process.stderr.write('\n');
  }
  throw usageError('there is no password on stdin; write it as the first line');
}
