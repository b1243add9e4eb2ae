import { Command } from 'commander';
import type { PublicationSummary } from '../host/authority/configuration-publisher.ts';
import { ApiClient, type ApiClientOptions, withApiOptions } from './api-client.ts';
import {
  type ConfigAuthorityOptions,
  configExamples,
  withConfigAuthority,
  withConfigured,
} from './config-authority.ts';
import { readInput } from './config-document-file.ts';
import { printJson, printLine } from './terminal-output.ts';

interface PublishOptions extends ConfigAuthorityOptions {
  readonly replace?: boolean;
  readonly json?: boolean;
}

/** `xor config publish`: an authority serves the document from now on. */
export function publishCommand(): Command {
  const command = new Command('publish')
    .description('put a signed document in force at an authority, running or not')
    .argument('<file>', 'the document; - is stdin');
  return withConfigAuthority(command)
    .option(
      '--replace',
      'also if it does not follow the present one: on your word, not on a signature',
    )
    .option('--json', 'one JSON document')
    .addHelpText(
      'after',
      configExamples(
        'config publish next.xml --state ca',
        'config publish shared.xml --state second-ca --replace',
      ),
    )
    .action(async (file: string, options: PublishOptions) => {
      const document = Buffer.from(await readInput(file)).toString('utf8');
      const published = await withConfigured(options, (authority) =>
        authority.publishConfiguration(document, options.replace === true),
      );
      if (options.json === true) printJson(published);
      else tell(published);
    });
}

/** `xor config refresh`: a running peer asks its server now, and so spreads what is new. */
export function refreshCommand(): Command {
  return withApiOptions(new Command('refresh'))
    .description('have a running peer ask the configuration server now; it tells all others')
    .option('--json', 'one JSON document')
    .addHelpText('after', configExamples('config refresh --state ./juliet'))
    .action(async (options: ApiClientOptions & { readonly json?: boolean }) => {
      const api = await ApiClient.open(options);
      const answer = (await api.ask('POST', '/v1/configuration/refresh')) as { sequence: number };
      if (options.json === true) printJson(answer);
      else printLine(`sequence ${answer.sequence} is in force there`);
    });
}

function tell({ sequence, signer, isUnchanged, warnings }: PublicationSummary): void {
  const before = isUnchanged ? ' as before' : '';
  printLine(`sequence ${sequence} is in force${before}, signed by ${signer}`);
  for (const warning of warnings) process.stderr.write(`xor: ${warning}\n`);
  if (isUnchanged) return;
  printLine('peers ask within a day and tell each other; at once after xor config refresh at one');
}
