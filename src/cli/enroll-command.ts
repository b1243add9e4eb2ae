import { Command, Option } from 'commander';
import { KEY_TYPES } from '../host/enrollment/enrollment-key.ts';
import type { XmppEnrollmentState } from '../host/enrollment/xmpp-enrollment-state.ts';
import { enroll, listAuthorities, reportHeld, revoke } from './enroll-actions.ts';
import type { EnrollOptions } from './enroll-options.ts';
import { OperatorError, usageError } from './operator-error.ts';
import { readOptionFile } from './option-file.ts';
import { readBareAddress, readNumber } from './option-readers.ts';
import { openFromOptions, withServerOptions } from './server-options.ts';
import { DEFAULT_OVERLAY, peerStateDirectory } from './state-paths.ts';

/** `xor enroll --xmpp`: the certificate of a peer, over the user's ordinary XMPP account. */
export function enrollCommand(): Command {
  return withServerOptions(new Command('enroll'))
    .description('get the certificate of a peer over XMPP (XEP-0417), for `xor peer` to use')
    .option('--xmpp', 'over XMPP; over HTTPS `xor peer --user` enrolls by itself')
    .option('--state <dir>', 'where the peer keeps its key, certificate and stored values')
    .addOption(new Option('--overlay <name>', 'the overlay, a domain').default(DEFAULT_OVERLAY))
    .option('--config-url <url>', 'the configuration document (default: that of the overlay)')
    .option('--trust <file>', 'PEM certificates to trust for HTTPS beside those of the system')
    .addOption(
      new Option(
        '--authority <domain>',
        'ask this one (default: one that the server trusts too)',
      ).argParser(readBareAddress),
    )
    .addOption(
      new Option('--name <name>', 'what the device is called, such as "Laptop"').argParser(
        readName,
      ),
    )
    .addOption(new Option('--key-type <type>', 'of a new key').choices(KEY_TYPES).default('p256'))
    .addOption(
      new Option('--challenge-minutes <n>', 'for how long to wait for you to solve a challenge')
        .argParser(readNumber(1, 1_440))
        .default(30),
    )
    .option('--publish', 'show the certificate to contacts, as a personal event of the account')
    .option('--new-request', 'give up the request that is under way, and its key')
    .option('--list-authorities', 'only show whom you can ask')
    .option('--revoke', 'have the certificate revoked, for instance of a device that you give away')
    .option('--json', 'one JSON document a line; the last one is the result')
    .addHelpText('after', EXAMPLES)
    .action(run);
}

async function run(options: EnrollOptions): Promise<void> {
  if (options.xmpp !== true) {
    throw usageError('say --xmpp; over HTTPS `xor peer --user` enrolls by itself');
  }
  const { account } = options;
  if (account === undefined) throw usageError('name the account with --account');
  const { openXmppEnrollment } = await import('../host/enrollment/xmpp-enrollment-state.ts');
  const trust =
    options.trust === undefined ? undefined : await readOptionFile(options.trust, '--trust');
  const state = await openXmppEnrollment({
    stateDirectory: peerStateDirectory(options.overlay, options.state),
    overlayName: options.overlay,
    configuration: {
      from: 'https',
      ...(options.configUrl === undefined ? {} : { url: options.configUrl }),
      ...(trust === undefined ? {} : { trustedCertificates: trust }),
    },
  });
  try {
    await act(state, options, account);
  } finally {
    await state.close();
  }
}

async function act(
  state: XmppEnrollmentState,
  options: EnrollOptions,
  account: string,
): Promise<void> {
  const isHeld = (state.heldUntilUnixMs ?? 0) >= Date.now();
  const isOther = options.revoke === true || options.listAuthorities === true;
  if (options.revoke === true && state.held === undefined) {
    throw new OperatorError(`${state.stateDirectory} holds no certificate to revoke`);
  }
  if (isHeld && !isOther && options.publish !== true) return reportHeld(state, options);
  const connection = await openFromOptions(options);
  try {
    const session = { state, connection, options, account };
    if (options.listAuthorities === true) await listAuthorities(session);
    else if (options.revoke === true) await revoke(session);
    else await enroll(session, isHeld);
  } finally {
    await connection.close();
  }
}

/** A longer one would be refused, and the request would have it for good. */
function readName(text: string): string {
  if (text !== '' && text.length <= NAME_LENGTH_MAX) return text;
  throw usageError(`--name has 1 to ${NAME_LENGTH_MAX} characters`);
}

const NAME_LENGTH_MAX = 256;
const EXAMPLES = `
The authority may want you to solve a challenge: its page is shown, and nothing opens
it but you. Until there is a certificate, the same request is sent again, also after a
crash: run the command again.

Examples:
  $ xor enroll --xmpp --account romeo@montague.lit --password-stdin --name Laptop
  $ xor enroll --xmpp --account romeo@montague.lit --password-stdin \\
      --server 10.0.0.1:5222 --server-trust server.pem --authority ca.shakespeare.lit
  $ xor enroll --xmpp --account romeo@montague.lit --password-stdin --list-authorities
  $ xor enroll --xmpp --account romeo@montague.lit --password-stdin --revoke`;
