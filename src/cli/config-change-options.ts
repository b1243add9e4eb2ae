import { createHash, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { readNodeIdText } from '../host/http-api/lookup-target.ts';
import { parseSocketAddress, toIpAddressPort } from '../host/socket-address.ts';
import {
  CONFIGURATION_PARAMETERS,
  type ConfigurationChange,
  type ConfigurationList,
  type ConfigurationParameter,
} from '../overlay-config/configuration-edit.ts';
import { parseUtcTime } from '../overlay-config/date-time.ts';
import { readCertificateFile } from './config-document-file.ts';
import { OperatorError } from './operator-error.ts';
import { readNumber } from './option-readers.ts';

/** What the options of `xor config edit` ask for; those of Kinds need a signature yet. */
export interface ChangeOptions {
  readonly addRoot: readonly string[];
  readonly removeRoot: readonly string[];
  readonly expiresInDays?: number;
}

/** Adds the options that need no more than what stands in them. Each can be given several times. */
export function withChangeOptions(command: Command): Command {
  const several = (text: string, before: readonly string[] = []) => [...before, text];
  command
    .option('--add-root <file>', 'trust these root certificates, PEM', several, [])
    .option('--remove-root <sha256|file>', 'trust this root no more', several, []);
  for (const [list, read, what] of LISTS) {
    for (const type of ['add', 'remove'] as const) {
      const verb = type === 'add' ? 'have' : 'have no more';
      command.addOption(
        collecting(`--${type}-${list} <${what}>`, `${verb} this ${list}`, (text) => ({
          type,
          list,
          value: read(text),
        })),
      );
    }
  }
  return command
    .addOption(bootstrapOption('add'))
    .addOption(bootstrapOption('remove'))
    .addOption(collecting('--set <name=value>', `one of ${SETTABLE.join(', ')}`, readSetting))
    .addOption(
      collecting('--unset <name>', 'what the RFC says then holds', (text) =>
        setting(text, undefined),
      ),
    )
    .option('--expires-in-days <n>', 'it is in force for so long from now', readNumber(1, 3_650));
}

/** All changes of the options but those of Kinds. Throws OperatorError. */
export async function changesOf(
  options: ChangeOptions,
  unixMs: number,
): Promise<readonly ConfigurationChange[]> {
  const added = await Promise.all(options.addRoot.map(readCertificateFile));
  const removed = await Promise.all(options.removeRoot.map(rootFingerprint));
  const { expiresInDays: days } = options;
  return [
    ...added.flat().map((certificate) => ({ type: 'addRoot', certificate }) as const),
    ...removed.map((sha256) => ({ type: 'removeRoot', sha256 }) as const),
    ...collectedChanges(options),
    ...(days === undefined
      ? []
      : [{ type: 'setExpiration', unixMs: wholeSecond(unixMs) + days * DAY_MS } as const]),
  ];
}

/** Every option of them writes into the same list, in the order of the command line. */
function collecting(
  flags: string,
  description: string,
  read: (text: string) => ConfigurationChange,
): Option {
  const option = new Option(flags, description);
  option.argParser((text: string, before: readonly ConfigurationChange[] = []) => [
    ...before,
    read(text),
  ]);
  option.attributeName = () => `change:${flags}`;
  return option;
}

/** The changes of all collecting options. */
function collectedChanges(options: object): ConfigurationChange[] {
  return Object.entries(options).flatMap(([name, value]) =>
    name.startsWith('change:') ? (value as readonly ConfigurationChange[]) : [],
  );
}

function bootstrapOption(verb: 'add' | 'remove'): Option {
  const what = verb === 'add' ? 'peers may join by this one' : 'peers join by this one no more';
  return collecting(`--${verb}-bootstrap <address:port>`, what, (text) => {
    const address = parseSocketAddress(text);
    if (typeof address === 'string') throw new InvalidArgumentError(address);
    const node = toIpAddressPort(address);
    if (node === undefined) throw new InvalidArgumentError('expected an IP address, not a name');
    return { type: verb === 'add' ? 'addBootstrapNode' : 'removeBootstrapNode', node };
  });
}

function readSetting(text: string): ConfigurationChange {
  const at = text.indexOf('=');
  if (at < 0) throw new InvalidArgumentError('expected NAME=VALUE');
  return setting(text.slice(0, at), text.slice(at + 1));
}

function setting(name: string, value: string | undefined): ConfigurationChange {
  if (name === 'expiration') {
    const unixMs = value === undefined ? undefined : parseUtcTime(value);
    if (value === undefined || unixMs !== undefined) return { type: 'setExpiration', unixMs };
    throw new InvalidArgumentError('expected a time like 2027-01-01T00:00:00Z');
  }
  const parameter = CONFIGURATION_PARAMETERS.find((known) => known === name);
  if (parameter !== undefined) return { type: 'set', parameter, value };
  throw new InvalidArgumentError(`expected one of ${SETTABLE.join(', ')}`);
}

async function rootFingerprint(text: string): Promise<string> {
  const hex = text
    .replace(/^sha256:/, '')
    .replaceAll(':', '')
    .toLowerCase();
  if (/^[0-9a-f]{64}$/.test(hex)) return hex;
  try {
    const certificate = new X509Certificate(await readFile(text));
    return createHash('sha256').update(certificate.raw).digest('hex');
  } catch {
    throw new OperatorError(`${text} is neither a SHA-256 of 64 hex digits nor a certificate`);
  }
}

function nodeIdText(text: string): string {
  const nodeId = readNodeIdText(text);
  if (typeof nodeId === 'string') return nodeId;
  throw new InvalidArgumentError(nodeId.fault);
}

function wholeSecond(unixMs: number): number {
  return unixMs - (unixMs % 1000);
}

const LISTS: readonly (readonly [ConfigurationList, (text: string) => string, string])[] = [
  ['bad-node', nodeIdText, 'node-id'],
  ['enrollment-server', (text) => text, 'url'],
  ['configuration-signer', nodeIdText, 'node-id'],
  ['kind-signer', nodeIdText, 'node-id'],
];
const SETTABLE: readonly (ConfigurationParameter | 'expiration')[] = [
  ...CONFIGURATION_PARAMETERS,
  'expiration',
];
const DAY_MS = 86_400_000;
