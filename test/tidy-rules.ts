/** Rules of this code base that no linter knows. Each takes one file and returns its complaints. */
import ts from 'typescript';
import importRules from '../scripts/import-rules.json' with { type: 'json' };

export interface SourceFile {
  /** From the root of the repository, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

export type Rule = (file: SourceFile) => string[];

const folders: Readonly<Record<string, readonly string[]>> = importRules.folders;
const simulator: {
  readonly mayImport: readonly string[];
  readonly importedBy: readonly string[];
  readonly neverImports: Readonly<Record<string, readonly string[]>>;
} = importRules.simulator;

/** Each folder imports only what ARCHITECTURE.md's table allows. */
export const importDirections: Rule = ({ path, text }) =>
  importsOf({ path, text }).flatMap(({ specifier }) => {
    if (!specifier.startsWith('.')) return [];
    const target = resolved(path, specifier);
    const fault = directionFault(path, target);
    return fault === undefined ? [] : [`imports ${target}: ${fault}`];
  });

/** Time, randomness, waiting and the outside world belong to host/, cli/ and sim/run/ alone. */
export const noEffects: Rule = (file) => {
  if (!mustBePure(file.path)) return [];
  const complaints = importsOf(file).flatMap((found) => importFault(file.path, found));
  visit(parsed(file), (node) => {
    const fault = effectIn(node);
    if (fault !== undefined) complaints.push(`${fault} is for host/, cli/ and sim/run/ alone`);
  });
  return complaints;
};

export const sizes: Rule = (file) => {
  const lines = file.text.split('\n');
  // The title of a test is one sentence on one line, however long.
  const charactersMax = file.path.startsWith('test/') ? TEST_LINE_MAX : LINE_CHARACTERS_MAX;
  const complaints = lines.flatMap((line, i) =>
    line.length > charactersMax ? [`line ${i + 1} has ${line.length} characters`] : [],
  );
  const count = lines.at(-1) === '' ? lines.length - 1 : lines.length;
  if (count > FILE_LINES_MAX) complaints.push(`has ${count} lines, ${FILE_LINES_MAX} are allowed`);
  if (!file.path.startsWith('test/')) complaints.push(...longFunctions(file));
  return complaints;
};

export const noBarrels: Rule = (file) => {
  if (/(^|\/)index\.[cm]?[jt]s$/.test(file.path)) return ['is a barrel by its name'];
  const { statements } = parsed(file);
  const onlyPassesOn =
    statements.length > 0 &&
    statements.every(
      (one) =>
        ts.isImportDeclaration(one) ||
        (ts.isExportDeclaration(one) && one.moduleSpecifier !== undefined) ||
        (ts.isExportDeclaration(one) && one.exportClause !== undefined),
    ) &&
    statements.some(ts.isExportDeclaration);
  return onlyPassesOn ? ['only passes on what other files export'] : [];
};

export const fileNames: Rule = ({ path }) => {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const words = name.replace(/^\./, '').split(/[.-]/);
  const complaints: string[] = [];
  if (words.some((word) => EMPTY_NAMES.has(word))) complaints.push('has a name that says nothing');
  if (!/^\.?[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+)+$/.test(name)) {
    complaints.push('is not named in kebab-case');
  }
  return complaints;
};

/** Nothing is left for later, and nothing tells where the file was written. */
export const noLeftovers: Rule = ({ text }) =>
  text
    .split('\n')
    .flatMap((line, i) =>
      LEFTOVERS.filter((pattern) => pattern.test(line)).map(
        (pattern) => `line ${i + 1} matches ${pattern.source}`,
      ),
    );

interface ImportFound {
  readonly specifier: string;
  /** Imported names; `*` for a whole module. */
  readonly names: readonly string[];
  readonly isTypeOnly: boolean;
}

function importsOf(file: SourceFile): ImportFound[] {
  const found: ImportFound[] = [];
  visit(parsed(file), (node) => {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      const clause = node.importClause;
      const isTypeOnly = clause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
      found.push({ specifier: node.moduleSpecifier.text, names: namesOf(clause), isTypeOnly });
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
      const { text } = node.moduleSpecifier as ts.StringLiteral;
      found.push({ specifier: text, names: ['*'], isTypeOnly: node.isTypeOnly });
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [argument] = node.arguments;
      if (argument !== undefined && ts.isStringLiteral(argument)) {
        found.push({ specifier: argument.text, names: ['*'], isTypeOnly: false });
      }
    }
  });
  return found;
}

