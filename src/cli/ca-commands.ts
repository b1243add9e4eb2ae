import { randomBytes } from 'node:crypto';
import { Command, InvalidArgumentError, Option } from 'commander';
import {
  type RevocationReason,
  revocationReasonCodes,
  revocationReasonOf,
} from '../ca/revocation-reason.ts';
import type { AuthorityOperations } from '../host/authority/authority.ts';
import type { CertificateSummary } from '../host/authority/listing.ts';
import { caAuditCommand } from './ca-audit-commands.ts';
import { caComponentCommand } from './ca-component-command.ts';
import { caCompleteCommand, caSignAuthorityCommand } from './ca-hierarchy-commands.ts';
import { caInitCommand } from './ca-init-command.ts';
import { caLedgerCommand } from './ca-ledger-command.ts';
import {
  type AuthorityOptions,
  authorityStateDirectory,
  caExamples,
  withAuthorityOptions,
} from './ca-options.ts';
import { caServeCommand } from './ca-serve-commands.ts';
import { usageError } from './operator-error.ts';
import { readNumber } from './option-readers.ts';
import { passphraseOf } from './passphrase-input.ts';
import { readPasswordFromStdin } from './password-input.ts';
import { printJson, printLine, printTable } from './terminal-output.ts';

/** `xor ca`: a certificate authority of an overlay, its accounts and certificates. */
export function caCommand(): Command {
  const command = new Command('ca')
    .description('a certificate authority: configuration, enrollment, revocation')
    .addHelpText(
      'after',
      caExamples(
        'init --https-name ca.example.org',
        'user add juliet@example.org',
        'serve --listen 0.0.0.0:8443 --bootstrap 192.0.2.1:6084',
      ),
    );
  const commands = [
    caInitCommand(),
    caServeCommand(),
    caComponentCommand(),
    userCommand(),
    listCommand(),
    revokeCommand(),
    caSignAuthorityCommand(),
    caCompleteCommand(),
    caAuditCommand(),
    caLedgerCommand(),
  ];
  for (const inner of commands) command.addCommand(inner);
  return command;
}

interface UserOptions extends AuthorityOptions {
  readonly passwordStdin?: boolean;
  readonly devicesMax?: number;
}

function userCommand(): Command {
  return new Command('user')
    .description('accounts: who may enroll devices')
    .addHelpText(
      'after',
      caExamples('user add juliet@example.org', 'user remove juliet@example.org'),
    )
    .addCommand(userAddCommand())
    .addCommand(userUpdateCommand())
    .addCommand(userRemoveCommand());
}

function userAddCommand(): Command {
  return withUserOptions('add', 'a new account; without --password-stdin one is made and printed')
    .addHelpText(
      'after',
      caExamples(
        'user add juliet@example.org',
        'user add juliet@example.org --password-stdin --devices-max 3 < password-file',
      ),
    )
    .action(async (jid: string, options: UserOptions) => {
      const isGiven = options.passwordStdin === true;
      const password = isGiven ? await readPassword(jid) : newPassword();
      const account = await withState(options, (authority) =>
        authority.addUser(jid, password, options.devicesMax),
      );
      if (options.json === true) {
        printJson(isGiven ? account : { ...account, password });
        return;
      }
      printLine(`${account.jid} may enroll up to ${account.devicesMax} devices`);
      if (!isGiven) printLine(`password: ${password}`);
    });
}

function userUpdateCommand(): Command {
  return withUserOptions('update', 'another password or device limit; devices stay')
    .addHelpText('after', caExamples('user update juliet@example.org --devices-max 12'))
    .action(async (jid: string, options: UserOptions) => {
      const { devicesMax } = options;
      if (devicesMax === undefined && options.passwordStdin !== true) {
        throw usageError('nothing to change: give --password-stdin or --devices-max');
      }
      const password = options.passwordStdin === true ? await readPassword(jid) : undefined;
      const account = await withState(options, (authority) =>
        authority.updateUser(jid, { password, devicesMax }),
      );
      if (options.json === true) printJson(account);
      else printLine(`${account.jid} may enroll up to ${account.devicesMax} devices`);
    });
}

