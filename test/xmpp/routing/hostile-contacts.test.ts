import { describe, expect, test } from 'vitest';
import { ParsedAddresses } from '../../../src/xmpp/routing/parsed-addresses.ts';
import { childElements, element, type XmppElement } from '../../../src/xmpp/stanza/xmpp-element.ts';
import { parseJid } from '../../../src/xmpp-address/jid.ts';
import { lovers } from './lovers.ts';
import { bare, condition } from './verona.ts';

const JULIET = 'juliet@capulet.lit';
const ROMEO = 'romeo@montague.lit';

describe('what others send is remembered within bounds', () => {
  test('a text that is longer than any address is not remembered', () => {
    const addresses = new ParsedAddresses();
    const long = `${'x'.repeat(4_000)}@capulet.lit`;
    expect(addresses.parse(long)).not.toBe(addresses.parse(long));
    expect(addresses.parse(JULIET)).toBe(addresses.parse(JULIET));
    const longest = `${'l'.repeat(1_023)}@capulet.lit/${'r'.repeat(1_023)}`;
    expect(addresses.parse(longest)).toEqual(parseJid(longest));
  });

  test('an id of a request that is longer than anybody needs is refused', () => {
    const { romeo, juliet, balcony } = lovers();
    const ping = '<ping xmlns="urn:xmpp:ping"/>';
    const ask = (id: string) =>
      romeo.sendsToDevices(
        JULIET,
        `<iq type="get" to="${JULIET}/balcony" id="${id}">${ping}</iq>`,
        `${ROMEO}/orchard`,
      );
    ask('i'.repeat(1_024));
    expect(balcony.gets()).toHaveLength(1);
    ask('i'.repeat(1_025));
    expect(balcony.gets()).toEqual([]);
    expect(juliet.events).toMatchObject([{ type: 'stanzaRefused', condition: 'bad-request' }]);
  });

  test('requests of a client that wait for somebody: their bytes are bounded', () => {
    const { orchard } = lovers();
    const large = `<a xmlns="urn:large">${'x'.repeat(230_000)}</a>`;
    for (let id = 0; id < 150; id += 1) {
      orchard.sends(`<iq type="get" to="mercutio@verona.lit" id="i${id}">${large}</iq>`);
    }
    const errors = orchard.gets().map(condition);
    expect(new Set(errors)).toEqual(new Set(['resource-constraint']));
    expect(errors.length).toBeLessThan(10);
    const later = '<iq type="get" to="tybalt@verona.lit" id="i"><a xmlns="urn:small"/></iq>';
    orchard.sends(later);
    expect(orchard.gets()).toEqual([]);
  });

  test('addresses that are asked for without end: the oldest are not looked for any more', () => {
    const { romeo, orchard } = lovers();
    for (let n = 0; n < 4_100; n += 1) {
      orchard.sends(`<iq type="get" to="nobody${n}@verona.lit" id="i"><a xmlns="urn:x"/></iq>`);
    }
    expect(romeo.streams.reached).toHaveLength(4_100);
    expect(romeo.streams.released).toHaveLength(100);
    expect(romeo.streams.released[0]).toBe('nobody0@verona.lit');
  });
});

describe('what a contact says in the name of the user', () => {
  const received = (inside: string) => {
    const { verona, juliet, orchard, balcony } = lovers();
    balcony.leaves();
    orchard.sends(`<message to="${JULIET}"><body>hark</body>${inside}</message>`);
    verona.passes(60_000);
    const chamber = juliet.login('chamber');
    chamber.sends('<presence/>');
    const [message] = chamber.getsMessages();
    return message === undefined ? [] : childElements(message);
  };
  const valuesOf = (children: readonly XmppElement[], name: string, attribute: string) =>
    children.filter((child) => child.name === name).map((child) => child.attributes.get(attribute));

  test.each([
    'juliet@capulet.lit',
    'Juliet@CAPULET.lit',
    'juliet@capulet.lit/balcony',
    '\uff4auliet@capulet.lit',
  ])('XEP-0359 §5: a stanza-id by %s is removed', (by) => {
    const forged = `<stanza-id xmlns="urn:xmpp:sid:0" by="${by}" id="forged"/>`;
    const other = '<stanza-id xmlns="urn:xmpp:sid:0" by="room@verona.lit" id="other"/>';
    const ids = valuesOf(received(forged + other), 'stanza-id', 'id');
    expect(ids).toEqual(['other', expect.stringMatching(/^[\w-]{20}$/)]);
  });

  test('XEP-0203 §4: a time at which her own peer would have got it is removed', () => {
    const forged = (from: string) =>
      `<delay xmlns="urn:xmpp:delay" from="${from}" stamp="1597-01-30T00:00:00Z"/>`;
    const children = received(forged(JULIET) + forged('Juliet@capulet.lit') + forged(ROMEO));
    expect(valuesOf(children, 'delay', 'stamp')).toEqual([
      '1597-01-30T00:00:00Z',
      '2026-11-21T08:00:00Z',
    ]);
  });

  test('so many that looking at each would take long are all removed', () => {
    const one = '<stanza-id xmlns="urn:xmpp:sid:0" by="room@verona.lit" id="other"/>';
    expect(valuesOf(received(one.repeat(16)), 'stanza-id', 'id')).toHaveLength(17);
    expect(valuesOf(received(one.repeat(17)), 'stanza-id', 'id')).toHaveLength(1);
  });
});

