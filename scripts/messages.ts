/**
 * `npm run messages -- [--messages 10000] [--cuts 50] [--kills 10] [--seed S]`: two users write to
 * each other, peers in processes of their own, while the network between these is cut and each is
 * killed so many times. What is lost, doubled or out of order is told, and the exit status is 1.
 */
import { parseArgs } from 'node:util';
import { surviveCutsAndKills } from '../test/cli/message-survival.ts';

async function main(args: readonly string[]): Promise<number> {
  const numbers = readNumbers(args);
  if (numbers === undefined) {
    console.error(USAGE);
    return 2;
  }
  const { messages, cuts, kills, seed } = numbers;
  const repeat = `--messages ${messages} --cuts ${cuts} --kills ${kills} --seed ${seed}`;
  console.log(`npm run messages -- ${repeat}`);
  const startMs = performance.now();
  const tell = (line: string) => console.error(line);
  const { faults, heardAtOnce, heardAgain } = await surviveCutsAndKills({ ...numbers, tell });
  const seconds = Math.round((performance.now() - startMs) / 1000);
  console.log(`${messages} messages, ${cuts} cuts, ${kills} kills of each peer in ${seconds} s`);
  console.log(`clients with XEP-0198 heard ${heardAtOnce} at once, the rest from the archive`);
  console.log(`clients without it heard ${heardAgain} again`);
  for (const fault of faults) console.log(fault);
  console.log(faults.length === 0 ? 'nothing lost, doubled or out of order' : `seed ${seed}`);
  return faults.length === 0 ? 0 : 1;
}

function readNumbers(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        messages: { type: 'string', default: '10000' },
        cuts: { type: 'string', default: '50' },
        kills: { type: 'string', default: '10' },
        seed: { type: 'string', default: String(1 + (Date.now() % 2 ** 31)) },
      },
    });
    const numbers = {
      messages: Number(values.messages),
      cuts: Number(values.cuts),
      kills: Number(values.kills),
      seed: Number(values.seed),
    };
    const areWhole = Object.values(numbers).every(
      (each) => Number.isSafeInteger(each) && each >= 0,
    );
    return areWhole && numbers.messages > 0 && numbers.seed > 0 ? numbers : undefined;
  } catch {
    return undefined;
  }
}

const USAGE = `npm run messages -- [--messages N] [--cuts N] [--kills N] [--seed S]
Whole numbers; messages and seed above zero. The same seed chooses the same instants.`;

process.exitCode = await main(process.argv.slice(2));
