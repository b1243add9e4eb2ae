import { Command, InvalidArgumentError, Option } from 'commander';
import { ConfigurationCache } from '../host/configuration/configuration-cache.ts';
import { trustSettingsOf } from '../overlay-config/configuration-trust-settings.ts';
import { parseUtcTime } from '../overlay-config/date-time.ts';
import { Authenticator } from '../tls-auth/authenticator.ts';
import { certificatesInText, revocationListsInText } from '../tls-auth/certificate-file.ts';
import type { RevocationPolicy } from '../tls-auth/revocation-check.ts';
import { RevocationLists } from '../tls-auth/revocation-lists.ts';
import { SharedVerdicts } from '../tls-auth/shared-verdicts.ts';
import { verifyWithKey } from '../tls-auth/signature-verifier.ts';
import type { TrustSettings } from '../tls-auth/trust-settings.ts';
import type { CertificateChain } from '../xmpp/signed-stanzas/certificate-chain.ts';
import { readSignedContent } from '../xmpp/signed-stanzas/signed-content.ts';
import { StanzaRefusal } from '../xmpp/signed-stanzas/stanza-refusal.ts';
import { CLIENT_NAMESPACE, isStanza } from '../xmpp/stanza/stanza.ts';
import type { XmppElement } from '../xmpp/stanza/xmpp-element.ts';
import { STREAM_LIMITS } from '../xmpp/stream/stream-limits.ts';
import { StreamReader } from '../xmpp/stream/stream-reader.ts';
import type { BareJid } from '../xmpp-address/jid.ts';
import { ApiClient, type ApiClientOptions, withApiOptions } from './api-client.ts';
import {
  parseDocument,
  readCertificateFile,
  readDocumentFile,
  readInput,
} from './config-document-file.ts';
import { OperatorError } from './operator-error.ts';
import { readBareAddress } from './option-readers.ts';
import { formatStanzaReport, stanzaReport } from './stanza-report.ts';
import { peerStateDirectory } from './state-paths.ts';
import { printJson, printLine } from './terminal-output.ts';

interface VerifyOptions extends ApiClientOptions {
  readonly config?: string;
  readonly roots?: string;
  readonly certificate?: string;
  readonly crl?: readonly string[];
  readonly revocation: RevocationPolicy;
  readonly to?: string;
  readonly time?: number;
  readonly json?: boolean;
}

/** `xor verify`: a signed stanza on disk. */
export function verifyCommand(): Command {
  const description = 'a signed stanza (XEP-0285) in a file: who signed it, when, and is it true';
  return withApiOptions(new Command('verify').description(description))
    .argument('<file>', 'the stanza as it came, XML; - is stdin')
    .option('--config <file>', 'configuration document with the roots (default: that of the peer)')
    .option('--roots <file>', 'root certificates, PEM, instead of a configuration document')
    .option(
      '--certificate <file>',
      'PEM: certificates of the sender and those above them (default: the running peer looks)',
    )
    .option('--crl <file...>', 'revocation lists of the authorities, PEM or DER')
    .addOption(
      new Option('--revocation <mode>', 'without a current list refuse, or accept')
        .choices(['require', 'prefer', 'off'])
        .default('prefer'),
    )
    .option('--to <jid>', 'whom it was for (default: whom it came to)', readBareAddress)
    .option('--time <time>', 'judge it as of then, such as 2026-03-01T07:00:00Z', readTime)
    .option('--json', 'one JSON document')
    .addHelpText('after', EXAMPLES)
    .action(verify);
}

async function verify(file: string, options: VerifyOptions): Promise<void> {
  const outer = stanzaIn(await readInput(file), file);
  const unixMs = options.time ?? Date.now();
  const chains = await chainsFor(outer, options);
  const authenticator = await authenticatorFor(options, chains, unixMs);
  const receiver = options.to as BareJid | undefined;
  const report = stanzaReport(outer, { authenticator, chains, receiver, unixMs });
  if (options.json === true) printJson(report);
  else printLine(formatStanzaReport(report));
  if (!report.valid) throw new OperatorError(`${file}: not authentic: ${report.reason}`);
}

/** A whole document, or a stanza as it stands in a stream, whose namespace it leaves out. */
function stanzaIn(bytes: Uint8Array, file: string): XmppElement {
  const text = Buffer.from(bytes)
    .toString('utf8')
    .replace(/^\ufeff?\s*(?:<\?xml[^>]*\?>\s*)?/, '');
  const reader = new StreamReader(STREAM_LIMITS);
  reader.push(Buffer.from(`<stream:stream xmlns="${CLIENT_NAMESPACE}" ${STREAMS}>${text}`));
  for (let event = reader.next(); event !== undefined; event = reader.next()) {
    if (event.type === 'fault') throw new OperatorError(`${file} is no stanza: ${event.text}`);
    if (event.type !== 'element') continue;
    if (isStanza(event.element)) return event.element;
    throw new OperatorError(`${file} is no stanza: it begins with <${event.element.name}/>`);
  }
  throw new OperatorError(`${file} is no stanza: it is empty or ends too early`);
}