function namesOf(clause: ts.ImportClause | undefined): string[] {
  if (clause === undefined) return [];
  const names = clause.name === undefined ? [] : ['*'];
  const bindings = clause.namedBindings;
  if (bindings === undefined) return names;
  if (ts.isNamespaceImport(bindings)) return [...names, '*'];
  return [
    ...names,
    ...bindings.elements
      .filter((element) => !element.isTypeOnly)
      .map((element) => (element.propertyName ?? element.name).text),
  ];
}

function resolved(from: string, specifier: string): string {
  return new URL(specifier, `file:///${from}`).pathname.slice(1);
}

function directionFault(from: string, target: string): string | undefined {
  const [fromTop, fromFolder = ''] = from.split('/');
  const [targetTop, targetFolder = ''] = target.split('/');
  if (fromTop === 'src') {
    const allowed = folders[fromFolder];
    if (allowed === undefined) return `src/${fromFolder} is no folder of ARCHITECTURE.md`;
    if (targetTop === 'src' && (targetFolder === fromFolder || allowed.includes(targetFolder))) {
      return undefined;
    }
    if (targetTop === 'sim' && simulator.importedBy.includes(fromFolder)) return undefined;
    return `src/${fromFolder} may import ${allowed.join(', ') || 'no other folder'}`;
  }
  if (fromTop === 'sim') return simulatorFault(fromFolder, targetTop, targetFolder);
  const isHost = targetTop === 'src' && targetFolder === 'host';
  if (!isHost) return undefined;
  const mayImportHost = importRules.mayImportHost.some((folder) => from.startsWith(`${folder}/`));
  const isAtTop = /^test\/[^/]+$/.test(from);
  return mayImportHost || isAtTop ? undefined : 'only processes use host/';
}

/** The simulator runs the Peer without sockets and disk, and the command line starts it. */
function simulatorFault(
  fromFolder: string,
  targetTop: string | undefined,
  targetFolder: string,
): string | undefined {
  if (targetTop === 'src') {
    const isAllowed = simulator.mayImport.includes(targetFolder);
    return isAllowed ? undefined : `sim/ may import ${simulator.mayImport.join(', ')} of src/`;
  }
  if (targetTop !== 'sim') return 'the simulator stands on src/ alone';
  const isAbove = simulator.neverImports[fromFolder]?.includes(targetFolder) ?? false;
  return isAbove ? `sim/${targetFolder} stands above sim/${fromFolder}` : undefined;
}

function mustBePure(path: string): boolean {
  return /^(src|sim)\//.test(path) && !importRules.impureFolders.includes(folderOf(path));
}

/** The first two names of a path, e.g. `src/wire`. */
function folderOf(path: string): string {
  return path.split('/').slice(0, 2).join('/');
}

function importFault(path: string, { specifier, names, isTypeOnly }: ImportFound): string[] {
  if (isTypeOnly || specifier.startsWith('.')) return [];
  const module = specifier.replace(/^node:/, '');
  if (module === 'crypto') return cryptoFaults(path, names);
  const isBuiltin = specifier.startsWith('node:') || IMPURE_MODULES.has(module);
  const allowed = isBuiltin ? PURE_BUILTINS.has(module) : !IMPURE_MODULES.has(module);
  return allowed ? [] : [`${specifier} is for host/, cli/ and sim/run/ alone`];
}

/**
 * Hashing and verifying are functions of their input; keys and randomness are not. sim/certificates
 * makes keys all the same: it is for those who make identities before a run begins.
 */
function cryptoFaults(path: string, names: readonly string[]): string[] {
  const folder = folderOf(path);
  const allowed = CRYPTO_NAMES[folder] ?? [];
  return names
    .filter((name) => !allowed.includes(name))
    .map((name) => `node:crypto's ${name} has no place in ${folder}`);
}

