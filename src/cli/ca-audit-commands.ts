import { Command, InvalidArgumentError, Option } from 'commander';
import type { AuditRecord } from '../host/authority/ledger/ledger-audit.ts';
import type { LedgerHead } from '../host/authority/ledger/ledger-entry.ts';
import type { LedgerStore } from '../host/authority/ledger/ledger-store.ts';
import {
  type AuthorityOptions,
  authorityStateDirectory,
  caExamples,
  withAuthorityOptions,
} from './ca-options.ts';
import { OperatorError } from './operator-error.ts';
import { readNumber } from './option-readers.ts';
import { printJson, printLine } from './terminal-output.ts';

/** `xor ca audit`: the ledger, which is a hash chain of all that the authority did. */
export function caAuditCommand(): Command {
  return new Command('audit')
    .description('the audit log: what the authority did, and whether that was changed since')
    .addHelpText('after', caExamples('audit verify', 'audit show --last 20'))
    .addCommand(verifyCommand())
    .addCommand(showCommand());
}

function verifyCommand(): Command {
  return withAuthorityOptions(new Command('verify'))
    .description('check that no entry was changed, put in or taken away; exit status 1: one was')
    .addOption(
      new Option(
        '--pinned <sequence:hash>',
        'a head printed before, noted where nobody at the authority can change it',
      ).argParser(readHead),
    )
    .addHelpText(
      'after',
      caExamples('audit verify', `audit verify --pinned 7:${'0a'.repeat(32)} --json`),
    )
    .action(async (options: AuthorityOptions & { pinned?: LedgerHead }) => {
      const { auditLedger } = await import('../host/authority/ledger/ledger-audit.ts');
      const verdict = await withLedger(options, (ledger) => auditLedger(ledger, options.pinned));
      if (verdict.type === 'broken') {
        const { sequence, reason } = verdict;
        if (options.json === true) printJson({ valid: false, entry: sequence, reason });
        throw new OperatorError(`the audit log is broken at entry ${sequence}: ${reason}`);
      }
      const { sequence, hash } = verdict.head;
      const head = `${sequence}:${hash}`;
      if (options.json === true) printJson({ valid: true, entries: sequence, head });
      else {
        printLine(`${sequence} entries, each follows from the one before`);
        printLine(`head: ${head}`);
        printLine('note the head down elsewhere, and give it to --pinned the next time');
      }
    });
}

function showCommand(): Command {
  return withAuthorityOptions(new Command('show'))
    .description('the entries, oldest first; with --json one a line')
    .option('--last <n>', 'only the last ones', readNumber(1, Number.MAX_SAFE_INTEGER))
    .addHelpText('after', caExamples('audit show --last 20', 'audit show --json'))
    .action(async (options: AuthorityOptions & { last?: number }) => {
      const audit = await import('../host/authority/ledger/ledger-audit.ts');
      await withLedger(options, async (ledger) => {
        const end = await audit.lastSequence(ledger);
        const after = options.last === undefined ? 0 : Math.max(0, end - options.last);
        for await (const record of audit.auditRecords(ledger, after)) {
          if (typeof record === 'string') throw new OperatorError(`the audit log ends: ${record}`);
          if (options.json === true) printJson(record);
          else printLine(lineOf(record));
        }
      });
    });
}

/** Reads beside an authority that runs, and without its keys. */
async function withLedger<Result>(
  options: AuthorityOptions,
  use: (ledger: LedgerStore) => Promise<Result>,
): Promise<Result> {
  const { openLedgerForReading } = await import('../host/authority/ledger/open-ledger-store.ts');
  const ledger = await openLedgerForReading(
    authorityStateDirectory(options.state),
    options.database,
  );
  try {
    return await use(ledger);
  } finally {
    await ledger.close();
  }
}

function lineOf({ sequence, event }: AuditRecord): string {
  const { type, unixMs, ...rest } = event;
  const fields = Object.entries(rest)
    .filter(([name]) => name !== 'certificate')
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const time = new Date(unixMs).toISOString();
  const text = [sequence, time, type, ...fields].join('  ');
  // A detail may quote what a stranger sent.
  return text.replace(/\p{Cc}+/gu, ' ');
}

function readHead(text: string): LedgerHead {
  const [, sequence, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (sequence !== undefined && hash !== undefined) return { sequence: Number(sequence), hash };
  throw new InvalidArgumentError('expected SEQUENCE:HASH, as `xor ca audit verify` prints it');
}
