import { expect, test } from 'vitest';
import { surviveCutsAndKills } from './message-survival.ts';

/** `npm run messages -- --messages 300 --cuts 5 --kills 2 --seed S` repeats it. */
test('XEP-0198, XEP-0359: between processes, cuts and kill -9 lose and double no message', async () => {
  const seed = 1 + (Date.now() % 2 ** 31);
  console.log(`cuts and kills with seed ${seed}`);
  const survived = await surviveCutsAndKills({ messages: 300, cuts: 5, kills: 2, seed });
  expect(survived.faults).toEqual([]);
  expect(survived.heardAtOnce).toBeGreaterThan(0);
}, 240_000);
