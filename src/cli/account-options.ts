import { type Command, Option } from 'commander';
import type { AccountJoinOptions } from '../host/xmpp/account/open-account.ts';
import type { SignedStanzaPolicy } from '../xmpp/signed-stanzas/signed-stanzas.ts';
import { OperatorError, usageError } from './operator-error.ts';
import { readOptionFile } from './option-file.ts';
import { readBareAddress } from './option-readers.ts';
import { readPlace, type ServerPlace } from './server-options.ts';

/** What `xor peer` takes for the account at an ordinary server (XEP-0415 §8). */
export interface AccountOptions {
  readonly account?: string;
  readonly server?: ServerPlace;
  readonly accountPasswordFile?: string;
  readonly accountCa?: string;
  readonly accountDirectTls?: boolean;
  readonly primary?: 'overlay' | 'server';
  readonly signedStanzas?: SignedStanzaPolicy;
}

export function withAccountOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--account <jid>',
        'also be logged in to this account at its XMPP server: your own address',
      ).argParser(readBareAddress),
    )
    .addOption(
      new Option(
        '--server <host[:port]>',
        'where that server is (default: what the domain of the account says)',
      ).argParser(readPlace),
    )
    .option('--account-password-file <file>', 'its password, on the first line')
    .option('--account-ca <file>', 'PEM certificates to trust there instead of those of the system')
    .option('--account-direct-tls', 'it begins with TLS at once, without STARTTLS')
    .addOption(
      new Option(
        '--primary <way>',
        'which way messages take first, with --account (default: overlay)',
      ).choices(['overlay', 'server']),
    )
    .addOption(
      new Option(
        '--signed-stanzas <policy>',
        'what goes over the server: take nothing unsigned from who has a certificate, ' +
          'sign it (default), or leave it unsigned',
      ).choices(['require', 'prefer', 'off']),
    );
}

/** Undefined: there is no account. Reads the files that the options name. */
export async function accountJoinOptions(
  options: AccountOptions,
): Promise<AccountJoinOptions | undefined> {
  const { account, server, accountPasswordFile, accountCa, accountDirectTls, primary } = options;
  const { signedStanzas } = options;
  if (account === undefined) {
    const given = [
      server,
      accountPasswordFile,
      accountCa,
      accountDirectTls,
      primary,
      signedStanzas,
    ];
    if (given.every((value) => value === undefined)) return undefined;
    throw usageError('name the account with --account: the other options are about it');
  }
  const password =
    accountPasswordFile === undefined
      ? undefined
      : await firstLine(accountPasswordFile, '--account-password-file');
  return {
    jid: account,
    server: server?.host,
    port: server?.port,
    tls: accountDirectTls === true ? 'direct' : 'starttls',
    password,
    caCertificates:
      accountCa === undefined ? undefined : await readOptionFile(accountCa, '--account-ca'),
    primary,
    signedStanzas,
  };
}

async function firstLine(path: string, option: string): Promise<string> {
  const [line = ''] = (await readOptionFile(path, option)).split(/\r?\n/);
  if (line !== '') return line;
  throw new OperatorError(`the first line of ${path}, which ${option} names, holds no password`);
}
