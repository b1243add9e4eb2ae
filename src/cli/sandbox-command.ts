import { Command, Option } from 'commander';
import { createLog, LOG_LEVELS, type LogLevel } from '../host/log.ts';
import { Sandbox } from '../host/sandbox.ts';
import type { SandboxReport } from '../host/sandbox-report.ts';
import { formatSocketAddress, type SocketAddress } from '../host/socket-address.ts';
import { OperatorError } from './operator-error.ts';
import { readNumber, readSocketAddress } from './option-readers.ts';
import { sandboxStateDirectory } from './state-paths.ts';
import { StopSignal } from './stop-signal.ts';
import { Progress, printJson, printLine, printTable } from './terminal-output.ts';

interface SandboxCommandOptions {
  readonly peers: number;
  readonly once?: boolean;
  readonly json?: boolean;
  readonly state?: string;
  readonly gateway?: SocketAddress;
  readonly logLevel: LogLevel;
}

/** `xor sandbox`: a whole overlay on this machine. */
export function sandboxCommand(): Command {
  return new Command('sandbox')
    .description('run a whole overlay on this machine: authority, peers, verified lookups')
    .option('--peers <number>', 'how many peers', readNumber(1, PEERS_MAX), 8)
    .option('--once', 'exit when every certificate was looked up; 0 only if all were verified')
    .option('--json', 'end with one JSON document')
    .option(
      '--gateway <host:port>',
      'XMPP clients of two accounts log in here and at the next port (default: any ports)',
      readSocketAddress,
    )
    .option('--state <dir>', 'where it keeps its state; thrown away and made anew')
    .addOption(new Option('--log-level <level>', 'on stderr').choices(LOG_LEVELS).default('error'))
    .addHelpText('after', EXAMPLES)
    .action(runSandbox);
}

async function runSandbox(options: SandboxCommandOptions): Promise<void> {
  const stop = new StopSignal();
  const progress = new Progress(options.json !== true);
  const gateway = options.gateway ?? (options.once === true ? undefined : GATEWAY_DEFAULT);
  const sandbox = new Sandbox({
    ...(gateway === undefined ? {} : { gateway }),
    stateDirectory: sandboxStateDirectory(options.state),
    peers: options.peers,
    log: createLog(options.logLevel),
    onProgress: (text) => progress.show(text),
    signal: stop.signal,
  });
  let report: SandboxReport | undefined;
  try {
    await sandbox.start();
    report = await sandbox.verify();
    progress.done();
    present(sandbox, report, options);
    if (options.once !== true) await stop.wait();
  } catch (error) {
    // Ctrl-C on the way is an orderly end; what a failed step says is told by its error.
    if (!stop.signal.aborted || options.once === true) throw error;
  } finally {
    progress.show('leaving');
    await sandbox.stop();
    progress.done();
  }
  if (report !== undefined && !isComplete(report)) {
    throw new OperatorError(`${report.failed} of ${report.lookups} lookups failed`);
  }
}

function present(sandbox: Sandbox, report: SandboxReport, options: SandboxCommandOptions): void {
  for (const failure of sandbox.failures) process.stderr.write(`${failure}\n`);
  if (options.json === true) {
    printJson(sandbox.accounts.length === 0 ? report : { ...report, accounts: accounts(sandbox) });
    return;
  }
  printLine(`The ring of ${report.overlay}, ${report.peers} peers:`);
  printTable(
    ['NODE-ID', 'JID', 'ADDRESS', 'SUCCESSOR', 'STORES', 'JOINED IN'],
    [...sandbox.peers]
      .sort((a, b) => (a.host.nodeId < b.host.nodeId ? -1 : 1))
      .map(({ host, jid, joinMs }) => [
        host.nodeId,
        jid,
        formatSocketAddress(host.listenAddress),
        `${(host.status().successors[0] ?? '').slice(0, 8)}…`,
        String(host.status().values),
        `${joinMs.toFixed(0)} ms`,
      ]),
  );
  const { p50, p95, max } = report.lookupMs;
  printLine();
  printLine(
    `${report.verified} of ${report.lookups} lookups by Node-ID verified; ` +
      `p50 ${p50} ms, p95 ${p95} ms, max ${max} ms`,
  );
  presentAccounts(sandbox);
  if (options.once !== true) printLine(`authority at ${sandbox.authorityUrl}; Ctrl-C ends it`);
}

/** What a person types into an XMPP client. */
function presentAccounts(sandbox: Sandbox): void {
  if (sandbox.accounts.length === 0) return;
  printLine();
  printLine('Two accounts for any XMPP client, with TLS or STARTTLS; set the server by hand:');
  printTable(
    ['ADDRESS', 'PASSWORD', 'SERVER', 'TRUST THIS CERTIFICATE'],
    accounts(sandbox).map((row) => Object.values(row)),
  );
  printLine('What one writes to the other goes from peer to peer, through no server.');
  printLine();
}

function accounts(sandbox: Sandbox): Record<string, string>[] {
  return sandbox.accounts.map(({ jid, password, gateway, certificateFile }) => ({
    jid,
    password,
    gateway: formatSocketAddress(gateway),
    certificate: certificateFile,
  }));
}

function isComplete(report: SandboxReport): boolean {
  const { peers, joined, stored, lookups, verified } = report;
  return joined === peers && stored === peers && verified === lookups;
}

/** Ports that are free, so that several sandboxes can run. */
const GATEWAY_DEFAULT: SocketAddress = { host: '127.0.0.1', port: 0 };

/** Each peer is a few megabytes and a handful of sockets. */
const PEERS_MAX = 256;

const EXAMPLES = `
Examples:
  $ xor sandbox
  $ xor sandbox --peers 2 --gateway 127.0.0.1:5222
  $ xor sandbox --peers 32 --once --json`;
