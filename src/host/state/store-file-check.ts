import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';

/** What a look through a store file found. */
export type StoreFileCheck =
  | { readonly type: 'sound' }
  /** Reading it ends in an error, in a crash, or short of the records it says it has. */
  | { readonly type: 'damaged'; readonly reason: string };

/**
 * Reads a whole store file in a process of its own. LMDB maps the file into memory and trusts its
 * pages: a file that was cut short or has zeroed pages does not fail there, it kills the process
 * that reads it. Better that one than this one. Rejects when no verdict could be reached.
 */
export async function checkStoreFile(path: string): Promise<StoreFileCheck> {
  const child = spawn(process.execPath, ['-e', CHECK_PROGRAM, LMDB_MODULE, resolve(path)], {
    stdio: ['ignore', 'ignore', 'pipe'],
    // Where a crash may leave its core file, rather than in the user's directory.
    cwd: dirname(path),
    // Options meant for this process (loaders, inspectors) are not meant for that one.
    env: { ...process.env, NODE_OPTIONS: '' },
    timeout: CHECK_TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  let complaint = '';
  child.stderr.setEncoding('utf8');
  child.stderr.on('data', (text: string) => {
    if (complaint.length < COMPLAINT_CHARACTERS_MAX) complaint += text;
  });
  const { code, signal } = await endOf(child);
  if (code === 0) return { type: 'sound' };
  if (signal === 'SIGKILL') throw new Error(`${path} could not be read through in time`);
  const firstLine = complaint.trim().split('\n')[0]?.slice(0, 200) ?? '';
  if (code === PROGRAM_FAILED) throw new Error(`${path} could not be checked: ${firstLine}`);
  const end = signal === null ? '' : `reading it ends in ${signal}`;
  return { type: 'damaged', reason: firstLine === '' ? end : firstLine };
}

function endOf(child: ChildProcess): Promise<{ code: number | null; signal: string | null }> {
  return new Promise((settle, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => settle({ code, signal }));
  });
}

/** In plain JavaScript, since the process that runs it has no TypeScript loader. */
const CHECK_PROGRAM = `
const [modulePath, path] = process.argv.slice(1);
let lmdb;
try {
  lmdb = require(modulePath);
} catch (error) {
  process.stderr.write(error.message + '\\n');
  process.exit(4);
}
try {
  const database = lmdb.open({ path, encoding: 'binary', readOnly: true });
  const expected = database.getStats().entryCount;
  let found = 0;
  for (const { value } of database.getRange({})) {
    found++;
    if (found > expected || !(value instanceof Uint8Array)) break;
  }
  if (found === expected) process.exit(0);
  process.stderr.write('it should have ' + expected + ' records, ' + found + ' can be read\\n');
} catch (error) {
  process.stderr.write(error.message + '\\n');
}
process.exit(3);
`;

const PROGRAM_FAILED = 4;
const CHECK_TIMEOUT_MS = 120_000;
const COMPLAINT_CHARACTERS_MAX = 2000;
const LMDB_MODULE = createRequire(import.meta.url).resolve('lmdb');
