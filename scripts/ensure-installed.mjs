// Before `npm start` and `npm test`: install the locked dependencies and build, where missing.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const lockFile = `${root}package-lock.json`;
const installedMarker = `${root}node_modules/.package-lock.json`;

function run(command, args) {
  // stdout stays clean for `--json`: what these tools print goes to stderr.
  const result = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (result.status === 0) return;
  console.error(`\`${command} ${args.join(' ')}\` failed; run it by hand to see why.`);
  process.exit(result.status ?? 1);
}

const installed =
  existsSync(installedMarker) && statSync(installedMarker).mtimeMs >= statSync(lockFile).mtimeMs;
if (!installed) {
  console.error('Installing dependencies (once) …');
  run('npm', ['ci', '--no-audit', '--no-fund']);
} else {
  run(process.execPath, [`${root}node_modules/typescript/bin/tsc`, '-p', 'tsconfig.build.json']);
}
