import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  fileNames,
  importDirections,
  noBarrels,
  noEffects,
  noLeftovers,
  type Rule,
  type SourceFile,
  sizes,
} from './tidy-rules.ts';

const root = new URL('..', import.meta.url);
const CODE_FOLDERS = ['src', 'sim', 'bench', 'test', 'scripts'];
const TEXT_FOLDERS = [...CODE_FOLDERS, '.ci', 'bin', 'docs'];

const codeRules: readonly (readonly [string, Rule])[] = [
  ['imports follow the table of ARCHITECTURE.md', importDirections],
  ['time, randomness and the outside world stay in host/, cli/ and sim/run/', noEffects],
  ['lines, functions and files stay short', sizes],
  ['no file only passes others on', noBarrels],
  ['names say what is in a file, in kebab-case', fileNames],
];

describe('every source file is tidy', () => {
  const files = CODE_FOLDERS.flatMap((folder) => filesUnder(folder)).filter(({ path }) =>
    /\.(ts|mjs|cjs)$/.test(path),
  );

  test.each(codeRules)('%s', (_, rule) => {
    expect(files.length).toBeGreaterThan(20);
    expect(complaintsOf(rule, files)).toEqual([]);
  });
});

test('nothing is left for later, and no file tells where it was written', () => {
  const atTop = readdirSync(root)
    .filter((name) => /\.(md|json|cjs|ts)$/.test(name))
    .map((path) => read(path));
  const files = [...atTop, ...TEXT_FOLDERS.flatMap((folder) => filesUnder(folder))];
  expect(complaintsOf(noLeftovers, files)).toEqual([]);
});

test('package-lock.json names every optional package: npm 11 refuses one that does not', () => {
  const { packages } = JSON.parse(read('package-lock.json').text) as LockFile;
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (name) => !(`node_modules/${name}` in packages || `${path}/node_modules/${name}` in packages),
    ),
  );
  // If this fails, run `node scripts/complete-lock-file.mjs`.
  expect(missing).toEqual([]);
});

interface LockFile {
  readonly packages: Record<string, { readonly optionalDependencies?: Record<string, string> }>;
}