describe('contacts that come to do harm', () => {
  test('one that comes and goes without end moves nobody else’s next try', () => {
    const { verona, romeo, juliet, orchard } = lovers();
    const mercutio = verona.peer('mercutio@verona.lit');
    verona.cut(romeo, juliet);
    orchard.sends(`<message to="${JULIET}"><body>hark</body></message>`);
    romeo.turn(() => romeo.router.addressTried(bare(JULIET), 0, 0, 'nobody is there'));
    const tries = () => romeo.streams.reached.filter((address) => address === JULIET).length;
    const before = tries();
    for (let passed = 0; passed < 6_000; passed += 1_000) {
      verona.connect(romeo, mercutio);
      verona.passes(1_000);
      verona.cut(romeo, mercutio);
    }
    expect(tries()).toBe(before + 1);
  });

  test('one that fills what waits for the user leaves room for others', () => {
    const { verona, juliet, orchard, balcony } = lovers();
    const nurse = verona.peer('nurse@capulet.lit');
    const kitchen = nurse.client('kitchen');
    verona.connect(juliet, nurse);
    balcony.leaves();
    const large = 'x'.repeat(230_000);
    for (let i = 0; i < 80; i += 1) {
      orchard.sends(`<message to="${JULIET}"><body>${large}</body></message>`);
    }
    expect(juliet.keys('offline/').length).toBe(Math.ceil((8 * 1024 * 1024) / 230_000));
    kitchen.sends(`<message to="${JULIET}"><body>madam</body></message>`);
    const chamber = juliet.login('chamber');
    chamber.sends('<presence/>');
    expect(chamber.reads().at(-1)).toBe('madam');
  });

  test('many who ask to become contacts leave room for those whom the user wants', () => {
    const { romeo, juliet, balcony } = lovers();
    for (let n = 0; n < 2_100; n += 1) {
      const from = `suitor${n}@verona.lit`;
      const device = { nodeId: romeo.device.nodeId, user: bare(from) };
      const stanza = element('presence', 'jabber:client', { type: 'subscribe', from, to: JULIET });
      juliet.turn(() => juliet.router.stanzaFromDevice(device, stanza));
    }
    juliet.settle();
    expect(juliet.keys('roster/')).toHaveLength(1_000);
    balcony.gets();
    const item = '<query xmlns="jabber:iq:roster"><item jid="nurse@capulet.lit"/></query>';
    balcony.sends(`<iq type="set" id="r">${item}</iq>`);
    expect(balcony.gets().map(({ attributes }) => attributes.get('type'))).toContain('result');
  });

  test('a message that is deeper than what can be read from disk is refused', () => {
    const { romeo, juliet, balcony } = lovers();
    const nested = (depth: number): XmppElement =>
      depth === 0
        ? element('body', 'jabber:client', {}, ['x'])
        : element('a', 'u:x', {}, [nested(depth - 1)]);
    const sends = (depth: number) => {
      const attributes = { from: ROMEO, to: JULIET, id: `d${depth}` };
      const message = element('message', 'jabber:client', attributes, [nested(depth - 2)]);
      juliet.turn(() => juliet.router.stanzaFromDevice(romeo.device, message));
      juliet.settle();
    };
    for (const depth of [56, 57, 80]) sends(depth);
    expect(balcony.getsMessages()).toHaveLength(1);
    juliet.crash();
    expect(juliet.keys('archive/')).toHaveLength(1);
    expect(juliet.events.map(({ type }) => type)).toEqual(['stanzaRefused', 'stanzaRefused']);
  });
});

describe('presence of a contact', () => {
  test('more of it than there is room for is refused, and shown to nobody', () => {
    const { romeo, juliet, orchard, balcony } = lovers();
    balcony.sends(`<presence type="subscribe" to="${ROMEO}"/>`);
    orchard.sends(`<presence type="subscribed" to="${JULIET}"/>`);
    balcony.gets();
    const shows = (resource: string, bytes: number) => {
      const status = `<status>${'x'.repeat(bytes)}</status>`;
      const presence = `<presence to="${JULIET}">${status}</presence>`;
      romeo.sendsToDevices(JULIET, presence, `${ROMEO}/${resource}`);
      return balcony.gets().length;
    };
    expect(shows('one', 30_000)).toBe(1);
    expect(shows('two', 30_000)).toBe(1);
    expect(shows('three', 30_000)).toBe(0);
    expect(shows('two', 20_000)).toBe(1);
    expect(shows('one', 60_000)).toBe(0);
    for (let n = 0; n < 62; n += 1) expect(shows(`r${n}`, 0)).toBe(n < 61 ? 1 : 0);
    expect(juliet.events.at(-1)).toMatchObject({ condition: 'resource-constraint' });
    romeo.crash();
    expect(balcony.gets().length).toBe(64);
  });
});
