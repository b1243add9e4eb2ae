import { readFile, writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { type ApiClientOptions, withApiOptions } from './api-client.ts';
import type {
  CertificateFile,
  ClientCertificateTarget,
  ShownCertificate,
} from './client-certificate-target.ts';
import { usageError } from './operator-error.ts';
import { OwnPeerCertificates } from './own-peer-certificates.ts';
import { ServerCertificates } from './server-certificates.ts';
import { type ServerOptions, withServerOptions } from './server-options.ts';
import { printJson, printLine, printTable } from './terminal-output.ts';

type Options = ApiClientOptions & ServerOptions & { readonly json?: boolean };

interface AddOptions extends Options {
  readonly name: string;
  readonly certManagement: boolean;
  readonly out?: string;
}

/** `xor clientcert`: the certificates with which the user's own XMPP clients log in. */
export function clientcertCommand(): Command {
  const command = new Command('clientcert').description(
    'the certificates with which your XMPP clients log in, at your peer or at any server',
  );
  for (const one of [add(), list(), disable(), revoke()]) command.addCommand(one);
  return command.addHelpText(
    'after',
    HELP + examples('add --name Phone phone.pem', 'list', ELSEWHERE),
  );
}

function add(): Command {
  const description = 'let a client log in with a certificate, or certify the key of a request';
  return managing('add', description)
    .argument('<file>', 'PEM: a certificate, or a PKCS #10 request that the peer is to certify')
    .requiredOption('--name <name>', 'what it is called in the list, such as "Phone"')
    .option('--no-cert-management', 'whoever logs in with it adds, disables and revokes none')
    .option('--out <file>', 'write the certificate there')
    .addHelpText(
      'after',
      examples(
        'add --name Phone phone.pem',
        'add --name Bot --no-cert-management bot.csr --out bot.pem',
      ),
    )
    .action(async (path: string, options: AddOptions) => {
      const file = await readCertificateFile(path);
      const added = await at(options, (target) =>
        target.add(options.name, file, !options.certManagement),
      );
      if (options.out !== undefined) await writeFile(options.out, String(added.pem ?? ''));
      if (options.json === true) printJson(added);
      else {
        printLine(`"${added.name}" can log in from now on (SHA-256 ${added.fingerprintSha256})`);
        const isIssued = file.type === 'signingRequest' && options.out === undefined;
        if (isIssued) printLine(String(added.pem ?? '').trimEnd());
      }
    });
}

function list(): Command {
  return managing('list', 'all of them, with the sessions that use them now')
    .addHelpText('after', examples('list', 'list --json', ELSEWHERE))
    .action(async (options: Options) => {
      const certificates = await at(options, (target) => target.list());
      if (options.json === true) printJson(certificates);
      else printTable(COLUMNS, certificates.map(cellsOf));
    });
}

function disable(): Command {
  return managing('disable', 'no more logins with it; sessions that are there stay')
    .argument('<name>', 'as in the list, or its fingerprint')
    .addHelpText('after', examples('disable Phone'))
    .action(async (name: string, options: Options) => {
      const disabled = await at(options, (target) => target.disable(name));
      if (options.json === true) printJson(disabled);
      else printLine(`"${disabled.name}" logs in no more; sessions that are there stay`);
    });
}

function revoke(): Command {
  return managing('revoke', 'no more logins with it, and its sessions end at once')
    .argument('<name>', 'as in the list, or its fingerprint')
    .addHelpText('after', examples('revoke Phone'))
    .action(async (name: string, options: Options) => {
      const revoked = await at(options, (target) => target.revoke(name));
      if (options.json === true) printJson(revoked);
      else printLine(`"${revoked.name}" is revoked, and its sessions have ended`);
    });
}

function managing(name: string, description: string): Command {
  return withServerOptions(withApiOptions(new Command(name).description(description))).option(
    '--json',
    'one JSON document',
  );
}

/** Does something with the list that the options name. */
async function at<Result>(
  options: Options,
  what: (target: ClientCertificateTarget) => Promise<Result>,
): Promise<Result> {
  const isAtServer = options.server !== undefined || options.account !== undefined;
  const target = await (isAtServer ? ServerCertificates : OwnPeerCertificates).open(options);
  try {
    return await what(target);
  } finally {
    await target.close();
  }
}

async function readCertificateFile(path: string): Promise<CertificateFile> {
  const text = await readFile(path, 'utf8');
  const [pem, label] = FIRST_PEM.exec(text) ?? [];
  if (pem === undefined || text.length > FILE_CHARACTERS_MAX) {
    throw usageError(`${path} is no PEM file with a certificate or a certificate request`);
  }
  return { type: label === 'CERTIFICATE' ? 'certificate' : 'signingRequest', pem };
}

function cellsOf(certificate: ShownCertificate): string[] {
  const { name, state, source, notAfter, lastUsed, users, fingerprintSha256 } = certificate;
  const shown = (value: unknown) => (typeof value === 'string' ? value : '');
  const resources = Array.isArray(users) ? users.join(', ') : '';
  const columns = [state, source, notAfter, lastUsed].map(shown);
  return [name, ...columns, resources, fingerprintSha256.slice(0, SHOWN_DIGITS)];
}

function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ xor clientcert ${line}`).join('\n')}`;
}

const HELP = `
They ask the running peer, which --state or --api names; with --account, the server of
that account instead.
`;
const ELSEWHERE = 'list --account romeo@montague.lit --server xmpp.montague.lit --password-stdin';
const COLUMNS = ['NAME', 'STATE', 'SOURCE', 'VALID UNTIL', 'LAST USED', 'USED BY', 'SHA-256'];
/** Of a fingerprint in the table; `--json` has all of it. */
const SHOWN_DIGITS = 16;
const FIRST_PEM = /-----BEGIN (CERTIFICATE|(?:NEW )?CERTIFICATE REQUEST)-----[^-]*-----END \1-----/;
const FILE_CHARACTERS_MAX = 65_536;
