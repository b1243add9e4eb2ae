import { Command } from 'commander';
import type { AuthorityOperations } from '../host/authority/authority.ts';
import { buildKindBlock } from '../overlay-config/configuration-document-builder.ts';
import {
  type ConfigurationChange,
  EditRefusal,
  editConfiguration,
} from '../overlay-config/configuration-edit.ts';
import { predecessorOf } from '../overlay-config/configuration-trust.ts';
import { formatUtcTime } from '../overlay-config/date-time.ts';
import type { KindDefinition } from '../overlay-config/kind-definition.ts';
import { KindRefusal, verifyKindBlocks } from '../overlay-config/kind-trust.ts';
import type { ParsedConfiguration } from '../overlay-config/parsed-configuration.ts';
import type { KindId } from '../wire/stored-data.ts';
import {
  type ConfigAuthorityOptions,
  configExamples,
  withConfigAuthority,
  withConfigured,
} from './config-authority.ts';
import { type ChangeOptions, changesOf, withChangeOptions } from './config-change-options.ts';
import { parseDocument, readDocumentFile, writeDocument } from './config-document-file.ts';
import { type KindWish, readKindId, readKindWish, wishedKind } from './config-kind-option.ts';
import { openSigner } from './config-signature.ts';
import { OperatorError, usageError } from './operator-error.ts';
import { printLine } from './terminal-output.ts';

interface EditOptions extends ChangeOptions, ConfigAuthorityOptions {
  readonly setKind: readonly KindWish[];
  readonly removeKind: readonly KindId[];
  readonly kindKey?: string;
  readonly kindCertificate?: string;
  readonly overlay?: string;
  readonly output?: string;
}

/** `xor config edit`: a document that says something else, with the next sequence. */
export function editCommand(): Command {
  const command = new Command('edit')
    .description('change a document: the next sequence, without a signature')
    .argument('[file]', 'the document; - is stdin (default: the one that the authority serves)')
    .option('--overlay <name>', 'which overlay of the document');
  return withConfigAuthority(withChangeOptions(command))
    .option('--set-kind <kind:field=value,…>', KIND_HELP, readKindWish, [])
    .option('--remove-kind <kind>', 'have no more this Kind', collectKindId, [])
    .option('--kind-key <file>', 'sign Kinds with this key, not with that of the authority')
    .option('--kind-certificate <file>', 'its certificate, then the intermediates, PEM')
    .option('--output <file>', 'write it there instead of to stdout')
    .addHelpText('after', EXAMPLES)
    .action(edit);
}

async function edit(file: string | undefined, options: EditOptions): Promise<void> {
  const unixMs = Date.now();
  const changes = await changesOf(options, unixMs);
  if (changes.length + options.setKind.length + options.removeKind.length === 0) {
    throw usageError('nothing to change: see the options of xor config edit --help');
  }
  const isSignedHere = options.kindKey !== undefined || options.setKind.length === 0;
  const needsAuthority = file === undefined || !isSignedHere;
  const edited = needsAuthority
    ? await withConfigured(options, (authority) =>
        editWith(authority, file, changes, options, unixMs),
      )
    : await editWith(undefined, file, changes, options, unixMs);
  await writeDocument(edited.document, options.output);
  if (options.output === undefined) return;
  printLine(`${options.output}: sequence ${edited.sequence}; sign it with xor config sign`);
}

async function editWith(
  authority: AuthorityOperations | undefined,
  file: string | undefined,
  changes: readonly ConfigurationChange[],
  options: EditOptions,
  unixMs: number,
): Promise<ParsedConfiguration> {
  const parsed =
    file === undefined
      ? await servedDocument(authority, options.overlay)
      : await readDocumentFile(file, options.overlay);
  const kinds = options.setKind.map((wish) => wishedKind(parsed.configuration, wish));
  const blocks = await signedKinds(authority, parsed, kinds, options, unixMs);
  const removed = options.removeKind.map((kindId) => ({ type: 'removeKind', kindId }) as const);
  const edited = editConfiguration(parsed, [...changes, ...blocks, ...removed]);
  if (edited instanceof EditRefusal) throw new OperatorError(edited.detail);
  checkInForce(edited, unixMs);
  return edited;
}

/** What stands in a document is right by itself; here is asked whether peers will take it. */
function checkInForce(edited: ParsedConfiguration, unixMs: number): void {
  const { expirationUnixMs } = edited;
  if (expirationUnixMs !== undefined && expirationUnixMs <= unixMs) {
    const expired = `it expires at ${formatUtcTime(expirationUnixMs)}, which is past`;
    throw new OperatorError(`peers would not take it: ${expired}; give --expires-in-days`);
  }
  const signers = verifyKindBlocks(edited, unixMs);
  if (signers instanceof KindRefusal) {
    const todo = 'set the Kind anew with --set-kind, or remove it';
    throw new OperatorError(`peers would not take it: ${signers.describe()}; ${todo}`);
  }
}

async function servedDocument(
  authority: AuthorityOperations | undefined,
  overlayName: string | undefined,
): Promise<ParsedConfiguration> {
  const { document } = (await authority?.configurationDocument()) ?? {};
  if (document === undefined) {
    throw new OperatorError(
      'this authority serves no document yet; run xor ca serve, or give a file',
    );
  }
  return parseDocument(Buffer.from(document), overlayName, 'the document of the authority');
}

async function signedKinds(
  authority: AuthorityOperations | undefined,
  parsed: ParsedConfiguration,
  kinds: readonly KindDefinition[],
  { kindKey: key, kindCertificate: certificate }: EditOptions,
  unixMs: number,
): Promise<ConfigurationChange[]> {
  if (kinds.length === 0) return [];
  const changeOf = ({ kindId }: KindDefinition, block: Uint8Array) =>
    ({ type: 'setKind', kindId, block }) as const;
  if (key !== undefined) {
    if (certificate === undefined) throw usageError('--kind-key needs --kind-certificate');
    const before = predecessorOf(parsed);
    const signer = await openSigner(before, before.kindSigners, { key, certificate }, unixMs);
    return kinds.map((kind) => changeOf(kind, buildKindBlock(kind, signer)));
  }
  const signed: ConfigurationChange[] = [];
  for (const kind of kinds) {
    const block = await authority?.signKind(kind);
    if (block !== undefined) signed.push(changeOf(kind, Buffer.from(block)));
  }
  return signed;
}

function collectKindId(text: string, before: readonly KindId[] = []): KindId[] {
  return [...before, readKindId(text)];
}

const KIND_HELP =
  'have this Kind, by name or Kind-ID, with max-count, max-size and, for a private one, ' +
  'data-model, access-control, max-node-multiple; what is left out stays';

const EXAMPLES = configExamples(
  'config edit --state ca --add-bad-node 6f1d8c0a2b4e4f7d9a3c5e7f91b3d5f7 --output next.xml',
  'config edit config.xml --add-root second-root.pem \\\n' +
    '      --add-enrollment-server https://ca2.example.org/enroll --output next.xml',
  'config edit config.xml --remove-root 9f86d081… --set max-message-size=131072',
  'config edit --state ca --set-kind XMPP-LOCATION:max-count=64 \\\n' +
    '      | xor config sign - --state ca \\\n' +
    '      | xor config publish - --state ca',
);
