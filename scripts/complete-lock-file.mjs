// `node scripts/complete-lock-file.mjs`, after `npm install` has changed package-lock.json.
//
// npm leaves an optional package out of the lock file when the registry that it asked does not have
// it, as a mirror may lack builds for other platforms. From npm 11 on, `npm ci` then refuses the
// whole lock file, although this platform needs none of them. Here they are entered by name,
// version and platform, without an integrity hash, which nobody could know who cannot fetch them.
import { readFileSync, writeFileSync } from 'node:fs';

const file = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(file, 'utf8'));

const SYSTEMS = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'openharmony', 'sunos', 'win32'];
const PROCESSORS = ['arm64', 'arm', 'ia32', 'loong64', 'ppc64', 'riscv64', 's390x', 'x64'];

/** What a name such as `binding-linux-arm64-musl` says about where the package is for. */
function platformOf(name) {
  const words = name.split(/[^a-z0-9]+/);
  const os = SYSTEMS.find((system) => words.includes(system));
  const cpu = PROCESSORS.find((processor) => words.includes(processor));
  if (os === undefined || cpu === undefined) return undefined;
  const isMusl = words.some((word) => word.startsWith('musl'));
  return { os: [os], cpu: [cpu], ...(os === 'linux' && isMusl ? { libc: ['musl'] } : {}) };
}

const isHere = ({ os, cpu }) => os[0] === process.platform && cpu[0] === process.arch;

const added = [];
for (const [path, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const nested = `${path}/node_modules/${name}`;
    if (lock.packages[`node_modules/${name}`] !== undefined || lock.packages[nested]) continue;
    const platform = platformOf(name);
    const isExact = /^\d+\.\d+\.\d+$/.test(version);
    if (platform === undefined || !isExact || (isHere(platform) && !platform.libc)) {
      console.error(`${name}@${version} is missing, and this script cannot tell what it is`);
      process.exit(1);
    }
    lock.packages[`node_modules/${name}`] = {
      version,
      cpu: platform.cpu,
      ...(entry.dev ? { dev: true } : {}),
      ...(platform.libc ? { libc: platform.libc } : {}),
      optional: true,
      os: platform.os,
    };
    added.push(`${name}@${version}`);
  }
}

const byPath = ([one], [other]) => (one < other ? -1 : 1);
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(byPath));
writeFileSync(file, `${JSON.stringify(lock, undefined, 2)}\n`);
console.log(added.length === 0 ? 'nothing was missing' : `added ${added.join(', ')}`);
