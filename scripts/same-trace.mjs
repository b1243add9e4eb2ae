// A run of the simulator has the same trace hash on every Node: `same-trace.mjs NODE…`, each the
// path of a binary. Run by `npm run verify`; needs the build.
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const program = fileURLToPath(new URL('../bin/xor', import.meta.url));
const binaries = [process.execPath, ...process.argv.slice(2)];
const directory = await mkdtemp(join(tmpdir(), 'same-trace-'));
const run = ['sim', 'run', '--scenario', 'smoke', '--seed', '1', '--json', '--shrink-seconds', '0'];
const traces = await Promise.all(binaries.map(traceOn));
await rm(directory, { recursive: true, force: true });
for (const { version, hash } of traces) console.log(`${version}  ${hash}`);
if (new Set(traces.map(({ hash }) => hash)).size > 1) {
  console.error('the same seed gave different runs');
  process.exitCode = 1;
}

async function traceOn(binary) {
  const execute = promisify(execFile);
  const options = { cwd: directory, maxBuffer: 1 << 26 };
  const { stdout: version } = await execute(binary, ['--version']);
  // A violation of this seed fails the smoke run; here only the trace counts.
  const { stdout } = await execute(binary, [program, ...run], options).catch((error) => error);
  const hash = /"traceHash":"([0-9a-f]{16})"/.exec(stdout ?? '')?.[1];
  if (hash === undefined) throw new Error(`no trace hash from Node ${version.trim()}`);
  return { version: version.trim(), hash };
}
