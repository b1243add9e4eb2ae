/**
 * A process that writes to a store file until it is killed or the disk is full; every line on
 * stdout is a batch that was acknowledged before. `node --import tsx store-file-writer.ts DIRECTORY`
 */
import { writeSync } from 'node:fs';
import { argv, exit } from 'node:process';
import { openStoreFile } from '../../../src/host/state/store-file.ts';

const [, , directory = ''] = argv;
const store = await openStoreFile(directory, (damage) => {
  throw new Error(damage.reason);
});
try {
  for (let batch = 0; ; batch++) {
    await store.write([
      { key: `value/${batch}`, value: Buffer.alloc(20_000, batch) },
      { key: `generation/${batch}`, value: Buffer.from(`${batch}`) },
      { key: `value/${batch - 10}`, value: undefined },
    ]);
    writeSync(1, `acknowledged ${batch}\n`);
  }
} catch (error) {
  writeSync(1, `failed: ${error instanceof Error ? error.message : error}\n`);
}
// The store must go on working once there is room: removing needs none of its own.
await store.write([{ key: 'generation/0', value: undefined }]).then(
  () => writeSync(1, 'removal acknowledged\n'),
  (error: Error) => writeSync(1, `removal failed: ${error.message}\n`),
);
exit(0);