describe('each rule catches what it is there for', () => {
  const bad: readonly (readonly [Rule, string, string, string])[] = [
    [importDirections, 'src/wire/a.ts', "import '../xml/b.ts';", 'src/xml/b.ts'],
    [importDirections, 'src/storage/a.ts', "export * from '../reload/b.ts';", 'src/reload/b.ts'],
    [importDirections, 'src/ca/a.ts', "import type { B } from '../host/b.ts';", 'src/host/b.ts'],
    [importDirections, 'src/host/a.ts', "await import('../cli/b.ts');", 'src/cli/b.ts'],
    [importDirections, 'src/wire/a.ts', "import '../../test/b.ts';", 'test/b.ts'],
    [importDirections, 'src/other/a.ts', "import '../wire/b.ts';", 'no folder of'],
    [importDirections, 'src/host/a.ts', "import '../../sim/world/b.ts';", 'sim/world/b.ts'],
    [importDirections, 'sim/run/a.ts', "import '../../src/host/b.ts';", 'sim/ may import wire'],
    [importDirections, 'sim/run/a.ts', "import '../../src/cli/b.ts';", 'sim/ may import wire'],
    [importDirections, 'sim/world/a.ts', "import '../../test/b.ts';", 'on src/ alone'],
    [importDirections, 'sim/world/a.ts', "import '../run/b.ts';", 'above sim/world'],
    [importDirections, 'sim/world/a.ts', "import type { B } from '../report/b.ts';", 'above'],
    [importDirections, 'sim/world/a.ts', "import b from '../scenarios/b.json';", 'above'],
    [importDirections, 'sim/report/a.ts', "import '../run/b.ts';", 'above sim/report'],
    [importDirections, 'test/wire/a.ts', "import '../../src/host/b.ts';", 'only processes'],
    [noEffects, 'src/reload/a.ts', 'const f = async () => 1;', 'async'],
    [noEffects, 'src/reload/a.ts', 'async function f() { await g(); }', 'await'],
    [noEffects, 'src/reload/a.ts', 'const now = Date.now();', 'Date'],
    [noEffects, 'src/reload/a.ts', 'let p: Promise<void>;', 'Promise'],
    [noEffects, 'src/reload/a.ts', 'const r = Math.random();', 'Math.random'],
    [noEffects, 'src/reload/a.ts', 'setTimeout(f, 1);', 'setTimeout'],
    [noEffects, 'src/ca/a.ts', 'fetch(url);', 'fetch'],
    [noEffects, 'src/storage/a.ts', "import { readFileSync } from 'node:fs';", 'node:fs'],
    [noEffects, 'src/storage/a.ts', "import { open } from 'lmdb';", 'lmdb'],
    [noEffects, 'src/reload/a.ts', "import { connect } from 'node:tls';", 'node:tls'],
    [noEffects, 'src/storage/a.ts', "import { randomBytes } from 'node:crypto';", 'randomBytes'],
    [noEffects, 'src/wire/a.ts', "import { createHash } from 'node:crypto';", 'createHash'],
    [noEffects, 'src/storage/a.ts', "import crypto from 'node:crypto';", 'node:crypto'],
    [noEffects, 'sim/report/a.ts', "import { readFileSync } from 'node:fs';", 'node:fs'],
    [noEffects, 'sim/world/a.ts', "import { Worker } from 'node:worker_threads';", 'worker'],
    [noEffects, 'sim/world/a.ts', "import { randomBytes } from 'node:crypto';", 'sim/world'],
    [noEffects, 'sim/identity/a.ts', "import { randomInt } from 'node:crypto';", 'randomInt'],
    [noEffects, 'sim/world.ts', 'const now = Date.now();', 'Date'],
    [noEffects, 'sim/world.ts', 'const now = new Date().toISOString();', 'Date'],
    [noEffects, 'sim/world.ts', 'const hour = new Date(1).getHours();', 'Date'],
    [sizes, 'src/wire/a.ts', 'a;\n'.repeat(401), '401 lines'],
    [sizes, 'src/wire/a.ts', `a${' '.repeat(99)};`, '101 characters'],
    [sizes, 'src/wire/a.ts', `function f() {\n${'a;\n'.repeat(59)}}`, '61 lines'],
    [noBarrels, 'src/wire/index.ts', 'export const a = 1;', 'barrel'],
    [
      noBarrels,
      'src/wire/a.ts',
      "export * from './b.ts';\nexport { c } from './c.ts';",
      'passes on',
    ],
    [noBarrels, 'src/wire/a.ts', "import { b } from './b.ts';\nexport { b };", 'passes on'],
    [fileNames, 'src/wire/string-utils.ts', '', 'says nothing'],
    [fileNames, 'test/helpers.test.ts', '', 'says nothing'],
    [fileNames, 'src/wire/nodeId.ts', '', 'kebab-case'],
    [noLeftovers, 'src/wire/a.ts', `// ${'TO'}${'DO'}: later`, 'line 1'],
    [noLeftovers, 'docs/a.md', `see /${'tmp'}/x`, 'line 1'],
    [noLeftovers, 'docs/a.md', `see /${'work'}/main`, 'line 1'],
  ];

  for (const [rule, path, text, expected] of bad) {
    test(`${rule.name} catches "${expected}" in ${path}`, () => {
      expect(rule({ path, text }).join('\n')).toContain(expected);
    });
  }

  const good: readonly (readonly [Rule, string, string])[] = [
    [importDirections, 'src/host/a.ts', "import '../wire/b.ts'; import './c.ts';"],
    [importDirections, 'test/host/a.ts', "import '../../src/host/b.ts';"],
    [importDirections, 'sim/world/a.ts', "import '../../src/reload/peer.ts';"],
    [importDirections, 'sim/run/a.ts', "import '../world/b.ts'; import '../report/c.ts';"],
    [importDirections, 'src/cli/a.ts', "await import('../../sim/run/b.ts');"],
    [importDirections, 'test/wire/a.ts', "import '../../sim/certificates/b.ts';"],
    [importDirections, 'bench/a.ts', "import '../sim/run/b.ts';"],
    [noEffects, 'src/host/a.ts', 'setTimeout(async () => Date.now(), Math.random());'],
    [noEffects, 'sim/run/a.ts', "import { readFileSync } from 'node:fs'; await f();"],
    [noEffects, 'sim/run/a.ts', "import { randomBytes } from 'node:crypto'; Date.now();"],
    [noEffects, 'sim/identity/a.ts', "import { hash, createPrivateKey } from 'node:crypto';"],
    [noEffects, 'src/reload/a.ts', '/** Date, Promise */ const a = { Date: "await Promise" };'],
    [noEffects, 'sim/a.ts', 'new Date(Date.UTC(2026, 0)).toISOString();'],
    [noEffects, 'src/storage/a.ts', 'class Store { fetch(): void { this.fetch(); } }'],
    [noEffects, 'src/storage/a.ts', "import { createHash } from 'node:crypto';"],
    [noEffects, 'src/tls-auth/a.ts', "import type { Socket } from 'node:net';"],
    [sizes, 'test/a.test.ts', `describe('a', () => {\n${'a;\n'.repeat(70)}});`],
    [noBarrels, 'src/wire/a.ts', "import { b } from './b.ts';\nexport const a = b;"],
    [noBarrels, 'src/wire/a.ts', "import './b.ts';"],
    [fileNames, 'src/wire/node-id.ts', ''],
    [fileNames, '.dependency-cruiser.cjs', ''],
    [noLeftovers, 'docs/a.md', 'the network/tmpfs works; https://example.org/work/'],
  ];

  for (const [rule, path, text] of good) {
    test(`${rule.name} leaves ${path} alone: ${text.slice(0, 60)}`, () => {
      expect(rule({ path, text })).toEqual([]);
    });
  }
});

function complaintsOf(rule: Rule, files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => rule(file).map((complaint) => `${file.path} ${complaint}`));
}

function filesUnder(folder: string): SourceFile[] {
  if (!existsSync(new URL(folder, root))) return [];
  const entries = readdirSync(new URL(folder, root), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`.slice(root.pathname.length))
    .filter((path) => statSync(new URL(path, root)).size < FILE_BYTES_MAX)
    .map((path) => read(path));
}

function read(path: string): SourceFile {
  return { path, text: readFileSync(new URL(path, root), 'utf8') };
}

/** Beyond it a file is data. */
const FILE_BYTES_MAX = 1_000_000;
