import { describe, expect, it } from 'vitest';
import type { RequestOutcome } from '../../../src/xmpp/account/server-requests.ts';
import { CLIENT_NAMESPACE } from '../../../src/xmpp/stanza/stanza.ts';
import { childElement } from '../../../src/xmpp/stanza/xmpp-element.ts';
import { body, condition, Verona, type VeronaPeer, xml } from '../routing/verona.ts';
import { chat, JULIET, lovers, ROMEO, serverOf, unreached, waits } from './account-lovers.ts';
import { PlayedServer } from './played-server.ts';

describe('what comes by the server: its word, and no more', () => {
  function fromServer(peer: VeronaPeer, server: PlayedServer, text: string): void {
    server.of(peer).arrives(xml(text));
    peer.settle();
  }

  it('is acknowledged when it is on disk (XEP-0198), in order', () => {
    const { server, juliet, balcony } = lovers('overlay');
    const account = server.of(juliet);
    const before = account.handledCount;
    juliet.isDiskHeld = true;
    fromServer(juliet, server, `<message from="${ROMEO}/x" type="chat"><body>one</body></message>`);
    fromServer(juliet, server, `<presence from="${ROMEO}/x"/>`);
    expect([account.handledCount - before, balcony.reads()]).toEqual([0, []]);
    juliet.releaseDisk();
    expect([account.handledCount - before, balcony.reads()]).toEqual([2, ['one']]);
  });

  it('a forged mark and ids in our name are taken off', () => {
    const { server, juliet, balcony } = lovers('overlay');
    const forged =
      '<came-by-server xmlns="urn:xmpp-over-reload:server-path:0" server="trusted.example"/>' +
      `<stanza-id xmlns="urn:xmpp:sid:0" by="${JULIET}" id="forged"/>`;
    const text = `<body>one</body>${forged}`;
    fromServer(juliet, server, `<message from="${ROMEO}/x" type="chat">${text}</message>`);
    const [message] = balcony.getsMessages();
    expect(message && serverOf(message)).toBe('capulet.lit');
    expect(message?.children.filter((node) => JSON.stringify(node).includes('forged'))).toEqual([]);
  });

  it.each([
    [
      'to somebody else',
      `<message from="${ROMEO}" to="nurse@capulet.lit"><body>x</body></message>`,
    ],
    ['from no address', '<message from="@@"><body>x</body></message>'],
    ['of a room', `<message from="${ROMEO}" type="groupchat"><body>x</body></message>`],
    [
      'an error for nothing',
      `<message from="${ROMEO}" type="error" id="x"><body>x</body></message>`,
    ],
    ['a request to see the user', `<presence from="${ROMEO}" type="subscribe"/>`],
    ['a permission', `<presence from="${ROMEO}" type="subscribed"/>`],
    ['presence of a stranger', `<presence from="${ROMEO}/x"/>`],
  ])('%s reaches nobody, and is acknowledged', (_what, text) => {
    const { server, juliet, balcony } = lovers('overlay');
    const before = server.of(juliet).handledCount;
    fromServer(juliet, server, text);
    expect(balcony.gets()).toEqual([]);
    expect(server.of(juliet).handledCount - before).toBe(1);
  });

  it('XEP-0280 §11: copies by the own account alone', () => {
    const { server, juliet, balcony } = lovers('overlay');
    const copy = (from: string, direction: string, inner: string) =>
      `<message from="${from}"><${direction} xmlns="urn:xmpp:carbons:2"><forwarded ` +
      `xmlns="urn:xmpp:forward:0">${inner}</forwarded></${direction}></message>`;
    const received = message(`${ROMEO}/x`, `${JULIET}/phone`, 'got');
    fromServer(juliet, server, copy(ROMEO, 'received', received));
    fromServer(juliet, server, copy(`${JULIET}/phone`, 'received', received));
    expect(balcony.gets()).toEqual([]);
    fromServer(juliet, server, copy(JULIET, 'received', received));
    expect(balcony.reads()).toEqual(['got']);
    const foreign = message(ROMEO, 'nurse@capulet.lit', 'no');
    fromServer(juliet, server, copy(JULIET, 'received', foreign));
    fromServer(juliet, server, copy(JULIET, 'sent', foreign));
    expect(balcony.gets()).toEqual([]);
    balcony.sends('<iq type="set" id="c"><enable xmlns="urn:xmpp:carbons:2"/></iq>');
    balcony.gets();
    const sent = message(
      `${JULIET}/phone`,
      ROMEO,
      'sent',
      '<origin-id xmlns="urn:xmpp:sid:0" id="s1"/>',
    );
    fromServer(juliet, server, copy(JULIET, 'sent', sent));
    expect(balcony.getsMessages()).toHaveLength(1);
    fromServer(juliet, server, copy(JULIET, 'sent', sent));
    expect(balcony.getsMessages()).toEqual([]);
  });

  it('XEP-0415 §6.2: an own device without the account gets what copies tell of', () => {
    const { verona, server, juliet, balcony } = lovers('overlay');
    verona.server = undefined;
    const second = verona.peer(JULIET);
    const garden = second.client('garden');
    verona.connect(juliet, second);
    const copy = (direction: string, inner: string) =>
      `<message from="${JULIET}"><${direction} xmlns="urn:xmpp:carbons:2"><forwarded ` +
      `xmlns="urn:xmpp:forward:0">${inner}</forwarded></${direction}></message>`;
    const received = message(`${ROMEO}/x`, `${JULIET}/phone`, 'got');
    server.of(juliet).arrives(xml(copy('received', received)));
    verona.settle();
    expect([balcony.reads(), garden.reads()]).toEqual([['got'], ['got']]);
    const sent = message(
      `${JULIET}/phone`,
      ROMEO,
      'sent',
      '<origin-id xmlns="urn:xmpp:sid:0" id="s"/>',
    );
    const before = second.keys('archive/').length;
    server.of(juliet).arrives(xml(copy('sent', sent)));
    server.of(juliet).arrives(xml(copy('sent', sent)));
    verona.settle();
    expect(second.keys('archive/').length).toBe(before + 1);
    expect([garden.reads(), server.sent]).toEqual([[], []]);
  });

  it('ten thousand messages that waited for one of the same sender are taken one after another', () => {
    const { server, juliet } = lovers('overlay');
    let release: () => void = () => undefined;
    let isFirst = true;
    let taken = 0;
    server.hooks = {
      outgoing: (given, then) => then({ type: 'leaves', message: given }),
      incoming: (given, _from, then) => {
        const take = () => then({ type: 'refused', condition: 'x', reason: body(given) ?? '' });
        taken += 1;
        if (isFirst) release = take;
        else take();
        isFirst = false;
      },
    };
    juliet.crash();
    server.of(juliet).comes();
    for (let index = 0; index < 10_000; index += 1) {
      server.of(juliet).arrives(xml(`<message from="${ROMEO}/x"><body>${index}</body></message>`));
    }
    expect(taken).toBe(1);
    juliet.turn(release);
    expect(taken).toBe(10_000);
  });

  it('XEP-0191: whoever is blocked is blocked here, too, and in copies', () => {
    const { server, juliet, balcony } = lovers('overlay');
    balcony.sends(
      `<iq type="set" id="b"><block xmlns="urn:xmpp:blocking"><item jid="${ROMEO}"/></block></iq>`,
    );
    balcony.gets();
    server.sent.length = 0;
    const inner = message(`${ROMEO}/x`, JULIET, 'no');
    fromServer(juliet, server, inner);
    fromServer(
      juliet,
      server,
      `<message from="${JULIET}"><received xmlns="urn:xmpp:carbons:2"><forwarded ` +
        `xmlns="urn:xmpp:forward:0">${inner}</forwarded></received></message>`,
    );
    expect(balcony.gets()).toEqual([]);
    expect(server.sent.map(condition)).toEqual(['service-unavailable']);
  });

  it('XEP-0359: a copy of what came by the overlay is recognised, and the other way round', () => {
    const { verona, server, romeo, juliet, orchard, balcony } = lovers('overlay');
    verona.connect(romeo, juliet);
    const origin = '<origin-id xmlns="urn:xmpp:sid:0" id="o1"/>';
    orchard.sends(chat(JULIET, 'one', origin));
    fromServer(juliet, server, withFrom(chat(JULIET, 'one', origin)));
    const second = '<origin-id xmlns="urn:xmpp:sid:0" id="o2"/>';
    fromServer(juliet, server, withFrom(chat(JULIET, 'two', second)));
    orchard.sends(chat(JULIET, 'two', second));
    expect([balcony.reads(), waits(romeo)]).toEqual([['one', 'two'], 0]);
  });

  it('a hook that refuses, and one that takes its time: each sender keeps its order', () => {
    const { server, romeo, juliet } = lovers('overlay');
    const judged: [string | undefined, () => void][] = [];
    server.hooks = {
      outgoing: (message, then) => then({ type: 'leaves', message }),
      incoming: (message, _from, then) => {
        const isBad = body(message) === 'bad';
        const taken = { type: 'taken', message } as const;
        const refused = {
          type: 'refused',
          condition: 'not-acceptable',
          reason: 'forged',
        } as const;
        judged.push([body(message), () => then(isBad ? refused : taken)]);
      },
    };
    juliet.crash();
    const balcony = juliet.client('balcony');
    server.of(juliet).comes();
    for (const [from, text] of [
      [ROMEO, 'one'],
      [ROMEO, 'bad'],
      [ROMEO, 'two'],
      ['nurse@capulet.lit', 'hers'],
    ] as const) {
      const inside = `<body>${text}</body>`;
      fromServer(juliet, server, `<message from="${from}" type="chat">${inside}</message>`);
    }
    expect(judged.map(([text]) => text)).toEqual(['one', 'hers']);
    for (let next = judged.pop(); next !== undefined; next = judged.pop()) {
      const [, decide] = next;
      juliet.turn(decide);
      juliet.settle();
    }
    expect(balcony.reads()).toEqual(['hers', 'one', 'two']);
    expect(juliet.events.some((event) => JSON.stringify(event).includes('forged'))).toBe(true);
    expect(waits(romeo)).toBe(0);
  });
});

