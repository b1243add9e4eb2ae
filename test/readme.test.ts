import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../src/host/free-port.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const running: ChildProcess[] = [];
let home = '';

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'xor-readme-'));
});

afterAll(async () => {
  // The last started first: peers leave while there are others to hand over to.
  for (const child of running.reverse()) await end(child);
  await rm(home, { recursive: true, force: true });
});

describe('README.md', () => {
  test('every subcommand it names exists', async () => {
    const tabled = [...readme.matchAll(/`xor ([a-z ]+)`/g)].map(([, name = '']) => name);
    const shown = shellCommands().flatMap((line) => xorWords(line).map(subcommandOf));
    const names = [...new Set([...tabled, ...shown])];
    expect(names.length).toBeGreaterThan(20);
    for (const name of names) {
      const usage = await help(name);
      expect(usage, `xor ${name}`).toMatch(new RegExp(`^Usage: xor ${name}\\b`));
    }
  }, 60_000);

  test('every command of the program is in its table', async () => {
    const names = [...(await help('')).matchAll(/^ {2}([a-z]+) .*\S/gm)].map(([, name]) => name);
    expect(names.length).toBeGreaterThan(10);
    for (const name of names.filter((one) => one !== 'help')) {
      expect(readme).toMatch(new RegExp(`\`xor ${name}[ \`]`));
    }
  });

  test('every option it shows is in the help of its command', async () => {
    for (const words of shellCommands().flatMap(xorWords)) {
      const usage = await help(subcommandOf(words));
      const options = words.split(/\s+/).filter((word) => word.startsWith('--'));
      for (const option of options) expect(usage, words).toContain(`${option} `);
    }
  }, 60_000);

  test('every npm script and linked file it names exists', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    const named = [...readme.matchAll(/npm (?:run )?([a-z]+)/g)].map(([, name = '']) => name);
    for (const name of named.filter((one) => one !== 'ci')) expect(scripts).toHaveProperty(name);
    for (const [, path = ''] of readme.matchAll(/\]\((?!https?:)([^)]+)\)/g)) {
      expect(readFileSync(join(root, path), 'utf8')).not.toBe('');
    }
  });

  test('its example of the library passes the compiler', () => {
    expect(typeErrors(example())).toEqual([]);
    expect(example().trimEnd().split('\n').length).toBeLessThanOrEqual(22);
  }, 120_000);

  test('its overlay of separate processes runs as shown, and the example in it', async () => {
    const place = await placeOfItsOwn();
    for (const block of section('An overlay of separate processes').map(place)) {
      for (const command of commandsIn(block)) await runAsShown(command);
    }
    const code = place(example());
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', code]);
    expect(stdout).toMatch(/^juliet@example\.org has the node [0-9a-f]{32}\n[0-9a-f]{32} answers/);
  }, 120_000);
});

/** The text of the fenced blocks of one language. */
function blocks(language: string, text = readme): string[] {
  const fences = text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'));
  return [...fences].map(([, content = '']) => content);
}

function section(title: string): string[] {
  const start = readme.indexOf(`\n## ${title}\n`);
  expect(start).toBeGreaterThan(0);
  return blocks('sh', readme.slice(start, readme.indexOf('\n## ', start + 1)));
}

function commandsIn(block: string): string[] {
  return block
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line !== '');
}

function shellCommands(): string[] {
  return blocks('sh').flatMap(commandsIn);
}

/** What follows `xor` in a command line, if that is what it runs. */
function xorWords(line: string): string[] {
  const [, words] = /node bin\/xor (.*)$/.exec(line) ?? [];
  return words === undefined ? [] : [words];
}

/** `ca user add` of `ca user add juliet@example.org --state …`. */
function subcommandOf(words: string): string {
  return (
    /^[a-z]+(?: (?:init|serve|list|revoke|sign-authority|complete|(?:user|audit|ledger) [a-z]+)(?= |$))?/.exec(
      words,
    )?.[0] ?? ''
  );
}

function example(): string {
  const [code, ...others] = blocks('ts');
  expect(others).toEqual([]);
  return code ?? '';
}

async function help(subcommand: string): Promise<string> {
  const words = subcommand.split(' ').filter((word) => word !== '');
  return (await run(process.execPath, [join(root, 'bin/xor'), ...words, '--help'])).stdout;
}

function run(file: string, args: readonly string[]): Promise<{ stdout: string }> {
  return promisify(execFile)(file, args, { cwd: root, env: environment() });
}

function environment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, HOME: home, XDG_STATE_HOME: join(home, 'state') };
}

/** Puts ports that are free now in the place of those that are shown. */
async function placeOfItsOwn(): Promise<(text: string) => string> {
  const ports = new Map<string, number>();
  for (const port of ['8443', '6084', '6085']) ports.set(port, await freePort());
  return (text) => text.replaceAll(/\b(?:8443|6084|6085)\b/g, (port) => String(ports.get(port)));
}

/** Runs a command to its end; one that stays up, until it says that it is there. */
async function runAsShown(command: string): Promise<void> {
  if (!/xor (?:ca serve|peer) /.test(command)) {
    const { stdout } = await run('sh', ['-c', command]);
    expect(stdout, command).not.toBe('');
    return;
  }
  const child = spawn('sh', ['-c', command], { cwd: root, env: environment(), detached: true });
  running.push(child);
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += String(chunk);
  });
  await new Promise<void>((resolve, reject) => {
    child.stdout.once('data', () => resolve());
    child.once('exit', () => reject(new Error(`${command} ended: ${said}`)));
  });
}

/** Ctrl-C at the terminal of a command: every process of its group gets the signal. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const ended = new Promise((resolve) => child.once('close', resolve));
  process.kill(-child.pid, 'SIGINT');
  await ended;
}

/** Type errors of a program that stands at the top of this repository. */
function typeErrors(code: string): string[] {
  const path = join(root, 'readme-example.ts');
  const file = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(file.config, ts.sys, root);
  const program = ts.createProgram({
    rootNames: [path],
    options: {
      ...options,
      paths: { 'xmpp-over-reload': [join(root, 'src/host/join-overlay.ts')] },
    },
    host: hostWith(options, path, code),
  });
  return ts
    .getPreEmitDiagnostics(program, program.getSourceFile(path))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

function hostWith(options: ts.CompilerOptions, path: string, code: string): ts.CompilerHost {
  const host = ts.createCompilerHost(options);
  return {
    ...host,
    fileExists: (name) => name === path || host.fileExists(name),
    readFile: (name) => (name === path ? code : host.readFile(name)),
    getSourceFile: (name, languageVersion, ...rest) =>
      name === path
        ? ts.createSourceFile(name, code, languageVersion, true)
        : host.getSourceFile(name, languageVersion, ...rest),
  };
}
