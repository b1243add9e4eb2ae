import { Command, InvalidArgumentError, Option } from 'commander';
import type { MoveProgress } from '../host/authority/ledger-move.ts';
import {
  type AuthorityOptions,
  authorityStateDirectory,
  caExamples,
  withAuthorityOptions,
} from './ca-options.ts';
import { Progress, printJson, printLine } from './terminal-output.ts';

/** `xor ca ledger`: where the ledger is kept. */
export function caLedgerCommand(): Command {
  return new Command('ledger')
    .description('the ledger: move it to PostgreSQL, or back into the state directory')
    .addHelpText('after', caExamples(...EXAMPLES))
    .addCommand(moveCommand());
}

interface MoveOptions extends AuthorityOptions {
  readonly to: LedgerTarget;
}

/** undefined: the state directory. */
interface LedgerTarget {
  readonly database: string | undefined;
}

function moveCommand(): Command {
  return withAuthorityOptions(new Command('move'))
    .description('move the ledger of an authority that does not run to another, empty store')
    .addOption(
      new Option('--to <store>', 'postgres://USER@HOST/DATABASE, or state: the state directory')
        .argParser(readTarget)
        .makeOptionMandatory(),
    )
    .addHelpText(
      'after',
      `${caExamples(...EXAMPLES)}

All entries and documents are copied in their order, and the chain is verified on both sides. What
was left behind says so and takes no more entries. Where this is cut short, run it again.`,
    )
    .action(move);
}

async function move(options: MoveOptions): Promise<void> {
  const { moveLedger } = await import('../host/authority/ledger-move.ts');
  const progress = new Progress(options.json !== true);
  const onProgress: MoveProgress = (step, done, of) =>
    progress.show(`${step} ${done} of ${of} entries`);
  const moved = await moveLedger({
    stateDirectory: authorityStateDirectory(options.state),
    from: options.database,
    to: options.to.database,
    onProgress,
  }).finally(() => progress.done());
  const { from, to, head } = moved;
  const { sequence: entries } = head;
  if (options.json === true) {
    printJson({ event: 'moved', from, to, entries, head: `${entries}:${head.hash}` });
    return;
  }
  printLine(`${entries} entries are in ${to}; their chain is sound`);
  printLine(`head: ${entries}:${head.hash}`);
  if (options.to.database === undefined) {
    printLine('from now on run every xor ca and xor config command without --database');
  } else {
    printLine('from now on give every xor ca and xor config command this --database');
  }
  printLine(`keep ${from} as a backup, or remove it: nothing is added to it any more`);
}

function readTarget(text: string): LedgerTarget {
  if (text === 'state') return { database: undefined };
  if (/^postgres(?:ql)?:\/\//.test(text)) return { database: text };
  throw new InvalidArgumentError('expected postgres://USER@HOST/DATABASE, or state');
}

const EXAMPLES = [
  'ledger move --state ./ca --to postgres://ca@db.example.org/ledger',
  'ledger move --state ./ca --database postgres://ca@db.example.org/ledger --to state',
];
