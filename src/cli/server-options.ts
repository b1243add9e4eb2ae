import { type Command, Option } from 'commander';
import type { ServerConnection } from '../host/xmpp/account/server-connection.ts';
import { usageError } from './operator-error.ts';
import { readOptionFile } from './option-file.ts';
import { readBareAddress } from './option-readers.ts';
import { readPasswordFromStdin } from './password-input.ts';

/** The options by which a command logs in to an account at its XMPP server. */
export interface ServerOptions {
  readonly account?: string;
  readonly server?: ServerPlace;
  readonly directTls?: boolean;
  readonly serverTrust?: string;
  readonly passwordStdin?: boolean;
  readonly certificate?: string;
  readonly key?: string;
}

export interface ServerPlace {
  readonly host: string;
  /** Undefined: the usual one. */
  readonly port: number | undefined;
}

export function withServerOptions(command: Command): Command {
  return command
    .addOption(new Option('--account <jid>', 'log in to this account').argParser(readBareAddress))
    .addOption(
      new Option(
        '--server <host[:port]>',
        'at this server (default: what its domain says)',
      ).argParser(readPlace),
    )
    .option('--direct-tls', 'it begins with TLS at once')
    .option('--server-trust <file>', 'PEM certificates to trust in place of those of the system')
    .option('--password-stdin', 'read the password from the first line of stdin')
    .option('--certificate <file>', 'log in with this PEM certificate, by SASL EXTERNAL')
    .option('--key <file>', 'PEM key of that certificate');
}

/** Logs in. Throws OperatorError for options that do not suffice. */
export async function openFromOptions(options: ServerOptions): Promise<ServerConnection> {
  const { account, server, directTls, serverTrust, passwordStdin, certificate, key } = options;
  if (account === undefined) throw usageError('name the account with --account');
  if ((certificate === undefined) !== (key === undefined)) {
    throw usageError('--certificate and --key belong together');
  }
  if (certificate === undefined && passwordStdin !== true) {
    throw usageError('log in with --password-stdin, or with --certificate and --key');
  }
  const trust =
    serverTrust === undefined ? undefined : await readOptionFile(serverTrust, '--server-trust');
  const { openServerConnection } = await import('../host/xmpp/account/server-connection.ts');
  return openServerConnection({
    jid: account,
    server: server?.host,
    port: server?.port,
    tls: directTls === true ? 'direct' : 'starttls',
    ...(trust === undefined ? {} : { caCertificates: [trust] }),
    credentials: {
      ...(passwordStdin === true
        ? { password: await readPasswordFromStdin(`password of ${account}`) }
        : {}),
      ...(certificate === undefined || key === undefined
        ? {}
        : {
            certificate: {
              certificate: await readOptionFile(certificate, '--certificate'),
              privateKey: await readOptionFile(key, '--key'),
            },
          }),
    },
  });
}

/** `host`, `host:port`, or an IPv6 address in brackets. */
export function readPlace(text: string): ServerPlace {
  const [, host = '', port] = PLACE.exec(text) ?? [];
  const number = port === undefined ? undefined : Number(port);
  if (host === '' || (number !== undefined && (number < 1 || number > PORT_MAX))) {
    throw usageError(`"${text}" is no host, or host:port; write an IPv6 address in brackets`);
  }
  return { host: host.replace(/^\[|\]$/g, ''), port: number };
}

const PLACE = /^(\[[0-9A-Fa-f:.]+\]|[^:[\]]+)(?::(\d{1,5}))?$/;
const PORT_MAX = 65_535;
