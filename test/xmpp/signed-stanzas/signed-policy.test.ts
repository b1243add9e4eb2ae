import { describe, expect, test } from 'vitest';
import { isSigned } from '../../../src/xmpp/signed-stanzas/signed-content.ts';
import { FALLBACK_BYTES_MAX } from '../../../src/xmpp/signed-stanzas/signed-limits.ts';
import { StanzaRefusal } from '../../../src/xmpp/signed-stanzas/stanza-refusal.ts';
import {
  childElements,
  withAttributes,
  writeElement,
} from '../../../src/xmpp/stanza/xmpp-element.ts';
import { body, condition, xml } from '../routing/verona.ts';
import { chat, codeOf, JULIET, ROMEO, type SignedPeer, SignedWorld } from './signed-world.ts';

function romeoOf(world: SignedWorld, options: Parameters<SignedWorld['peer']>[1] = {}): SignedPeer {
  const romeo = world.peer(world.device(ROMEO), options);
  romeo.connect();
  return romeo;
}

describe('what leaves', () => {
  test('is signed for who has a certificate, and for nobody else', () => {
    const world = new SignedWorld();
    const juliet = world.peer(world.device(JULIET));
    world.device(ROMEO);
    expect(isSigned(juliet.send(chat('O')))).toBe(true);
    const plain = chat('O', JULIET, 'nurse@capulet.lit');
    expect(writeElement(juliet.send(plain))).toBe(writeElement(xml(plain)));
  });

  test('by policy off is not signed', () => {
    const world = new SignedWorld();
    world.device(ROMEO);
    const juliet = world.peer(world.device(JULIET), { policy: 'off' });
    expect(isSigned(juliet.send(chat('O')))).toBe(false);
  });

  test.each([
    ['broadcast presence', '<presence/>', false],
    ['directed presence', `<presence to="${ROMEO}"/>`, true],
    ['groupchat', `<message type="groupchat" to="${ROMEO}"><body>O</body></message>`, false],
    ['an error', `<message type="error" to="${ROMEO}"/>`, false],
    ['a request to a device', `<iq type="get" id="a" to="${ROMEO}/orchard"><q/></iq>`, true],
    ['a request to an account', `<iq type="get" id="a" to="${ROMEO}"><q/></iq>`, false],
    ['a request to a server', '<iq type="get" id="a" to="montague.lit"><q/></iq>', false],
  ])('XEP-0285 §3: %s', (_, text, expected) => {
    const world = new SignedWorld();
    world.device(ROMEO);
    const juliet = world.peer(world.device(JULIET));
    expect(isSigned(juliet.send(text))).toBe(expected);
  });

  test('tells servers outside what hints inside ask of them', () => {
    const world = new SignedWorld();
    world.device(ROMEO);
    const juliet = world.peer(world.device(JULIET));
    const hints = (text: string) =>
      childElements(juliet.send(text))
        .filter(({ namespace }) => namespace === 'urn:xmpp:hints')
        .map(({ name }) => name);
    expect(hints(chat('O'))).toEqual(['store']);
    const noStore = '<no-store xmlns="urn:xmpp:hints"/><body>';
    expect(hints(chat('O').replace('<body>', noStore))).toEqual(['no-store']);
  });

  test('has its text beside the signature, for clients that know no signatures', () => {
    const world = new SignedWorld();
    world.device(ROMEO);
    const juliet = world.peer(world.device(JULIET));
    const left = juliet.send(chat('Stay').replace('<body>', '<thread>t</thread><body>'));
    expect(childElements(left).map(({ name }) => name)).toEqual([
      ...['signed', 'thread', 'body', 'fallback', 'store'],
    ]);
    expect(body(left)).toBe('Stay');
  });

  test('has none beside it where both together would be too large', () => {
    const world = new SignedWorld();
    world.device(ROMEO);
    const juliet = world.peer(world.device(JULIET));
    const left = juliet.send(chat('x'.repeat(FALLBACK_BYTES_MAX)));
    expect(childElements(left).map(({ name }) => name)).toEqual(['signed', 'store']);
  });

  test('has a sender that is signed, also where the client named none', () => {
    const world = new SignedWorld();
    const romeo = romeoOf(world);
    const juliet = world.peer(world.device(JULIET));
    const outer = juliet.send(`<message to="${ROMEO}" type="chat"><body>O</body></message>`);
    expect(outer.attributes.get('from')).toBe(JULIET);
    expect(codeOf(romeo.receive(outer))).toBe('signed');
  });

  test('is refused to its sender when it is too large to be signed', () => {
    const world = new SignedWorld();
    world.device(ROMEO);
    const juliet = world.peer(world.device(JULIET));
    const [left] = juliet.outgoing(chat('x'.repeat(150_000)));
    expect(left).toBeInstanceOf(StanzaRefusal);
  });

  test('keeps its order while certificates are looked for', () => {
    const world = new SignedWorld();
    world.device(ROMEO);
    const juliet = world.peer(world.device(JULIET));
    juliet.holdsLookups = true;
    const left = [chat('One'), chat('Two')].map((text) => juliet.outgoing(text));
    expect(left).toEqual([[], []]);
    juliet.answerLookups();
    const romeo = romeoOf(world);
    const arrived = left.map(([outer]) =>
      outer instanceof StanzaRefusal || outer === undefined ? 'none' : codeOf(romeo.receive(outer)),
    );
    expect(arrived).toEqual(['signed', 'signed']);
  });
});