function userRemoveCommand(): Command {
  return withAuthorityOptions(new Command('remove'))
    .description('remove an account and revoke all its certificates')
    .argument('<jid>', 'XMPP address of the account')
    .addHelpText('after', caExamples('user remove juliet@example.org'))
    .action(async (jid: string, options: AuthorityOptions) => {
      const revoked = await withState(options, (authority) => authority.removeUser(jid));
      if (options.json === true) printJson({ jid, certificates: revoked });
      else printLine(`${jid} is removed; its ${revoked.length} certificates are revoked`);
    });
}

function listCommand(): Command {
  return withAuthorityOptions(new Command('list'))
    .description('accounts and certificates')
    .addHelpText('after', caExamples('list', 'list --json'))
    .action(async (options: AuthorityOptions) => {
      const listing = await withState(options, (authority) => authority.list());
      if (options.json === true) {
        printJson(listing);
        return;
      }
      printTable(
        ['ACCOUNT', 'DEVICES'],
        listing.accounts.map(({ jid, devices, devicesMax }) => [jid, `${devices}/${devicesMax}`]),
      );
      printLine();
      printCertificates(listing.certificates);
      if (listing.authorities.length === 0) return;
      printLine();
      printTable(
        ['AUTHORITY', 'STATUS', 'NOT AFTER', 'SERIAL NUMBER'],
        listing.authorities.map(({ authority = '', status, reason, notAfter, serialNumber }) => [
          authority,
          reason === undefined ? status : `${status} (${reason})`,
          notAfter,
          serialNumber,
        ]),
      );
    });
}

function revokeCommand(): Command {
  return withAuthorityOptions(new Command('revoke'))
    .description('revoke the certificates of a device, or one of them, for good')
    .argument('<node-id|serial>', 'Node-ID in any form, or the serial number of a certificate')
    .addOption(
      new Option('--reason <reason>', Object.keys(revocationReasonCodes).join(', '))
        .argParser(readReason)
        .default('unspecified'),
    )
    .addHelpText(
      'after',
      caExamples('revoke 6f1d8c0a2b4e4f7d9a3c5e7f91b3d5f7 --reason keyCompromise'),
    )
    .action(async (target: string, options: AuthorityOptions & { reason: RevocationReason }) => {
      const revoked = await withState(options, (authority) =>
        authority.revoke(target, options.reason),
      );
      if (options.json === true) printJson(revoked);
      else if (revoked.length === 0) printLine('it was revoked before; nothing has changed');
      else printCertificates(revoked);
    });
}

function withUserOptions(name: string, description: string): Command {
  return withAuthorityOptions(new Command(name))
    .description(description)
    .argument('<jid>', 'XMPP address of the account')
    .option('--password-stdin', 'read the password from the first line of stdin')
    .option(
      '--devices-max <n>',
      'devices with a certificate in force (default 8)',
      readNumber(1, 1000),
    );
}

/** The host's part is loaded when it is needed: it takes longer than everything else of `xor`. */
async function withState<Result>(
  options: AuthorityOptions,
  use: (authority: AuthorityOperations) => Promise<Result>,
): Promise<Result> {
  const { withAuthority } = await import('../host/authority/access.ts');
  return withAuthority(authorityStateDirectory(options.state), use, {
    passphrase: passphraseOf(options),
    database: options.database,
  });
}

function readPassword(jid: string): Promise<string> {
  return readPasswordFromStdin(`Password for ${jid}`);
}

/** 144 bits, to be copied by hand at most once. */
function newPassword(): string {
  return randomBytes(18).toString('base64url');
}

function readReason(text: string): RevocationReason {
  const reason = revocationReasonOf(text);
  if (reason !== undefined) return reason;
  throw new InvalidArgumentError(
    `expected one of ${Object.keys(revocationReasonCodes).join(', ')}`,
  );
}

function printCertificates(certificates: readonly CertificateSummary[]): void {
  printTable(
    ['NODE-ID', 'JID', 'STATUS', 'NOT AFTER', 'SERIAL NUMBER'],
    certificates.map(({ nodeIds, jid, authority, status, reason, notAfter, serialNumber }) => [
      nodeIds.join(' '),
      authority ?? jid,
      reason === undefined ? status : `${status} (${reason})`,
      notAfter,
      serialNumber,
    ]),
  );
}
