import { readFile } from 'node:fs/promises';
import { Command, Option } from 'commander';
import {
  ConfigurationCache,
  ConfigurationCacheDamaged,
} from '../host/configuration/configuration-cache.ts';
import { fetchConfigurationDocument } from '../host/configuration/configuration-source.ts';
import { ConfigurationUnavailable } from '../host/configuration/configuration-unavailable.ts';
import { trustFirst } from '../host/configuration/offered-configuration.ts';
import { HttpsFetchError } from '../host/https-fetch.ts';
import { openStateDirectory } from '../host/state/state-directory.ts';
import { StateDirectoryUnusable } from '../host/state/state-lock.ts';
import type { ParsedConfiguration } from '../overlay-config/parsed-configuration.ts';
import {
  type ConfigAuthorityOptions,
  configExamples,
  withConfigAuthority,
  withConfigured,
} from './config-authority.ts';
import {
  parseDocument,
  readDocumentFile,
  readUnsignedFile,
  writeDocument,
} from './config-document-file.ts';
import { editCommand } from './config-edit-command.ts';
import { publishCommand, refreshCommand } from './config-publish-command.ts';
import { configurationReport, formatConfigurationReport } from './config-report.ts';
import { checkStandsAlone, signDocumentFile, verifyDocumentFile } from './config-signature.ts';
import { OperatorError, usageError } from './operator-error.ts';
import { DEFAULT_OVERLAY, peerStateDirectory } from './state-paths.ts';
import { printJson, printLine } from './terminal-output.ts';

interface FetchOptions {
  readonly overlay: string;
  readonly configUrl?: string;
  readonly trust?: string;
  readonly output?: string;
  readonly json?: boolean;
}

interface HeldOptions {
  readonly overlay?: string;
  readonly state?: string;
  readonly json?: boolean;
}

interface SignOptions extends ConfigAuthorityOptions {
  readonly key?: string;
  readonly certificate?: string;
  readonly held?: string;
  readonly output?: string;
}

/** `xor config …`: the overlay's configuration document (RFC 6940 §11.1). */
export function configCommand(): Command {
  const command = new Command('config').description('the configuration document of an overlay');
  command.addCommand(fetchCommand());
  command.addCommand(showCommand());
  command.addCommand(verifyCommand());
  command.addCommand(editCommand());
  command.addCommand(signCommand());
  command.addCommand(publishCommand());
  command.addCommand(refreshCommand());
  command.addCommand(trustCommand());
  return command;
}

function fetchCommand(): Command {
  return new Command('fetch')
    .description('get the document from the configuration server; what a peer holds stays')
    .addOption(new Option('--overlay <name>', 'the overlay, a domain').default(DEFAULT_OVERLAY))
    .option('--config-url <url>', 'where it is (default: the server of the overlay)')
    .option('--trust <file>', 'PEM certificates to trust for HTTPS beside those of the system')
    .option('--output <file>', 'write it there instead of to stdout')
    .option('--json', 'print what it says, as one JSON document')
    .addHelpText('after', configExamples('config fetch --overlay example.org --output config.xml'))
    .action(fetchDocument);
}

function showCommand(): Command {
  return new Command('show')
    .description('what a document says; without a file, the one that a peer holds')
    .argument('[file]', 'the document; - is stdin')
    .option('--overlay <name>', 'which overlay of the document, or whose peer')
    .option('--state <dir>', 'the state directory of the peer')
    .option('--json', 'one JSON document')
    .addHelpText('after', configExamples('config show', 'config show config.xml --json'))
    .action(show);
}

function verifyCommand(): Command {
  return new Command('verify')
    .description('whether peers will take a document, and if not, why')
    .argument('<file>', 'the document; - is stdin')
    .option('--held <file>', 'the document that they hold (default: the signers it names itself)')
    .option('--overlay <name>', 'which overlay of the document')
    .option('--json', 'one JSON document')
    .addHelpText('after', configExamples('config verify new.xml --held config.xml'))
    .action(async (file: string, options: HeldOptions & { readonly held?: string }) => {
      const verdict = await verifyDocumentFile(file, options, Date.now());
      if (options.json === true) printJson(verdict);
      if (!verdict.valid) throw new OperatorError(`${file}: ${verdict.reason}`);
      if (options.json === true) return;
      const signer = verdict.signer === null ? 'not signed' : `signed by ${verdict.signer}`;
      printLine(`${file}: valid for ${verdict.overlay}, sequence ${verdict.sequence}, ${signer}`);
    });
}

function signCommand(): Command {
  const command = new Command('sign')
    .description('sign a document, or a <configuration> alone, as a configuration-signer')
    .argument('<file>', 'what to sign, byte for byte; - is stdin')
    .option('--key <file>', 'the private key of the signer, PEM (default: the authority signs)')
    .option('--certificate <file>', 'its certificate, then the intermediates, PEM')
    .option('--held <file>', 'the document that peers hold: they must take the new one')
    .option('--output <file>', 'write the signed document there instead of to stdout');
  return withConfigAuthority(command)
    .addHelpText('after', configExamples('config sign next.xml --state ca', SIGN_EXAMPLE))
    .action(async (file: string, options: SignOptions) => {
      await writeDocument(await signedDocument(file, options), options.output);
    });
}