describe('what arrives unsigned', () => {
  const unsigned = xml(chat('O'));

  test('is handed on as what it is, without a mark of a signature', () => {
    const world = new SignedWorld();
    world.device(JULIET);
    expect(codeOf(romeoOf(world).receive(unsigned))).toBe('unsigned');
  });

  test('by policy require is refused from who has a certificate: unsigned', () => {
    const world = new SignedWorld();
    world.device(JULIET);
    const romeo = romeoOf(world, { policy: 'require' });
    const arrived = romeo.receive(unsigned);
    expect(codeOf(arrived)).toBe('unsigned');
    expect(arrived.type).toBe('refused');
    const answer = arrived.type === 'refused' ? arrived.answer : undefined;
    expect(answer && condition(answer)).toBe('policy-violation');
  });

  test.each([
    ['result', 'message'],
    ['Error', 'message'],
    ['set', 'iq'],
    ['groupchat', 'iq'],
    ['Result', 'iq'],
  ])('by policy require the type "%s" of a %s spares nobody the signature', (type, name) => {
    const world = new SignedWorld();
    world.device(JULIET);
    const text = `<${name} type="${type}" id="a" from="${JULIET}/balcony"><body>O</body></${name}>`;
    const arrived = romeoOf(world, { policy: 'require' }).receive(xml(text));
    expect(arrived.type).toBe('refused');
  });

  test('by policy require is taken from who has none', () => {
    const romeo = romeoOf(new SignedWorld(), { policy: 'require' });
    expect(romeo.receive(unsigned).type).toBe('unsigned');
  });

  test('by policy require is refused while nobody knows who has one', () => {
    const world = new SignedWorld();
    const romeo = romeoOf(world, { policy: 'require' });
    world.overlay = undefined;
    expect(romeo.receive(unsigned).type).toBe('refused');
  });

  test.each([
    ['presence', `<presence from="${JULIET}/balcony"/>`],
    ['an error', `<message type="error" from="${JULIET}"/>`],
    ['a result', `<iq type="result" id="a" from="${JULIET}/balcony"/>`],
    ['what the server itself says', '<message from="montague.lit"><body>O</body></message>'],
    ['what is from nobody', '<message><body>O</body></message>'],
  ])('by policy require %s may come from servers', (_, text) => {
    const world = new SignedWorld();
    world.device(JULIET);
    expect(romeoOf(world, { policy: 'require' }).receive(xml(text)).type).toBe('unsigned');
  });

  test('by policy off is taken, and what is signed wrongly is refused all the same', () => {
    const world = new SignedWorld();
    const juliet = world.peer(world.device(JULIET));
    const romeo = romeoOf(world, { policy: 'off' });
    expect(romeo.receive(unsigned).type).toBe('unsigned');
    const outer = juliet.send(chat('O'));
    expect(codeOf(romeo.receive(outer))).toBe('signed');
    expect(codeOf(romeo.receive(outer))).toBe('replayed');
  });
});

describe('copies of what other clients of the user sent (XEP-0280)', () => {
  function devices() {
    const world = new SignedWorld();
    world.device(ROMEO);
    const laptop = world.peer(world.device(JULIET));
    const phone = world.peer(world.device(JULIET));
    laptop.connect();
    return { laptop, phone };
  }

  test('count as signed by the device that sent them', () => {
    const { laptop, phone } = devices();
    const arrived = laptop.receive(phone.send(chat('O')));
    expect(codeOf(arrived)).toBe('signed');
    expect(arrived.type === 'signed' && arrived.stanza.attributes.get('to')).toBe(ROMEO);
  });

  test('show nobody else as the one they were sent to', () => {
    const { laptop, phone } = devices();
    const outer = withAttributes(phone.send(chat('O')), { to: 'paris@verona.lit' });
    expect(codeOf(laptop.receive(outer))).toBe('wrong-addressee');
  });
});
