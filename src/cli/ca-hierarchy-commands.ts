import { readFile, writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { tellOfAuthority } from './ca-init-command.ts';
import {
  type AuthorityOptions,
  authorityStateDirectory,
  caExamples,
  withAuthorityOptions,
} from './ca-options.ts';
import { usageError } from './operator-error.ts';
import { passphraseOf } from './passphrase-input.ts';
import { printJson, printLine } from './terminal-output.ts';

interface SignOptions extends AuthorityOptions {
  readonly domain?: string;
  readonly anyDomain?: boolean;
  readonly out?: string;
}

/** `xor ca sign-authority`: certifies an authority below this one. */
export function caSignAuthorityCommand(): Command {
  return withAuthorityOptions(new Command('sign-authority'))
    .description(
      'certify an authority below this one; prints its certificates, for xor ca complete',
    )
    .argument('<request>', 'file that xor ca init --request wrote')
    .option('--domain <domain>', 'it may certify users of this domain and nobody else')
    .option('--any-domain', 'it may certify whomever this authority may')
    .option('--out <file>', 'write the certificates there')
    .addHelpText(
      'after',
      caExamples(
        'sign-authority authority-request.pem --domain shakespeare.lit --out certificates.pem',
        'sign-authority authority-request.pem --any-domain > certificates.pem',
      ),
    )
    .action(async (request: string, options: SignOptions) => {
      if ((options.domain === undefined) === (options.anyDomain !== true)) {
        throw usageError('say what it may certify: --domain DOMAIN or --any-domain');
      }
      const { signAuthorityRequest } = await import('../host/authority/subordinate.ts');
      const parent = {
        stateDirectory: authorityStateDirectory(options.state),
        database: options.database,
        passphrase: passphraseOf(options),
      };
      const text = await readFile(request, 'utf8');
      const certificates = await signAuthorityRequest(parent, text, options.domain);
      if (options.out !== undefined) await writeFile(options.out, certificates);
      if (options.json === true) printJson({ event: 'certified', certificates });
      else if (options.out === undefined) printLine(certificates.trimEnd());
    });
}

/** `xor ca complete`: gives an authority the certificates that the one above made. */
export function caCompleteCommand(): Command {
  return withAuthorityOptions(new Command('complete'))
    .description('take the certificates that the authority above made, first or anew')
    .argument('<certificates>', 'file that xor ca sign-authority printed')
    .addHelpText('after', caExamples('complete certificates.pem --state ./ca-far'))
    .action(async (file: string, options: AuthorityOptions) => {
      const { completeSubordinate } = await import('../host/authority/subordinate.ts');
      const passphrase = passphraseOf(options);
      const stateDirectory = authorityStateDirectory(options.state);
      const text = await readFile(file, 'utf8');
      const made = await completeSubordinate(stateDirectory, text, { passphrase });
      tellOfAuthority(made, passphrase !== undefined, options);
    });
}
