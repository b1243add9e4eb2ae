import { existsSync, readFileSync } from 'node:fs';
import { Command } from 'commander';
import { failureOf } from './failure-sentence.ts';

/**
 * Which module has which commands. Only what is asked for is loaded: a running peer need not hold
 * the libraries of the certificate authority in memory.
 */
const COMMAND_MODULES: readonly (readonly [names: readonly string[], load: LoadCommands])[] = [
  [['sandbox'], async () => [(await import('./sandbox-command.ts')).sandboxCommand()]],
  [['peer'], async () => [(await import('./peer-command.ts')).peerCommand()]],
  [
    ['lookup', 'locate', 'ping', 'status', 'peers', 'values'],
    async () => (await import('./running-peer-commands.ts')).runningPeerCommands(),
  ],
  [['ca'], async () => [(await import('./ca-commands.ts')).caCommand()]],
  [['config'], async () => [(await import('./config-commands.ts')).configCommand()]],
  [['cert'], async () => [(await import('./cert-commands.ts')).certCommand()]],
  [['sim'], async () => [(await import('./sim-command.ts')).simCommand()]],
  [['send'], async () => [(await import('./send-command.ts')).sendCommand()]],
  [['clientcert'], async () => [(await import('./clientcert-command.ts')).clientcertCommand()]],
  [['enroll'], async () => [(await import('./enroll-command.ts')).enrollCommand()]],
  [['passwd'], async () => [(await import('./passwd-command.ts')).passwdCommand()]],
  [['verify'], async () => [(await import('./verify-command.ts')).verifyCommand()]],
  [['message'], async () => [(await import('./message-command.ts')).messageCommand()]],
];
type LoadCommands = () => Promise<Command[]>;

/** The command `xor`; all of its subcommands unless `wanted` is one of them. */
async function xorProgram(wanted: string | undefined): Promise<Command> {
  const program = new Command('xor')
    .description('XMPP over RELOAD: peers, their certificates and their overlay')
    .version(version())
    .addHelpText('after', '\nStart with `xor sandbox`: a whole overlay on this machine.');
  const one = COMMAND_MODULES.filter(([names]) => names.includes(wanted ?? ''));
  for (const [, load] of one.length > 0 ? one : COMMAND_MODULES) {
    for (const command of await load()) program.addCommand(command);
  }
  handOverExits(program);
  return program;
}

/** Makes commander throw instead of ending the process, in every subcommand. */
function handOverExits(command: Command): void {
  command.exitOverride();
  command.configureOutput({
    outputError: (text, write) => write(text.replace(/^error: /, 'xor: ')),
  });
  for (const inner of command.commands) handOverExits(inner);
}

function version(): string {
  const { version } = JSON.parse(readFileSync(packageFile(), 'utf8')) as { version: string };
  return version;
}

/** Two folders above src/cli, three above dist/src/cli, where the compiled file is. */
function packageFile(): URL {
  const fromSource = new URL('../../package.json', import.meta.url);
  return existsSync(fromSource) ? fromSource : new URL('../../../package.json', import.meta.url);
}

/** A reader that has seen enough (`xor … | head`) is no error. */
function endQuietlyWithoutReader(error: NodeJS.ErrnoException): void {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
}

process.stdout.on('error', endQuietlyWithoutReader);
try {
  const program = await xorProgram(process.argv[2]);
  await program.parseAsync(process.argv);
} catch (error) {
  const { exitStatus, sentence } = failureOf(error);
  if (sentence !== undefined) process.stderr.write(`xor: ${sentence}\n`);
  process.exitCode = exitStatus;
}
// What a command leaves open (a connection that is closing) must not keep the process.
process.exit();