async function signedDocument(file: string, options: SignOptions): Promise<Uint8Array> {
  const { key, certificate, held } = options;
  if (key !== undefined && certificate !== undefined) {
    const files = { key, certificate, ...(held === undefined ? {} : { held }) };
    return signDocumentFile(file, files, Date.now());
  }
  if (key !== undefined || certificate !== undefined) {
    throw usageError('--key and --certificate belong together; without both the authority signs');
  }
  if (held !== undefined) {
    throw usageError('the authority knows what peers hold; --held is for --key and --certificate');
  }
  const parsed = await readUnsignedFile(file);
  checkStandsAlone(file, parsed);
  const document = Buffer.from(parsed.document).toString('utf8');
  return Buffer.from(
    await withConfigured(options, (authority) => authority.signConfiguration(document)),
  );
}

function trustCommand(): Command {
  return new Command('trust')
    .description('make a document the one that a peer holds, on your word alone')
    .argument('<file>', 'the document; - is stdin')
    .option('--overlay <name>', 'which overlay of the document')
    .option('--state <dir>', 'the state directory of the peer, which must not be running')
    .option('--json', 'one JSON document')
    .addHelpText(
      'after',
      configExamples('config trust config.xml', 'config trust new.xml --state peer'),
    )
    .action(trust);
}

async function fetchDocument(options: FetchOptions): Promise<void> {
  const trustAnchorsPem =
    options.trust === undefined ? [] : [await readFile(options.trust, 'utf8')];
  const { overlay: overlayName, configUrl: url } = options;
  const source = { overlayName, url, trustAnchorsPem };
  const answer = await fetchConfigurationDocument(
    source,
    undefined,
    new AbortController().signal,
  ).catch(asOperatorError);
  if (answer.type === 'notModified') {
    throw new OperatorError('the server answered 304 to a first request; check the URL');
  }
  const parsed = parseDocument(answer.body, overlayName, answer.url);
  if (options.json !== true || options.output !== undefined) {
    await writeDocument(answer.body, options.output);
  }
  if (options.json === true) printJson(configurationReport(parsed.configuration));
}

async function show(file: string | undefined, options: HeldOptions): Promise<void> {
  const parsed =
    file === undefined
      ? await heldDocument(options)
      : await readDocumentFile(file, options.overlay);
  const report = configurationReport(parsed.configuration);
  if (options.json === true) printJson(report);
  else printLine(formatConfigurationReport(report));
}

async function heldDocument(options: HeldOptions): Promise<ParsedConfiguration> {
  const overlayName = options.overlay ?? DEFAULT_OVERLAY;
  const cache = new ConfigurationCache(peerStateDirectory(overlayName, options.state));
  const entry = await cache.read().catch(asOperatorError);
  if (entry !== undefined) {
    return parseDocument(entry.document, options.overlay ?? entry.overlayName, cache.path);
  }
  const todo = 'give the file of a document, or the directory of a peer with --state';
  throw new OperatorError(`there is no ${cache.path}; ${todo}`);
}

/**
 * The operator's word in the place of a signature, for a peer that missed so many documents that it
 * knows no signer of the newest (RFC 6940 §6.5.4.2).
 */
async function trust(file: string, options: HeldOptions): Promise<void> {
  const parsed = await readDocumentFile(file, options.overlay);
  const { instanceName: overlayName, document } = parsed;
  const checkedUnixMs = Date.now();
  const configuration = trustByHand(parsed, checkedUnixMs);
  const path = peerStateDirectory(overlayName, options.state);
  // A running peer would write over it: its lock keeps us out.
  const directory = await openStateDirectory(path).catch(asOperatorError);
  try {
    const entry = { overlayName, document, lastModified: undefined, checkedUnixMs };
    const cache = new ConfigurationCache(path);
    await cache.write(entry, configuration.sharedSecret !== undefined);
    await cache.writeMark({ overlayName, sequence: configuration.sequence });
  } finally {
    await directory.close();
  }
  if (options.json === true) printJson(configurationReport(configuration));
  else printLine(`${path} now trusts sequence ${configuration.sequence} of ${overlayName}`);
}

function trustByHand(parsed: ParsedConfiguration, unixMs: number) {
  try {
    return trustFirst(parsed, unixMs);
  } catch (error) {
    return asOperatorError(error);
  }
}

/** Errors whose message is a sentence for the operator already. */
function asOperatorError(error: unknown): never {
  const isSentence =
    error instanceof HttpsFetchError ||
    error instanceof ConfigurationUnavailable ||
    error instanceof ConfigurationCacheDamaged ||
    error instanceof StateDirectoryUnusable;
  throw isSentence ? new OperatorError(error.message, 1, { cause: error }) : error;
}

const SIGN_EXAMPLE =
  'config sign new.xml --key configuration-signer-key.pem ' +
  '--certificate configuration-signer.pem --held config.xml --output signed.xml';