/** The sender's certificates, out of the file, or out of the overlay by the running peer. */
async function chainsFor(
  outer: XmppElement,
  options: VerifyOptions,
): Promise<readonly CertificateChain[]> {
  if (options.certificate !== undefined) {
    const all = await readCertificateFile(options.certificate);
    return all.map((leaf) => ({ leaf, pool: all }));
  }
  const content = readSignedContent(outer);
  if (content instanceof StanzaRefusal) return [];
  const api = await ApiClient.open(options);
  const path = `/v1/certificates/${encodeURIComponent(content.from.bare)}`;
  const found = await api.ask('GET', path);
  return (Array.isArray(found) ? found : []).flatMap((entry: unknown) => {
    const pem = chainPemOf(entry);
    const [leaf, ...pool] = pem === undefined ? [] : (certificatesInText(pem) ?? []);
    return leaf === undefined ? [] : [{ leaf, pool }];
  });
}

function chainPemOf(entry: unknown): string | undefined {
  if (typeof entry !== 'object' || entry === null || !('chainPem' in entry)) return undefined;
  return typeof entry.chainPem === 'string' ? entry.chainPem : undefined;
}

/** With the revocation lists of the files, each where a certificate asks for it. */
async function authenticatorFor(
  options: VerifyOptions,
  chains: readonly CertificateChain[],
  unixMs: number,
): Promise<Authenticator> {
  const { crl = [], revocation } = options;
  const lists = revocation === 'off' ? undefined : new RevocationLists({ policy: revocation });
  const settings = await trustSettingsFor(options);
  const authenticator = new Authenticator(settings, verifyWithKey, new SharedVerdicts(), lists);
  // Which lists are wanted is known once the certificates were looked at.
  for (const { leaf, pool } of chains) authenticator.authenticate(leaf, pool, unixMs);
  for (const file of crl) {
    for (const der of await listsIn(file)) {
      const reasons = (lists?.wanted() ?? []).map(({ url }) => lists?.offer(url, der, unixMs));
      if (reasons.some((offered) => offered !== undefined && offered.type !== 'refused')) continue;
      const [refused] = reasons;
      const why = refused?.type === 'refused' ? `: ${refused.refusal.describe()}` : '';
      throw new OperatorError(`${file} says nothing of these certificates${why}`);
    }
  }
  return authenticator;
}

async function listsIn(file: string): Promise<readonly Uint8Array[]> {
  const bytes = await readInput(file);
  if (bytes.some((byte) => byte >= 0x80)) return [bytes];
  const lists = revocationListsInText(Buffer.from(bytes).toString('latin1'));
  if (lists === undefined) throw new OperatorError(`${file} holds no revocation list`);
  return lists;
}

async function trustSettingsFor(options: VerifyOptions): Promise<TrustSettings> {
  const { config, overlay, roots } = options;
  if (roots !== undefined) {
    return {
      overlayName: overlay,
      nodeIdLength: NODE_ID_BYTES,
      profile: 'xep-0416',
      rootCertificates: await readCertificateFile(roots),
      badNodes: new Set(),
      selfSignedDigest: undefined,
    };
  }
  if (config !== undefined) {
    return trustSettingsOf((await readDocumentFile(config, undefined)).configuration);
  }
  const cache = new ConfigurationCache(peerStateDirectory(overlay, options.state));
  const entry = await cache.read();
  if (entry === undefined) {
    const todo = 'name the directory of a peer with --state, or use --config or --roots';
    throw new OperatorError(`there is no ${cache.path}; ${todo}`);
  }
  return trustSettingsOf(
    parseDocument(entry.document, entry.overlayName, cache.path).configuration,
  );
}

function readTime(text: string): number {
  const unixMs = parseUtcTime(text);
  if (unixMs === undefined)
    throw new InvalidArgumentError('expected a time as 2026-03-01T07:00:00Z');
  return unixMs;
}

const STREAMS = 'xmlns:stream="http://etherx.jabber.org/streams"';
const NODE_ID_BYTES = 16;
const EXAMPLES = `
Examples:
  $ xor verify message.xml --config config.xml --certificate juliet.pem
  $ xor verify message.xml --state peer --json
  $ xor verify old.xml --roots root.pem --certificate juliet.pem --time 2026-03-01T07:00:00Z`;
