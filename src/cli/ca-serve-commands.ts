import { Command, InvalidArgumentError, Option } from 'commander';
import {
  AUTHORITY_KEY_TYPES,
  type AuthorityKeyType,
  CERTIFICATE_PROFILES,
} from '../host/authority/authority-settings.ts';
import { createLog, LOG_LEVELS, type LogLevel } from '../host/log.ts';
import { formatSocketAddress, type SocketAddress } from '../host/socket-address.ts';
import type { CertificateProfile } from '../tls-auth/trust-settings.ts';
import {
  type AuthorityOptions,
  authorityStateDirectory,
  caExamples,
  withAuthorityOptions,
} from './ca-options.ts';
import { readNumber, readSocketAddress } from './option-readers.ts';
import { DEFAULT_OVERLAY } from './state-paths.ts';
import { StopSignal } from './stop-signal.ts';
import { printJson, printLine } from './terminal-output.ts';

interface InitOptions extends AuthorityOptions {
  readonly overlay: string;
  readonly name: string;
  readonly httpsName?: readonly string[];
  readonly key: AuthorityKeyType;
  readonly profile?: CertificateProfile;
  readonly certificateDays: number;
}

/** `xor ca init`: makes keys, certificates and an empty ledger. */
export function caInitCommand(): Command {
  return withAuthorityOptions(new Command('init'))
    .description('make an authority: root, configuration signer, kind signer, HTTPS certificate')
    .addOption(new Option('--overlay <name>', 'the overlay, a domain').default(DEFAULT_OVERLAY))
    .addOption(new Option('--name <name>', 'of the authority, in its certificate').default('ca'))
    .option('--https-name <host...>', 'host names or addresses that peers reach it by')
    .addOption(
      new Option('--key <type>', 'type of its keys').choices(AUTHORITY_KEY_TYPES).default('p256'),
    )
    .addOption(
      new Option('--profile <profile>', 'rules for certificates').choices(CERTIFICATE_PROFILES),
    )
    .addOption(
      new Option('--certificate-days <n>', 'for how long a node is certified')
        .argParser(readNumber(1, 3_650))
        .default(365),
    )
    .addHelpText(
      'after',
      caExamples(
        'init --https-name ca.example.org',
        'init --state ./ca --overlay overlay.example.org --profile rfc6940 --key rsa',
      ),
    )
    .action(async (options: InitOptions) => {
      const { initializeAuthority } = await import('../host/authority/initialization.ts');
      const made = await initializeAuthority({
        stateDirectory: authorityStateDirectory(options.state),
        database: options.database,
        overlayName: options.overlay,
        name: options.name,
        httpsNames: options.httpsName ?? [],
        keyType: options.key,
        profile: options.profile ?? 'xep-0416',
        certificateDays: options.certificateDays,
      });
      const { stateDirectory: state, settings, httpsRootFile: trust, rootSha256 } = made;
      if (options.json === true) {
        printJson({
          event: 'initialized',
          state,
          overlay: settings.overlayName,
          trust,
          rootSha256,
        });
        return;
      }
      printLine(`an authority for the overlay ${settings.overlayName} is in ${state}`);
      printLine(`root certificate, SHA-256: ${rootSha256}`);
      printLine(`give ${trust} to peers on other machines, for --trust`);
    });
}

interface ServeOptions extends AuthorityOptions {
  readonly listen: SocketAddress;
  readonly bootstrap?: readonly SocketAddress[];
  readonly publicUrl?: string;
  readonly logLevel: LogLevel;
}

/** `xor ca serve`: serves until SIGINT or SIGTERM. */
export function caServeCommand(): Command {
  return withAuthorityOptions(new Command('serve'))
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
    .option('--public-url <url>', 'how peers reach it, where that differs', readPublicUrl)
    .addOption(new Option('--log-level <level>', 'on stderr').choices(LOG_LEVELS).default('info'))
    .addHelpText(
      'after',
      caExamples(
        'serve --listen 127.0.0.1:8443',
        'serve --listen 0.0.0.0:8443 --bootstrap 192.0.2.1:6084 192.0.2.2:6084 --json',
      ),
    )
    .action(serve);
}

async function serve(options: ServeOptions): Promise<void> {
  const { startAuthority } = await import('../host/authority/authority-server.ts');
  const stop = new StopSignal();
  const authority = await startAuthority({
    stateDirectory: authorityStateDirectory(options.state),
    database: options.database,
    listen: options.listen,
    bootstrap: options.bootstrap,
    publicUrl: options.publicUrl,
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
      printLine(`configuration ${sequence}: ${configurationUrl}`);
    }
    await stop.wait();
  } finally {
    await authority.close();
  }
}

function readPublicUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'https:' || url.origin !== text.replace(/\/$/, '')) {
    throw new InvalidArgumentError('expected https://HOST or https://HOST:PORT');
  }
  return url.origin;
}