describe('requests and presence over the server', () => {
  const RESULT: RequestOutcome = {
    type: 'result',
    stanza: xml(
      '<iq type="result" id="s" from="conference.capulet.lit"><query xmlns="urn:q"/></iq>',
    ),
  };

  it('RFC 6120 §8.2.3: a service is asked by the server, and its answer goes to the client', () => {
    const { server, orchard } = lovers('overlay');
    server.answer = RESULT;
    orchard.sends('<iq type="get" id="q" to="conference.capulet.lit"><query xmlns="urn:q"/></iq>');
    const [answer] = orchard.gets();
    expect(answer?.attributes.get('id')).toBe('q');
    expect(answer?.attributes.get('from')).toBe('conference.capulet.lit');
    expect(answer?.attributes.get('to')).toBe('romeo@montague.lit/orchard');
  });

  it('a user whom the overlay does not reach is asked by the server', () => {
    const { server, romeo, orchard } = lovers('overlay');
    server.answer = {
      type: 'error',
      error: {
        condition: 'item-not-found',
        errorType: 'cancel',
        text: undefined,
        applicationCondition: undefined,
      },
    };
    orchard.sends(`<iq type="get" id="q" to="${JULIET}"><query xmlns="urn:q"/></iq>`);
    expect(orchard.gets()).toEqual([]);
    unreached(romeo, JULIET);
    const [answer] = orchard.gets();
    expect(answer && condition(answer)).toBe('item-not-found');
  });

  it('without the server it stays as it is in the overlay', () => {
    const { server, romeo, orchard } = lovers('overlay');
    server.of(romeo).goes();
    orchard.sends('<iq type="get" id="q" to="conference.capulet.lit"><query xmlns="urn:q"/></iq>');
    const [answer] = orchard.gets();
    expect(answer && condition(answer)).toBe('remote-server-not-found');
  });

  it('of others, pings are answered, and nothing of the account is', () => {
    const { verona, server, juliet } = lovers('overlay');
    server
      .of(juliet)
      .arrives(xml(`<iq type="get" id="p" from="${ROMEO}/x"><ping xmlns="urn:xmpp:ping"/></iq>`));
    server
      .of(juliet)
      .arrives(
        xml(`<iq type="get" id="r" from="${ROMEO}/x"><query xmlns="jabber:iq:roster"/></iq>`),
      );
    verona.settle();
    expect(server.sent.map(({ attributes }) => attributes.get('type'))).toEqual([
      'result',
      'error',
    ]);
  });

  it('RFC 6121 §4: available at the server while a client is, with its state and nothing else', () => {
    const verona = new Verona();
    const server = new PlayedServer('overlay');
    verona.server = server;
    const romeo = verona.peer(ROMEO);
    server.of(romeo).comes();
    expect(server.sent).toEqual([]);
    const caps = '<c xmlns="http://jabber.org/protocol/caps" hash="sha-1" node="n" ver="v"/>';
    const orchard = romeo.client('orchard', `<presence><show>away</show>${caps}</presence>`);
    const tower = romeo.client('tower', '<presence><priority>5</priority></presence>');
    tower.leaves();
    orchard.sends('<presence type="unavailable"/>');
    const told = server.sent.map((stanza) => [
      stanza.attributes.get('type'),
      stanza.children.map((node) => (typeof node === 'string' ? node : node.name)),
    ]);
    expect(told).toEqual([
      [undefined, ['show']],
      [undefined, ['priority']],
      [undefined, ['show']],
      ['unavailable', []],
    ]);
  });

  it('a contact whom the overlay reaches is not shown twice', () => {
    const { verona, server, romeo, juliet, orchard, balcony } = lovers('overlay');
    verona.connect(romeo, juliet);
    balcony.sends(`<presence to="${ROMEO}" type="subscribe"/>`);
    orchard.sends(`<presence to="${JULIET}" type="subscribed"/>`);
    verona.cut(romeo, juliet);
    balcony.gets();
    server.of(juliet).arrives(xml(`<presence from="${ROMEO}/peer"><show>dnd</show></presence>`));
    verona.settle();
    const [shown] = balcony.gets();
    expect(shown && childElement(shown, 'show', CLIENT_NAMESPACE)).toBeDefined();
    verona.connect(romeo, juliet);
    const froms = balcony
      .gets()
      .map(({ attributes }) => [attributes.get('from'), attributes.get('type')]);
    expect(froms).toContainEqual([`${ROMEO}/peer`, 'unavailable']);
    expect(froms).toContainEqual([`${ROMEO}/orchard`, undefined]);
  });
});

function message(from: string, to: string, text: string, inside = ''): string {
  const attributes = `xmlns="jabber:client" type="chat" from="${from}" to="${to}"`;
  return `<message ${attributes}><body>${text}</body>${inside}</message>`;
}

function withFrom(text: string): string {
  return text.replace('<message ', `<message from="${ROMEO}/peer" `);
}
