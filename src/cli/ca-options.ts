import { dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { type PassphraseOptions, withPassphraseOption } from './passphrase-input.ts';
import { sandboxStateDirectory } from './state-paths.ts';

export interface AuthorityOptions extends PassphraseOptions {
  readonly state?: string;
  readonly database?: string;
  readonly json?: boolean;
}

/** The options of every `xor ca` command. */
export function withAuthorityOptions(command: Command): Command {
  return withPassphraseOption(command)
    .option('--state <dir>', 'where the authority keeps its keys and its ledger')
    .option(
      '--database <url>',
      'postgres://USER@HOST/DATABASE has the ledger, for several processes',
    )
    .option('--json', 'print JSON');
}

/** `$XDG_STATE_HOME/xor/ca`, beside the sandbox's, unless `--state` names another place. */
export function authorityStateDirectory(given: string | undefined): string {
  return given === undefined
    ? join(dirname(sandboxStateDirectory(undefined)), 'ca')
    : resolve(given);
}

/** Help text: one command line for each of `lines`. */
export function caExamples(...lines: string[]): string {
  return `\nExamples:\n${lines.map((line) => `  xor ca ${line}`).join('\n')}`;
}
