import { Command, Option } from 'commander';
import { PeerApi } from '../host/http-api/peer-api.ts';
import type { JoinOptions } from '../host/join-options.ts';
import { openPeer } from '../host/join-overlay.ts';
import { createLog, LOG_LEVELS, type Log, type LogLevel } from '../host/log.ts';
import type { PeerHost } from '../host/peer-host.ts';
import { formatSocketAddress, type SocketAddress } from '../host/socket-address.ts';
import type { RevocationPolicy } from '../tls-auth/revocation-check.ts';
import { type AccountOptions, accountJoinOptions, withAccountOptions } from './account-options.ts';
import { OperatorError, usageError } from './operator-error.ts';
import { readOptionFile } from './option-file.ts';
import { readHttpsUrl, readNumber, readSocketAddress } from './option-readers.ts';
import { readPasswordFromStdin } from './password-input.ts';
import { DEFAULT_OVERLAY, peerStateDirectory } from './state-paths.ts';
import { StopSignal } from './stop-signal.ts';
import { printJson, printLine } from './terminal-output.ts';
import { withXmppOptions, type XmppOptions, xmppJoinOptions, xmppReport } from './xmpp-options.ts';

interface PeerCommandOptions extends XmppOptions, AccountOptions {
  readonly state?: string;
  readonly overlay: string;
  readonly configUrl?: string;
  readonly trust?: string;
  readonly user?: string;
  readonly passwordStdin?: boolean;
  readonly enrollmentUrl?: string;
  readonly listen: SocketAddress;
  readonly advertise?: SocketAddress;
  readonly first?: boolean;
  readonly client?: boolean;
  readonly lookupReplicas?: number;
  readonly lookupPaths?: number;
  readonly api: SocketAddress;
  readonly apiCertificate?: string;
  readonly apiKey?: string;
  readonly revocation: RevocationPolicy;
  readonly revocationRefresh: number;
  readonly logLevel: LogLevel;
  readonly json?: boolean;
}

/** `xor peer`: runs one peer until SIGINT or SIGTERM. */
export function peerCommand(): Command {
  return withAccountOptions(withXmppOptions(peerOptions(new Command('peer'))))
    .addHelpText('after', EXAMPLES)
    .action(runPeer);
}

function peerOptions(command: Command): Command {
  return command
    .description('run a peer: enroll once, join the overlay, store the certificate, renew it, stay')
    .option('--state <dir>', 'where the peer keeps its key, certificate and stored values')
    .addOption(new Option('--overlay <name>', 'the overlay, a domain').default(DEFAULT_OVERLAY))
    .option('--config-url <url>', 'the configuration document (default: that of the overlay)')
    .option('--trust <file>', 'PEM certificates to trust for HTTPS beside those of the system')
    .option(
      '--user <jid>',
      'enroll as this account, if the state has no certificate or it has ended',
    )
    .option('--password-stdin', 'read its password from the first line of stdin')
    .option(
      '--enrollment-url <url>',
      'where the account is, of several authorities (default: those of the configuration)',
      readHttpsUrl,
    )
    .addOption(listenOption())
    .option('--advertise <host:port>', 'where others reach this peer', readSocketAddress)
    .option('--first', 'be the first peer of a new overlay')
    .option('--client', 'store and fetch, but do not route or store for others')
    .option('--lookup-replicas <n>', 'peers that a lookup asks, up to 9', readNumber(1, 9))
    .option('--lookup-paths <n>', 'first hops over which it asks each, up to 4', readNumber(1, 4))
    .addOption(apiOption())
    .option('--api-certificate <file>', 'PEM certificate of the API, for other than loopback')
    .option('--api-key <file>', 'PEM key of that certificate')
    .addOption(
      new Option(
        '--revocation <mode>',
        'revocation lists: without a current one refuse, or accept until one was seen',
      )
        .choices(['require', 'prefer', 'off'])
        .default('prefer'),
    )
    .addOption(
      new Option('--revocation-refresh <seconds>', 'ask for newer lists at least so often')
        .argParser(readNumber(1, 604_800))
        .default(3600),
    )
    .addOption(new Option('--log-level <level>', 'on stderr').choices(LOG_LEVELS).default('info'))
    .option('--json', 'print {"event":"joined",…} when in the ring');
}

async function runPeer(options: PeerCommandOptions): Promise<void> {
  if ((options.apiCertificate === undefined) !== (options.apiKey === undefined)) {
    throw usageError('--api-certificate and --api-key belong together');
  }
  if (options.first === true && options.client === true) {
    throw usageError('--first makes a peer, --client does not: choose one');
  }
  const log = createLog(options.logLevel);
  const stop = new StopSignal();
  const host = await openPeer(await joinOptions(options, log, stop.signal));
  let api: PeerApi | undefined;
  try {
    api = await PeerApi.open(host, {
      stateDirectory: peerStateDirectory(options.overlay, options.state),
      listen: options.api,
      log,
      ...(await apiTls(options)),
    });
    await stay(host, api, options, stop);
  } finally {
    await host.leave();
    await api?.close();
  }
}

