import { Command, Option } from 'commander';
import { defaultWorkers } from '../../sim/run/run-all.ts';
import { loadScenario, presetNames } from '../../sim/run/scenario-files.ts';
import { readNumber } from './option-readers.ts';
import { mergeSim } from './sim-merge.ts';
import { readSeed, readSeeds, withScenarioOptions } from './sim-options.ts';
import { runSim } from './sim-run.ts';
import { smokeSim } from './sim-smoke.ts';
import { collectVariation, readShard, sweepSim } from './sim-sweep.ts';
import { printJson, printTable } from './terminal-output.ts';

/** `xor sim`: overlays of many peers on virtual time. */
export function simCommand(): Command {
  return new Command('sim')
    .description('simulate overlays: many peers of the real code on virtual time')
    .addCommand(run(), { isDefault: true })
    .addCommand(list())
    .addCommand(smoke())
    .addCommand(sweep())
    .addCommand(merge())
    .addHelpText('after', EXAMPLES);
}

function run(): Command {
  return withScenarioOptions(new Command('run'))
    .description('run a scenario; the default, so `xor sim --peers 30` does it too')
    .option('--seed <number>', 'the same seed gives the same run; random otherwise', readSeed)
    .option('--json', 'end with one line of JSON')
    .option('--report <file.html>', 'write a report with plots, and SVG and CSV beside it')
    .option('--replay <event>', 'stop at this event and print the state of nodes', readEvent)
    .option('--node <name...>', 'with --replay: these nodes (n0, n1, …), not the one of the event')
    .option('--no-studies', 'the scenario alone, where the file lists several runs')
    .option('--shrink-seconds <n>', 'time for making a failure smaller', readSeconds, 60)
    .option('--failure-dir <dir>', 'where xor-sim-failure-SEED.json is written', '.')
    .addHelpText('after', RUN_EXAMPLES)
    .action(runSim);
}

function list(): Command {
  return new Command('list')
    .description('the scenarios that come with the program')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  $ xor sim list')
    .action((options: { readonly json?: boolean }) => {
      const presets = presetNames().map((name) => {
        const { scenario, studies } = loadScenario(name);
        const { peers, hours, description } = scenario;
        return { name, peers, hours, studies: studies.length, description };
      });
      if (options.json === true) {
        printJson(presets);
        return;
      }
      printTable(
        ['SCENARIO', 'PEERS', 'HOURS', 'WHAT HAPPENS'],
        presets.map((preset) => [
          preset.name,
          preset.studies > 0 ? 'varied' : String(preset.peers),
          String(preset.hours),
          preset.description,
        ]),
      );
    });
}

function smoke(): Command {
  return new Command('smoke')
    .description('run fresh seeds, and those that failed once; exit status as the worst of them')
    .option('--seeds <number>', 'how many fresh ones', readNumber(0, SMOKE_SEEDS_MAX), 20)
    .option('--scenario <name|file>', 'for the fresh ones', 'smoke')
    .addOption(
      new Option('--signatures <kind>', 'for the fresh ones')
        .choices(['real', 'cheap'])
        .default('cheap'),
    )
    .option('--workers <number>', 'threads', readWorkers, defaultWorkers())
    .option('--json', 'one line of JSON a run, and one for all')
    .option('--shrink-seconds <n>', 'time for making each failure smaller', readSeconds, 30)
    .option('--failure-dir <dir>', 'where xor-sim-failure-SEED.json is written', '.')
    .addHelpText('after', '\nExample:\n  $ xor sim smoke --seeds 20')
    .action(smokeSim);
}

function sweep(): Command {
  return withScenarioOptions(new Command('sweep'))
    .description('many runs over seeds and parameters into one file; goes on where it was')
    .addOption(
      new Option('--seeds <list>', 'such as 1-50 or 1,5,9')
        .argParser(readSeeds)
        .default(readSeeds('1-10'), '1-10'),
    )
    .option('--vary <path=a,b,c>', 'run with each of these; repeatable', collectVariation, [])
    .requiredOption('--out <file.jsonl>', 'one line of JSON a run')
    .addOption(
      new Option('--shard <i/n>', 'only every n-th run, from the i-th, counted from 0')
        .argParser(readShard)
        .default({ index: 0, count: 1 }, '0/1'),
    )
    .option('--workers <number>', 'threads', readWorkers, defaultWorkers())
    .option('--json', 'end with one line of JSON')
    .addHelpText('after', SWEEP_EXAMPLES)
    .action(sweepSim);
}

function merge(): Command {
  return new Command('merge')
    .description('the shards of a sweep as one table; says what is missing')
    .argument('<files...>', 'written by `xor sim sweep`')
    .option('--out <file.jsonl>', 'write all runs in order, each once')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  $ xor sim merge shard-*.jsonl --out all.jsonl')
    .action(mergeSim);
}

const readEvent = readNumber(1, Number.MAX_SAFE_INTEGER);
const readSeconds = readNumber(0, 86_400);

const readWorkers = readNumber(1, 1_024);
const SMOKE_SEEDS_MAX = 100_000;

const SWEEP_EXAMPLES = `
Examples:
  $ xor sim sweep --scenario churn-15m --seeds 1-50 --vary peers=100,300 --out churn.jsonl
  $ xor sim sweep --scenario churn-15m --seeds 1-50 --shard 3/8 --out shard-3.jsonl
  $ xor sim merge shard-*.jsonl`;

const RUN_EXAMPLES = `
Exit status: 0 clean, 127 an assertion, 128 the ring is not whole at the end, 129 a correctness
violation, 130 stopped by Ctrl-C; 2 for wrong arguments.

Examples:
  $ xor sim run --peers 1000 --hours 2 --seed 7 --report out.html
  $ xor sim run --scenario churn-15m --set network.lossShare=0.01 --json
  $ xor sim run --scenario smoke --seed 7 --replay 4711 --node n3`;

const EXAMPLES = `
Examples:
  $ xor sim --peers 100 --hours 0.5
  $ xor sim list
  $ xor sim smoke --seeds 20`;
