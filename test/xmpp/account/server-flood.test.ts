import { expect, it } from 'vitest';
import { SERVER_JUDGED_BYTES_MAX } from '../../../src/xmpp/account/account-limits.ts';
import { body, condition, xml } from '../routing/verona.ts';
import { lovers } from './account-lovers.ts';

it('what waits for a judgement has a limit in bytes, and who sends more is told', () => {
  const { server, juliet } = lovers('overlay');
  const held: (() => void)[] = [];
  server.hooks = {
    outgoing: (message, then) => then({ type: 'leaves', message }),
    incoming: (message, _from, then) => {
      held.push(() => then({ type: 'taken', message }));
    },
  };
  juliet.crash();
  const balcony = juliet.client('balcony');
  const account = server.of(juliet);
  account.comes();
  juliet.settle();
  server.sent.length = 0;
  const before = account.handledCount;
  const characters = 200_000;
  const fits = Math.floor(SERVER_JUDGED_BYTES_MAX / characters);
  const flood = (n: number) => {
    const from = `stranger${n % 40}@verona.lit`;
    const text = `<body>${n} ${'x'.repeat(characters)}</body>`;
    account.arrives(xml(`<message from="${from}" type="chat" id="m${n}">${text}</message>`));
  };
  for (let n = 0; n < fits + 20; n += 1) flood(n);
  juliet.settle();
  const errors = server.sent.filter(({ attributes }) => attributes.get('type') === 'error');
  expect(errors.length).toBeGreaterThanOrEqual(20);
  expect(errors.length).toBeLessThan(40);
  expect(new Set(errors.map(condition))).toEqual(new Set(['resource-constraint']));
  while (held.length > 0) {
    juliet.turn(() => held.shift()?.());
    juliet.settle();
  }
  // The server gives errors back that nobody is there for.
  expect(account.handledCount - before).toBe(fits + 20 + errors.length);
  balcony.gets();
  account.arrives(xml('<message from="nurse@capulet.lit" type="chat"><body>hers</body></message>'));
  juliet.turn(() => held.shift()?.());
  juliet.settle();
  expect(balcony.getsMessages().map(body)).toEqual(['hers']);
});
