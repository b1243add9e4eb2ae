import { Command, Option } from 'commander';
import {
  AUTHORITY_KEY_TYPES,
  type AuthorityKeyType,
  CERTIFICATE_PROFILES,
} from '../host/authority/authority-settings.ts';
import type { InitializedAuthority, InitializeOptions } from '../host/authority/initialization.ts';
import type { CertificateProfile } from '../tls-auth/trust-settings.ts';
import {
  type AuthorityOptions,
  authorityStateDirectory,
  caExamples,
  withAuthorityOptions,
} from './ca-options.ts';
import { usageError } from './operator-error.ts';
import { readNumber } from './option-readers.ts';
import {
  parentPassphraseOf,
  passphraseOf,
  withParentPassphraseOption,
} from './passphrase-input.ts';
import { DEFAULT_OVERLAY } from './state-paths.ts';
import { printJson, printLine } from './terminal-output.ts';

interface InitOptions extends AuthorityOptions {
  readonly overlay?: string;
  readonly name: string;
  readonly httpsName?: readonly string[];
  readonly key: AuthorityKeyType;
  readonly profile?: CertificateProfile;
  readonly certificateDays: number;
  readonly parent?: string;
  readonly parentDatabase?: string;
  readonly parentPassphraseFd?: number;
  readonly request?: boolean;
  readonly domain?: string;
  readonly xmppAddress?: string;
}

/** `xor ca init`: makes keys, certificates and an empty ledger. */
export function caInitCommand(): Command {
  return withParentOptions(withAuthorityOptions(new Command('init')))
    .description('make an authority: a root, or one below another authority')
    .option('--overlay <name>', `the overlay, a domain (default: ${DEFAULT_OVERLAY})`)
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
        'init --passphrase-fd 3 3< passphrase-file',
        'init --state ./ca --overlay overlay.example.org --profile rfc6940 --key rsa',
        'init --state ./ca-of-domain --parent ./ca --name below --domain shakespeare.lit',
        'init --state ./ca-far --request --name far --overlay overlay.example.org',
      ),
    )
    .action(initialize);
}

function withParentOptions(command: Command): Command {
  return withParentPassphraseOption(
    command
      .option('--parent <dir>', 'the state of the authority above, which signs at once')
      .option(
        '--parent-database <url>',
        'postgres://USER@HOST/DATABASE that has the ledger of --parent, unless that runs',
      )
      .option('--request', 'the authority above is on another machine: write a request for it')
      .option('--domain <domain>', 'an authority for users of this domain alone')
      .option(
        '--xmpp-address <domain>',
        'its XMPP server, in its certificate (default: that of --domain)',
      ),
  );
}

async function initialize(options: InitOptions): Promise<void> {
  const { parent, domain } = options;
  const isBelow = parent !== undefined || options.request === true;
  if (parent !== undefined && options.request === true) {
    throw usageError('--parent signs at once, so there is no --request; give one of them');
  }
  if (options.parentDatabase !== undefined && parent === undefined) {
    throw usageError('--parent-database is the ledger of --parent; give both');
  }
  if (domain !== undefined && !isBelow) {
    throw usageError(
      'the authority of a --domain is below another one; give --parent or --request',
    );
  }
  const wish: InitializeOptions = {
    stateDirectory: authorityStateDirectory(options.state),
    database: options.database,
    passphrase: passphraseOf(options),
    overlayName: options.overlay,
    name: options.name,
    httpsNames: options.httpsName ?? [],
    keyType: options.key,
    profile: options.profile,
    certificateDays: options.certificateDays,
    domain,
    xmppAddress: options.xmppAddress,
  };
  const isEncrypted = wish.passphrase !== undefined;
  if (!isBelow) {
    const { initializeAuthority } = await import('../host/authority/initialization.ts');
    tellOfAuthority(await initializeAuthority(wish), isEncrypted, options);
    return;
  }
  const { initializeSubordinate } = await import('../host/authority/subordinate.ts');
  const above =
    parent === undefined
      ? undefined
      : {
          stateDirectory: authorityStateDirectory(parent),
          database: options.parentDatabase,
          passphrase: parentPassphraseOf(options),
        };
  const { authority, requestFile } = await initializeSubordinate(wish, above);
  if (authority !== undefined) {
    tellOfAuthority(authority, isEncrypted, options);
    return;
  }
  const { stateDirectory: state } = wish;
  if (options.json === true) {
    printJson({ event: 'waiting', state, request: requestFile });
    return;
  }
  printLine(`the authority in ${state} waits for its certificate`);
  printLine(`take ${requestFile} to the authority above: xor ca sign-authority`);
  printLine(`and what that prints back here: xor ca complete FILE --state ${state}`);
}

/** What there is to know of an authority that is complete. */
export function tellOfAuthority(
  made: InitializedAuthority,
  isEncrypted: boolean,
  options: Pick<AuthorityOptions, 'json'>,
): void {
  const { stateDirectory: state, settings, httpsRootFile: trust, rootSha256 } = made;
  const { overlayName: overlay, domain } = settings;
  if (options.json === true) {
    const ofDomain = domain === undefined ? {} : { domain };
    printJson({ event: 'initialized', state, overlay, ...ofDomain, trust, rootSha256 });
    return;
  }
  const users = domain === undefined ? '' : `, of users of ${domain}`;
  printLine(`an authority for the overlay ${overlay}${users} is in ${state}`);
  printLine(`root certificate, SHA-256: ${rootSha256}`);
  printLine(`give ${trust} to peers on other machines, for --trust`);
  if (!isEncrypted) printLine('its private keys are not encrypted; see --passphrase-fd');
}