async function stay(
  host: PeerHost,
  api: PeerApi,
  options: PeerCommandOptions,
  stop: StopSignal,
): Promise<void> {
  const ended = new Promise<string>((resolve) => host.once('stopped', resolve));
  try {
    await host.whenJoined(stop.signal);
  } catch (error) {
    if (stop.signal.aborted) return;
    throw error;
  }
  const address = formatSocketAddress(host.listenAddress);
  if (options.json === true) {
    const { nodeId, userName: jid } = host;
    const xmpp = xmppReport(host.xmppListening);
    printJson({ event: 'joined', nodeId, jid, listen: address, api: api.url, ...xmpp });
  } else {
    printLine(`${host.userName} is in the overlay ${options.overlay} as node ${host.nodeId}`);
    printLine(`links at ${address}, API at ${api.url}; Ctrl-C leaves`);
    for (const [name, where] of Object.entries(xmppReport(host.xmppListening))) {
      printLine(`${name} at ${where}`);
    }
  }
  const reason = await Promise.race([stop.wait(), ended]);
  if (reason !== undefined) throw new OperatorError(`the peer has stopped: ${reason}`);
}

/** Where either is asked for, a lookup that is sent again also takes another way. */
function lookupDefences({ lookupReplicas = 1, lookupPaths = 1 }: PeerCommandOptions) {
  if (lookupReplicas === 1 && lookupPaths === 1) return {};
  return { defences: { lookupReplicas, lookupPaths, retryDifferentHop: true } };
}

async function joinOptions(
  options: PeerCommandOptions,
  log: Log,
  signal: AbortSignal,
): Promise<JoinOptions> {
  const { user, trust, configUrl, advertise } = options;
  const certificates = trust === undefined ? undefined : await readOptionFile(trust, '--trust');
  return {
    stateDirectory: peerStateDirectory(options.overlay, options.state),
    overlay: options.overlay,
    configuration: {
      from: 'https',
      ...(configUrl === undefined ? {} : { url: configUrl }),
      ...(certificates === undefined ? {} : { trustedCertificates: certificates }),
    },
    ...(user === undefined ? {} : { identity: enrollment(user, options) }),
    listen: options.listen,
    ...(advertise === undefined ? {} : { advertise }),
    first: options.first === true,
    client: options.client === true,
    revocation: options.revocation,
    revocationRefreshMs: options.revocationRefresh * 1000,
    ...lookupDefences(options),
    ...xmppJoinOptions(options, await accountJoinOptions(options)),
    log,
    signal,
  };
}

/** The password is read only if the state directory holds no certificate yet. */
function enrollment(userName: string, options: PeerCommandOptions) {
  const password = async () => {
    if (options.passwordStdin === true) return readPasswordFromStdin(`password of ${userName}`);
    throw usageError('enrolling needs --password-stdin, the password on the first line of stdin');
  };
  const { enrollmentUrl } = options;
  const place = enrollmentUrl === undefined ? {} : { enrollmentUrl };
  return { from: 'enrollment', userName, password, ...place } as const;
}

async function apiTls(options: PeerCommandOptions) {
  const { apiCertificate, apiKey } = options;
  if (apiCertificate === undefined || apiKey === undefined) return {};
  const certificate = await readOptionFile(apiCertificate, '--api-certificate');
  const key = await readOptionFile(apiKey, '--api-key');
  return { tls: { certificate, key } };
}

function listenOption(): Option {
  return new Option('--listen <host:port>', 'where other peers connect')
    .argParser(readSocketAddress)
    .default({ host: '0.0.0.0', port: 6084 }, '0.0.0.0:6084');
}

function apiOption(): Option {
  return new Option('--api <host:port>', 'HTTP API; port 0 lets the system choose')
    .argParser(readSocketAddress)
    .default({ host: '127.0.0.1', port: 0 }, '127.0.0.1:0');
}

const EXAMPLES = `
Examples:
  $ xor peer --user juliet@example.org --password-stdin < password.txt
  $ xor peer --state ./juliet --config-url https://10.0.0.1:8443/.well-known/reload-config \\
      --trust https.pem --listen 10.0.0.2:6084 --first
  $ xor peer --state ./juliet --gateway 127.0.0.1:5222 --gateway-ws 127.0.0.1:5443
  $ xor peer --state ./juliet --gateway 127.0.0.1:5222 --account juliet@example.org \\
      --server chat.example.org --account-password-file password.txt
  $ xor peer --state ./juliet --json      # later: no enrollment, no bootstrap node needed`;
