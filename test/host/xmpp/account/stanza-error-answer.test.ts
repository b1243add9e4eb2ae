import { expect, it } from 'vitest';
import { StanzaErrorAnswer } from '../../../../src/host/xmpp/account/server-connection.ts';

it('what a server says in an error is quoted shortly, on one line', () => {
  const answer = new StanzaErrorAnswer('montague.lit', {
    condition: `no${'t'.repeat(10_000)}`,
    errorType: 'cancel',
    text: `go\n\u009b2J away${'!'.repeat(1_000_000)}`,
    applicationCondition: undefined,
  });
  expect(answer.message).toMatch(/^montague\.lit answers not/);
  expect(answer.message).not.toMatch(/\p{Cc}/u);
  expect(answer.message.length).toBeLessThan(500);
});
