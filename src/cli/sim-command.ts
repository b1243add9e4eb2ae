import { Command } from 'commander';
import { loadScenario, presetNames } from '../../sim/run/scenario-files.ts';
import { readNumber } from './option-readers.ts';
import { readSeed, withScenarioOptions } from './sim-options.ts';
import { runSim } from './sim-run.ts';
import { printJson, printTable } from './terminal-output.ts';

/** `xor sim`: overlays of many peers on virtual time. */
export function simCommand(): Command {
  return new Command('sim')
    .description('simulate overlays: many peers of the real code on virtual time')
    .addCommand(run(), { isDefault: true })
    .addCommand(list())
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

const readEvent = readNumber(1, Number.MAX_SAFE_INTEGER);
const readSeconds = readNumber(0, 86_400);

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
  $ xor sim list`;
