import { Command } from 'commander';
import { ApiClient, type ApiClientOptions, withApiOptions } from './api-client.ts';
import { OperatorError, usageError } from './operator-error.ts';
import { printJson, printLine } from './terminal-output.ts';

/** `xor send`: one message through the running peer. */
export function sendCommand(): Command {
  const description =
    'send one message through the running peer; exit 0 when a device of the addressee has it, ' +
    'or, with --account of the peer, the server';
  return withApiOptions(new Command('send').description(description))
    .argument('<jid>', 'XMPP address')
    .argument('<text>', 'the message')
    .option('--json', 'one JSON document')
    .addHelpText('after', '\nExample:\n  $ xor send juliet@example.org "But soft"')
    .action(send);
}

async function send(
  jid: string,
  text: string,
  options: ApiClientOptions & { readonly json?: boolean },
): Promise<void> {
  if (!jid.includes('@')) throw usageError(`"${jid}" is no XMPP address (local@domain)`);
  if (text === '') throw usageError('the message is empty');
  const api = await ApiClient.open(options);
  const answer = await api.ask('POST', '/v1/messages', { to: jid, text });
  if (options.json === true) printJson(answer);
  const state = typeof answer === 'object' && answer !== null && 'state' in answer && answer.state;
  if (state !== 'acknowledged' && state !== 'server') {
    throw new OperatorError(
      `no device of ${jid} has acknowledged the message so far; the peer goes on trying`,
    );
  }
  if (options.json === true) return;
  const isAtServer = state === 'server';
  printLine(isAtServer ? 'your own server has it, and delivers it' : `a device of ${jid} has it`);
}
