/**
 * A process that opens a state directory, prints "open" or why it could not, and then waits to be
 * stopped. `node --import tsx state-directory-holder.ts DIRECTORY`
 */
import { argv } from 'node:process';
import { setInterval } from 'node:timers';
import { openStateDirectory } from '../../../src/host/state/state-directory.ts';

const [, , path = ''] = argv;
try {
  await openStateDirectory(path);
  process.stdout.write('open\n');
} catch (error) {
  process.stdout.write(`${error instanceof Error ? error.message : error}\n`);
}
setInterval(() => undefined, 60_000);
