import { readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { Command, Option } from 'commander';
import type { AuthorityAdminClient } from '../host/authority/admin-channel.ts';
import type { ComponentStatus } from '../host/authority/component/component-link.ts';
import type { ComponentOptions } from '../host/authority/component/component-place.ts';
import { createLog, LOG_LEVELS, type LogLevel } from '../host/log.ts';
import { formatSocketAddress, type SocketAddress } from '../host/socket-address.ts';
import {
  type AuthorityOptions,
  authorityStateDirectory,
  caExamples,
  withAuthorityOptions,
} from './ca-options.ts';
import { OperatorError, usageError } from './operator-error.ts';
import { readSocketAddress } from './option-readers.ts';
import { passphraseOf } from './passphrase-input.ts';
import { StopSignal } from './stop-signal.ts';
import { printJson, printLine } from './terminal-output.ts';

interface ComponentCommandOptions extends AuthorityOptions {
  readonly jid: string;
  readonly server: SocketAddress;
  readonly secretFile: string;
  readonly serverCa?: string;
  readonly trustServer?: boolean;
  readonly listen: SocketAddress;
  readonly logLevel: LogLevel;
}

/** What `xor ca serve` says of a component. */
export interface ServedComponentOptions {
  readonly component?: string;
  readonly componentServer?: SocketAddress;
  readonly componentSecretFile?: string;
  readonly componentServerCa?: string;
  readonly componentTrustServer?: boolean;
}

/** `xor ca component`: takes requests over XMPP until SIGINT or SIGTERM. */
export function caComponentCommand(): Command {
  return withAuthorityOptions(new Command('component'))
    .description('take requests over XMPP, as a component of a server (XEP-0417, XEP-0114)')
    .requiredOption('--jid <domain>', 'the component: what the certificate of the authority names')
    .addOption(
      new Option('--server <host:port>', 'where the XMPP server takes components')
        .argParser(readSocketAddress)
        .makeOptionMandatory(),
    )
    .requiredOption('--secret-file <file>', 'its first line is the secret shared with the server')
    .option(
      '--server-ca <file>',
      'PEM certificates that the server is trusted by; TLS also on this machine',
    )
    .option('--trust-server', 'issue without a challenge: the server alone says who asks')
    .addOption(
      new Option('--listen <host:port>', 'for HTTPS, unless the authority serves already')
        .argParser(readSocketAddress)
        .default(LISTEN_DEFAULT, formatSocketAddress(LISTEN_DEFAULT)),
    )
    .addOption(new Option('--log-level <level>', 'on stderr').choices(LOG_LEVELS).default('info'))
    .addHelpText(
      'after',
      caExamples(
        'component --server 127.0.0.1:5347 --jid ca.shakespeare.lit --secret-file ./secret',
        'component --server xmpp.shakespeare.lit:5348 --jid ca.shakespeare.lit \\\n' +
          '      --secret-file ./secret --listen 0.0.0.0:8443 --json',
      ),
    )
    .action(attach);
}

/** The options of `xor ca serve` for the same. */
export function withServedComponentOptions(command: Command): Command {
  return command
    .option('--component <domain>', 'take requests over XMPP too, as this component (XEP-0417)')
    .addOption(
      new Option(
        '--component-server <host:port>',
        'where the XMPP server takes components; TLS, unless it is this machine',
      ).argParser(readSocketAddress),
    )
    .option('--component-secret-file <file>', 'its first line is the secret shared with it')
    .option(
      '--component-server-ca <file>',
      'PEM certificates that the server is trusted by; TLS also on this machine',
    )
    .option(
      '--component-trust-server',
      'issue without a challenge: the server alone says who asks',
    );
}

/** The component that `xor ca serve` is to be; undefined: none. */
export async function servedComponent(
  options: ServedComponentOptions,
): Promise<ComponentOptions | undefined> {
  const { component, componentServer, componentSecretFile } = options;
  const { componentServerCa, componentTrustServer } = options;
  const others = [componentServer, componentSecretFile, componentServerCa, componentTrustServer];
  if (component === undefined) {
    if (others.every((given) => given === undefined)) return undefined;
    throw usageError('what the component is called is missing; give --component');
  }
  if (componentServer === undefined || componentSecretFile === undefined) {
    throw usageError('--component needs --component-server and --component-secret-file');
  }
  return readComponent({
    jid: component,
    server: componentServer,
    secretFile: componentSecretFile,
    serverCa: componentServerCa,
    trustServer: componentTrustServer,
  });
}

/** Tells that the server routes stanzas from now on. */
export function tellAttached(jid: string, isJson: boolean): void {
  if (isJson) printJson({ event: 'attached', component: jid });
  else printLine(`requests over XMPP: ${jid}`);
}

async function attach(options: ComponentCommandOptions): Promise<void> {
  const { AuthorityAdminClient } = await import('../host/authority/admin-channel.ts');
  const component = await readComponent(options);
  const stop = new StopSignal();
  const running = await AuthorityAdminClient.connect(authorityStateDirectory(options.state));
  if (running === undefined) await serveComponent(options, component, stop);
  else await attachRunning(running, component, options.json === true, stop);
}

/** The authority runs: it becomes the component for as long as this command does. */
async function attachRunning(
  running: AuthorityAdminClient,
  component: ComponentOptions,
  isJson: boolean,
  stop: StopSignal,
): Promise<void> {
  await running.attachComponent(component);
  try {
    let before: Partial<ComponentStatus> = {};
    while (!stop.signal.aborted) {
      const now = await statusOf(running);
      if (now.isAttached === undefined) {
        throw new OperatorError('the authority is no component any more: somebody else ended it');
      }
      if (now.isAttached && before.isAttached !== true) tellAttached(component.jid, isJson);
      if (now.reason !== undefined && now.reason !== before.reason) {
        process.stderr.write(`xor: not attached, it is tried again: ${now.reason}\n`);
      }
      before = now;
      await wait(STATUS_MS, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  } finally {
    await running.detachComponent().catch(() => undefined);
  }
}

async function statusOf(running: AuthorityAdminClient): Promise<Partial<ComponentStatus>> {
  try {
    return await running.componentStatus();
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (!['ENOENT', 'ECONNREFUSED', 'ECONNRESET'].includes(code)) throw error;
    throw new OperatorError('the authority has ended, and with it its component; serve it again');
  }
}

/** The authority does not run: it is served here. */
async function serveComponent(
  options: ComponentCommandOptions,
  component: ComponentOptions,
  stop: StopSignal,
): Promise<void> {
  const { startAuthority } = await import('../host/authority/authority-server.ts');
  const authority = await startAuthority({
    stateDirectory: authorityStateDirectory(options.state),
    database: options.database,
    passphrase: passphraseOf(options),
    listen: options.listen,
    component,
    log: createLog(options.logLevel),
  });
  try {
    const { url } = authority;
    if (options.json === true) printJson({ event: 'listening', url });
    else printLine(`the authority serves at ${url}; Ctrl-C stops it`);
    await Promise.race([authority.componentAttached(), stop.wait()]);
    if (!stop.signal.aborted) tellAttached(component.jid, options.json === true);
    await stop.wait();
  } finally {
    await authority.close();
  }
}

interface GivenComponent {
  readonly jid: string;
  readonly server: SocketAddress;
  readonly secretFile: string;
  readonly serverCa?: string | undefined;
  readonly trustServer?: boolean | undefined;
}

async function readComponent(given: GivenComponent): Promise<ComponentOptions> {
  const { jid, server, secretFile, serverCa, trustServer = false } = given;
  const [secret = ''] = (await readFile(secretFile, 'utf8')).split(/\r?\n/);
  if (secret === '') throw usageError(`the first line of ${secretFile} is empty; write the secret`);
  const serverTrust = serverCa === undefined ? undefined : await readFile(serverCa, 'utf8');
  return { jid, server, secret, serverTrust, trustsServer: trustServer };
}

const LISTEN_DEFAULT: SocketAddress = { host: '127.0.0.1', port: 8443 };
const STATUS_MS = 300;
