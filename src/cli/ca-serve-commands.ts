import { readFile } from 'node:fs/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { FollowedAuthorities } from '../host/authority/configuration-follower.ts';
import { createLog, LOG_LEVELS, type LogLevel } from '../host/log.ts';
import { formatSocketAddress, type SocketAddress } from '../host/socket-address.ts';
import {
  type ServedComponentOptions,
  servedComponent,
  tellAttached,
  withServedComponentOptions,
} from './ca-component-command.ts';
import {
  type AuthorityOptions,
  authorityStateDirectory,
  caExamples,
  withAuthorityOptions,
} from './ca-options.ts';
import { usageError } from './operator-error.ts';
import { readHttpsUrl, readNumber, readSocketAddress } from './option-readers.ts';
import { passphraseOf } from './passphrase-input.ts';
import { StopSignal } from './stop-signal.ts';
import { printJson, printLine } from './terminal-output.ts';

interface ServeOptions extends AuthorityOptions, ServedComponentOptions {
  readonly listen: SocketAddress;
  readonly bootstrap?: readonly SocketAddress[];
  readonly enrollmentServer?: readonly string[];
  readonly publicUrl?: string;
  readonly follow?: readonly string[];
  readonly followTrust?: string;
  readonly followSeconds: number;
  readonly logLevel: LogLevel;
}

/** `xor ca serve`: serves until SIGINT or SIGTERM. */
export function caServeCommand(): Command {
  return withServedComponentOptions(withAuthorityOptions(new Command('serve')))
    .description('serve the configuration, enrollment and the revocation list over HTTPS')
    .addOption(
      new Option('--listen <host:port>', 'where to listen')
        .argParser(readSocketAddress)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('--bootstrap <host:port...>', 'peers to join by (default: those known)').argParser(
        (text: string, before: readonly SocketAddress[] = []) => [
          ...before,
          readSocketAddress(text),
        ],
      ),
    )
    .addOption(
      new Option(
        '--enrollment-server <url...>',
        'of other authorities of the overlay (default: those known)',
      ).argParser(readHttpsUrls),
    )
    .option('--public-url <url>', 'how peers reach it, where that differs', readPublicUrl)
    .addOption(
      new Option(
        '--follow <url...>',
        'configurations of other authorities: what their signers sign anew is in force here too',
      ).argParser(readHttpsUrls),
    )
    .option('--follow-trust <file>', 'PEM certificates to trust for --follow, beside the system')
    .addOption(
      new Option('--follow-seconds <n>', 'how often to look at --follow')
        .argParser(readNumber(1, 86_400))
        .default(60),
    )
    .addOption(new Option('--log-level <level>', 'on stderr').choices(LOG_LEVELS).default('info'))
    .addHelpText(
      'after',
      caExamples(
        'serve --listen 127.0.0.1:8443',
        'serve --listen 0.0.0.0:8443 --bootstrap 192.0.2.1:6084 192.0.2.2:6084 --json',
        'serve --listen 0.0.0.0:8443 --enrollment-server https://ca.shakespeare.lit:8443/enroll',
        'serve --listen 127.0.0.1:8443 --passphrase-fd 3 3< passphrase-file',
        'serve --listen 0.0.0.0:8443 --follow https://ca.example.org/.well-known/reload-config',
        'serve --listen 0.0.0.0:8443 --component ca.shakespeare.lit \\\n' +
          '      --component-server 127.0.0.1:5347 --component-secret-file ./secret',
      ),
    )
    .action(serve);
}

async function serve(options: ServeOptions): Promise<void> {
  const { startAuthority } = await import('../host/authority/authority-server.ts');
  const component = await servedComponent(options);
  const stop = new StopSignal();
  const authority = await startAuthority({
    stateDirectory: authorityStateDirectory(options.state),
    database: options.database,
    passphrase: passphraseOf(options),
    listen: options.listen,
    bootstrap: options.bootstrap,
    enrollmentServers: options.enrollmentServer,
    publicUrl: options.publicUrl,
    follow: await followed(options),
    component,
    log: createLog(options.logLevel),
  });
  try {
    const listen = formatSocketAddress(authority.listenAddress);
    const { url, overlayName: overlay, configurationUrl, enrollmentUrl } = authority;
    const sequence = authority.configurationSequence;
    if (options.json === true) {
      printJson({
        event: 'listening',
        overlay,
        listen,
        url,
        configurationUrl,
        enrollmentUrl,
        sequence,
      });
    } else {
      printLine(`the authority of ${overlay} listens at ${listen}; Ctrl-C stops it`);
      if (sequence === undefined) printLine(`enrollment: ${enrollmentUrl}`);
      else printLine(`configuration ${sequence}: ${configurationUrl}`);
    }
    if (component !== undefined) {
      await Promise.race([authority.componentAttached(), stop.wait()]);
      if (!stop.signal.aborted) tellAttached(component.jid, options.json === true);
    }
    await stop.wait();
  } finally {
    await authority.close();
  }
}

async function followed(options: ServeOptions): Promise<FollowedAuthorities | undefined> {
  const { follow: urls, followTrust, followSeconds } = options;
  if (urls === undefined) {
    if (followTrust === undefined) return undefined;
    throw usageError('--follow-trust is for --follow; give both');
  }
  const trustedCertificates =
    followTrust === undefined ? undefined : await readFile(followTrust, 'utf8');
  return { urls, trustedCertificates, intervalMs: followSeconds * 1_000 };
}

function readHttpsUrls(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, readHttpsUrl(text)];
}

function readPublicUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'https:' || url.origin !== text.replace(/\/$/, '')) {
    throw new InvalidArgumentError('expected https://HOST or https://HOST:PORT');
  }
  return url.origin;
}
