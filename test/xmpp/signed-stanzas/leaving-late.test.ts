import { describe, expect, test } from 'vitest';
import type { OutgoingOutcome } from '../../../src/xmpp/account/server-path-hooks.ts';
import { withAttributes, type XmppElement } from '../../../src/xmpp/stanza/xmpp-element.ts';
import { chat, JULIET, lovers, waits } from '../account/account-lovers.ts';
import { body, xml } from '../routing/verona.ts';

/** Romeo's messages leave over the server when the test says so, under an id of their own. */
function slowly() {
  const all = lovers('server');
  const { romeo, server } = all;
  const held: ((outcome?: OutgoingOutcome) => void)[] = [];
  server.hooks = {
    incoming: (message, _from, then) => then({ type: 'taken', message }),
    outgoing: (message, then) => {
      const leaving = withAttributes(message, { id: `outer-${held.length}` });
      held.push((outcome = { type: 'leaves', message: leaving }) => then(outcome));
    },
  };
  romeo.crash();
  server.of(romeo).comes();
  const orchard = romeo.client('orchard');
  server.sent.length = 0;
  const release = (outcome?: OutgoingOutcome) => {
    romeo.turn(() => held.shift()?.(outcome));
    romeo.settle();
    all.verona.settle();
  };
  const bodies = () => server.sent.map((stanza: XmppElement) => body(stanza)).filter(Boolean);
  return { ...all, orchard, held, release, bodies };
}

describe('a message whose signature waits for a certificate', () => {
  test('leaves when that is found, and stays in the outbox until then', () => {
    const { bodies, orchard, release, romeo } = slowly();
    orchard.sends(chat(JULIET, 'one'));
    expect([bodies(), waits(romeo)]).toEqual([[], 1]);
    release();
    expect([bodies(), waits(romeo)]).toEqual([['one'], 0]);
  });

  test('is not lost when the server goes meanwhile: it leaves when it is back', () => {
    const { bodies, held, orchard, release, romeo, server } = slowly();
    orchard.sends(chat(JULIET, 'one'));
    server.of(romeo).goes();
    release();
    expect([bodies(), waits(romeo)]).toEqual([[], 1]);
    server.of(romeo).comes();
    expect(held).toHaveLength(1);
    release();
    expect([bodies(), waits(romeo)]).toEqual([['one'], 0]);
  });

  test('that cannot be signed waits for the overlay', () => {
    const { bodies, orchard, release, romeo } = slowly();
    orchard.sends(chat(JULIET, 'one'));
    release({ type: 'refused', reason: 'it is too large to be signed' });
    expect([bodies(), waits(romeo)]).toEqual([[], 1]);
  });

  test('an error under the id that it left with is known to be for it', () => {
    const { orchard, release, romeo, server } = slowly();
    server.isSlow = true;
    orchard.sends(chat(JULIET, 'one'));
    release();
    const id = server.sent.find((stanza) => body(stanza) === 'one')?.attributes.get('id');
    expect(id).toMatch(/^outer-/);
    const error = `<message type="error" id="${id}" from="${JULIET}"><error type="modify"/></message>`;
    server.of(romeo).arrives(xml(error));
    romeo.settle();
    expect(waits(romeo)).toBe(1);
    expect(orchard.gets()).toEqual([]);
  });
});
