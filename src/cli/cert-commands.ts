import { readFile } from 'node:fs/promises';
import { Command, Option } from 'commander';
import type { ProfileRole } from '../tls-auth/profile-rule.ts';
import type { CertificateProfile } from '../tls-auth/trust-settings.ts';
import { verifyBatch } from './certificate-batch.ts';
import { certificateReports, formatCertificateReport } from './certificate-report.ts';
import { OperatorError } from './operator-error.ts';
import { printJson, printLine } from './terminal-output.ts';

interface InspectOptions {
  readonly json?: boolean;
  readonly profile: CertificateProfile;
  readonly overlay?: string;
  readonly role?: ProfileRole | 'domain';
}

/** `xor cert …`: certificates without an overlay. */
export function certCommand(): Command {
  const command = new Command('cert').description('look into certificates and judge them');
  command
    .command('inspect')
    .description('who a certificate says its holder is, and every rule of the profile: obeyed?')
    .argument('<file>', 'PEM or DER; - is stdin')
    .option('--json', 'one JSON document: a report, or a list of them for several certificates')
    .addOption(
      new Option('--profile <name>', 'the rules to check')
        .choices(['xep-0416', 'rfc6940'])
        .default('xep-0416'),
    )
    .addOption(
      new Option('--role <role>', 'what it shall be; by default what it says of itself').choices([
        'leaf',
        'self-signed',
        'domain',
        'domain-associated',
        'intermediate',
        'root',
      ]),
    )
    .option('--overlay <name>', 'the overlay that its URI must name')
    .addHelpText('after', INSPECT_EXAMPLES)
    .action(inspect);
  command
    .command('verify')
    .description('judge many certificate chains: one JSON line a case')
    .requiredOption('--batch <file>', 'JSON: {"cases":[{"id","anchors","chain",…}]}; - is stdin')
    .option('--json', 'one JSON document a line (what is printed anyway)')
    .addHelpText('after', VERIFY_EXAMPLES)
    .action(verify);
  return command;
}

async function inspect(file: string, options: InspectOptions): Promise<void> {
  const reports = certificateReports(await readInput(file), {
    profile: options.profile,
    overlayName: options.overlay,
    role: options.role === 'domain' ? 'domain-associated' : options.role,
    unixMs: Date.now(),
  });
  if (typeof reports === 'string') throw new OperatorError(`${file}: ${reports}`);
  if (options.json === true) printJson(reports.length === 1 ? reports[0] : reports);
  else printLine(reports.map(formatCertificateReport).join('\n\n'));
}

async function verify(options: { readonly batch: string }): Promise<void> {
  const text = Buffer.from(await readInput(options.batch)).toString('utf8');
  const verdicts = verifyBatch(text, Date.now());
  if (typeof verdicts === 'string') throw new OperatorError(`${options.batch}: ${verdicts}`);
  for (const verdict of verdicts) printJson(verdict);
}

async function readInput(file: string): Promise<Uint8Array> {
  if (file !== '-') return new Uint8Array(await readFile(file));
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return new Uint8Array(Buffer.concat(chunks));
}

const INSPECT_EXAMPLES = `
Examples:
  $ xor cert inspect certificate.pem
  $ xor cert inspect authority.pem --role domain
  $ xor lookup juliet@example.org --json | jq -r '.[0].pem' | xor cert inspect - --json`;

const VERIFY_EXAMPLES = `
Example:
  $ xor cert verify --batch cases.json`;
