import type { Command } from 'commander';
import type { AuthorityOperations } from '../host/authority/authority.ts';
import { authorityStateDirectory } from './ca-options.ts';
import { type PassphraseOptions, passphraseOf, withPassphraseOption } from './passphrase-input.ts';

/** Which authority signs or publishes. */
export interface ConfigAuthorityOptions extends PassphraseOptions {
  readonly state?: string;
  readonly database?: string;
}

/** The options of every `xor config` command that asks an authority. */
export function withConfigAuthority(command: Command): Command {
  return withPassphraseOption(command)
    .option('--state <dir>', 'state directory of the authority, which may be running')
    .option('--database <url>', 'postgres://USER@HOST/DATABASE that has its ledger');
}

/** The authority itself, or its admin channel while it runs; its modules are loaded now. */
export async function withConfigured<Result>(
  options: ConfigAuthorityOptions,
  use: (authority: AuthorityOperations) => Promise<Result>,
): Promise<Result> {
  const { withAuthority } = await import('../host/authority/access.ts');
  return withAuthority(authorityStateDirectory(options.state), use, {
    passphrase: passphraseOf(options),
    database: options.database,
  });
}

export function configExamples(...lines: string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ xor ${line}`).join('\n')}`;
}