function effectIn(node: ts.Node): string | undefined {
  if (node.kind === ts.SyntaxKind.AsyncKeyword) return 'async';
  if (ts.isAwaitExpression(node)) return 'await';
  if (ts.isCallExpression(node) && node.expression.getText() === 'fetch') return 'fetch';
  if (ts.isPropertyAccessExpression(node)) {
    const name = node.getText();
    return EFFECT_PROPERTIES.has(name) ? name : undefined;
  }
  if (!ts.isIdentifier(node) || !EFFECT_NAMES.has(node.text)) return undefined;
  // A name that is declared here, or a member of something else, is not the global one.
  const isMember = 'name' in node.parent && node.parent.name === node;
  return isMember || isCalendar(node) ? undefined : node.text;
}

/** `Date.UTC(…)` and `new Date(ms).toISOString()` are functions of their input, on every machine. */
function isCalendar({ parent }: ts.Identifier): boolean {
  if (ts.isPropertyAccessExpression(parent)) return parent.getText() === 'Date.UTC';
  if (!ts.isNewExpression(parent) || (parent.arguments?.length ?? 0) === 0) return false;
  const use = parent.parent;
  return ts.isPropertyAccessExpression(use) && use.name.text === 'toISOString';
}

function longFunctions(file: SourceFile): string[] {
  const complaints: string[] = [];
  const source = parsed(file);
  visit(source, (node) => {
    if (!ts.isFunctionLike(node) || !('body' in node) || node.body === undefined) return;
    const first = source.getLineAndCharacterOfPosition(node.getStart()).line;
    const last = source.getLineAndCharacterOfPosition(node.end).line;
    const count = last - first + 1;
    if (count > FUNCTION_LINES_MAX) {
      complaints.push(`the function at line ${first + 1} has ${count} lines`);
    }
  });
  return complaints;
}

function visit(node: ts.Node, see: (node: ts.Node) => void): void {
  see(node);
  ts.forEachChild(node, (child) => visit(child, see));
}

function parsed({ path, text }: SourceFile): ts.SourceFile {
  return ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
}

const FILE_LINES_MAX = 400;
const FUNCTION_LINES_MAX = 60;
const LINE_CHARACTERS_MAX = 100;
const TEST_LINE_MAX = 120;

const EMPTY_NAMES = new Set(['utils', 'util', 'helpers', 'helper', 'misc', 'common', 'index']);

/** Written in pieces, so that this file does not break its own rule. */
const LEFTOVERS = [
  ['\\bTO', 'DO\\b'],
  ['\\bFIX', 'ME\\b'],
  ['\\bX', 'XX\\b'],
  ['(^|[^\\w.~-])/wo', 'rk/'],
  ['(^|[^\\w.~-])/t', 'mp\\b'],
  ['(^|[^\\w.~-])/ho', 'me/'],
  ['registry\\.', 'npmjs'],
].map((pieces) => new RegExp(pieces.join('')));

const PURE_BUILTINS = new Set(['url', 'util', 'buffer', 'assert', 'punycode', 'string_decoder']);

const CRYPTO_NAMES: Readonly<Record<string, readonly string[]>> = {
  'src/tls-auth': ['createHash', 'createPublicKey', 'KeyObject', 'sign', 'verify'],
  'src/storage': ['createHash'],
  'src/ca': ['createHash', 'createPublicKey', 'KeyObject', 'verify'],
  'src/xmpp': ['createHash', 'createHmac', 'pbkdf2Sync', 'timingSafeEqual'],
  'sim/certificates': ['createHash', 'generateKeyPairSync', 'KeyObject', 'sign'],
  'sim/identity': [
    'createHash',
    'createPrivateKey',
    'createPublicKey',
    'hash',
    'KeyObject',
    'sign',
    'verify',
  ],
};

/** Packages that open sockets or files, and builtins that are written without `node:`. */
const IMPURE_MODULES = new Set([
  'lmdb',
  'ws',
  'pino',
  'prom-client',
  'commander',
  'dgram-as-promised',
  'net',
  'tls',
  'dgram',
  'http',
  'https',
  'http2',
  'fs',
  'fs/promises',
  'dns',
  'child_process',
  'worker_threads',
  'timers',
  'timers/promises',
  'os',
  'process',
]);

const EFFECT_NAMES = new Set([
  'Promise',
  'Date',
  'performance',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
]);

const EFFECT_PROPERTIES = new Set([
  'Math.random',
  'process.nextTick',
  'process.hrtime',
  'process.env',
  'crypto.getRandomValues',
  'crypto.randomUUID',
]);
