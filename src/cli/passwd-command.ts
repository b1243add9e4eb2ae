import { Command, Option } from 'commander';
import { setLocalPassword } from '../host/xmpp/gateway/password-file.ts';
import { usageError } from './operator-error.ts';
import { readPasswordFromStdin } from './password-input.ts';
import { DEFAULT_OVERLAY, peerStateDirectory } from './state-paths.ts';
import { printJson, printLine } from './terminal-output.ts';

interface PasswdOptions {
  readonly state?: string;
  readonly overlay: string;
  readonly passwordStdin?: boolean;
  readonly json?: boolean;
}

/** `xor passwd`: the local password with which the user's own XMPP clients log in at the peer. */
export function passwdCommand(): Command {
  return new Command('passwd')
    .description('set the password with which your own XMPP clients log in at your peer')
    .option('--state <dir>', 'where the peer keeps its key, certificate and stored values')
    .addOption(new Option('--overlay <name>', 'the overlay, a domain').default(DEFAULT_OVERLAY))
    .option('--password-stdin', 'read the password from the first line of stdin')
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLES)
    .action(setPassword);
}

async function setPassword(options: PasswdOptions): Promise<void> {
  if (options.passwordStdin !== true) {
    throw usageError('give the password with --password-stdin; a terminal asks for it');
  }
  const state = peerStateDirectory(options.overlay, options.state);
  await setLocalPassword(state, await readPasswordFromStdin('password'));
  if (options.json === true) printJson({ state });
  else printLine(`The password is set in ${state}. A peer that runs there takes it from now on.`);
}

const EXAMPLES = `
A client that has a certificate of the user needs no password. This one is known to
the peer alone: it is not that of the account at the certificate authority.

Examples:
  xor passwd --password-stdin
  xor passwd --state ./peer --password-stdin < password.txt`;
