import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { DirectWorld, JULIET, ROMEO, type Tested } from './direct-world.ts';

const LINK = 700;
const HEADER =
  "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' " +
  `from='${JULIET}' to='${ROMEO}' version='1.0'>`;
const SM = 'urn:xmpp:sm:3';

let world: DirectWorld;
let romeo: Tested;
let said: string;

beforeEach(() => {
  world = new DirectWorld();
  said = '';
  romeo = connected();
});

/** Romeo has connected to a device of Juliet's that asked for it; the test plays that device. */
function connected(): Tested {
  const tested = world.started('2', ROMEO);
  const juliet = world.added('8', JULIET).device;
  const { nodeId, node } = juliet;
  const address = { type: 'ipv4', address: Uint8Array.of(192, 0, 2, 9), port: 1 } as const;
  const outputs = tested.device.core.handle(
    { type: 'appAttachRequested', nodeId, addresses: [address] },
    world.now,
  );
  const [connecting] = outputs.filter((output) => output.type === 'directConnect');
  expect(connecting).toMatchObject({ target: { address, expectedNodeId: nodeId } });
  const attempt = connecting?.attempt ?? 0;
  take(
    tested,
    tested.device.core.handle({ type: 'directLinkUp', link: LINK, node, attempt }, world.now),
  );
  return tested;
}

function says(text: string | Uint8Array): string {
  const bytes = typeof text === 'string' ? new Uint8Array(Buffer.from(text)) : text;
  take(romeo, romeo.device.core.handle({ type: 'directLinkData', link: LINK, bytes }, world.now));
  return said;
}

function take(tested: Tested, outputs: ReturnType<Tested['device']['core']['handle']>): void {
  for (const output of outputs) {
    if (output.type === 'directSend') said += Buffer.from(output.bytes).toString();
    else if (output.type === 'directClose') said += `[${output.reason}]`;
    else if (output.type === 'event') tested.device.events.push(output.event);
  }
}

function opened(header = HEADER): void {
  says(`${header}<enable xmlns='${SM}' resume='true'/>`);
  expect(said).toMatch(/<enabled xmlns="urn:xmpp:sm:3" id="[0-9a-f]{32}" resume="true"/);
  said = '';
}

test('the end that was asked answers header, features and stream management', () => {
  says(HEADER);
  expect(said).toContain(`from="${ROMEO}" to="${JULIET}"`);
  expect(said).toContain(`<stream:features><sm xmlns="${SM}"/></stream:features>`);
  opened('');
  expect(romeo.tester.told).toContain(`connected ${JULIET}`);
});

test.each([
  [
    'from somebody else',
    HEADER.replace(`from='${JULIET}'`, "from='nurse@capulet.lit'"),
    'invalid-from',
  ],
  ['to somebody else', HEADER.replace(`to='${ROMEO}'`, "to='paris@verona.lit'"), 'host-unknown'],
  ['without version', HEADER.replace(" version='1.0'", ''), 'unsupported-version'],
  ['of servers', HEADER.replace("'jabber:client'", "'jabber:server'"), 'invalid-namespace'],
  ['no stream', "<stream xmlns='jabber:client'>", 'invalid-namespace'],
  ['a DTD', "<!DOCTYPE lolz><stream:stream xmlns:stream='x'>", 'restricted-xml'],
  ['no XML', 'GET / HTTP/1.1\r\n\r\n', 'not-well-formed'],
])('RFC 6120 §4.9.3: a header %s ends the stream by the error’s name', (_, header, condition) => {
  says(header);
  expect(said).toContain(`<${condition} xmlns="urn:ietf:params:xml:ns:xmpp-streams"/>`);
  expect(said).toContain('</stream:stream>[');
});

test('a stanza before stream management is not taken', () => {
  says(`${HEADER}<message from='${JULIET}'><body>early</body></message>`);
  expect(said).toContain('<not-authorized ');
  expect(romeo.tester.received).toEqual([]);
});

test('XEP-0198 §6: an acknowledgement of what was never sent ends the stream', () => {
  opened();
  says(`<a xmlns='${SM}' h='3'/>`);
  expect(said).toContain('<handled-count-too-high xmlns="urn:xmpp:sm:3" h="3" send-count="0"/>');
  expect(romeo.tester.told).toContain(`lost ${JULIET}`);
});

test('XEP-0198 §5: a session that is not known is not resumed, and a new one may begin', () => {
  says(`${HEADER}<resume xmlns='${SM}' previd='somebody-elses' h='0'/>`);
  expect(said).toContain('<item-not-found ');
  opened('');
});

test('XEP-0198 §5: an id of a session that is too long to be kept ends the stream', () => {
  says(`${HEADER}<enable xmlns='${SM}' id='${'i'.repeat(4_001)}'/>`);
  expect(said).toContain('<bad-format ');
});

test.each([
  ['stream management twice', `<enable xmlns='${SM}'/>`, 'policy-violation'],
  ['a count that is none', `<a xmlns='${SM}' h='-1'/>`, 'bad-format'],
  ['an unknown element', "<iq xmlns='urn:example'/>", 'unsupported-stanza-type'],
  [
    'a stanza that is too large',
    `<message from='${JULIET}'>${'x'.repeat(300_000)}`,
    'policy-violation',
  ],
  ['nesting without end', '<a>'.repeat(100_000), 'policy-violation'],
])('an open stream ends at %s, and the session with it', (_, text, condition) => {
  opened();
  says(text);
  expect(said).toContain(`<${condition} xmlns="urn:ietf:params:xml:ns:xmpp-streams"/>`);
  expect(romeo.tester.told).toContain(`lost ${JULIET}`);
});

test('a half-open stream ends after the negotiation’s time', () => {
  world.nowMs += 16_000;
  take(romeo, romeo.device.core.handle({ type: 'tick' }, world.now));
  expect(said).toContain('[no stream after 15000 ms]');
});

test('RFC 6940 §6.5.2: whoever asks again and again has one connection made at a time', () => {
  const { nodeId } = world.added('9', JULIET).device;
  const asks = (port: number) => {
    const address = { type: 'ipv4', address: Uint8Array.of(192, 0, 2, 66), port } as const;
    const { core } = romeo.device;
    const offer = { type: 'appAttachRequested', nodeId, addresses: [address] } as const;
    return core.handle(offer, world.now).filter(({ type }) => type === 'directConnect');
  };
  const first = asks(1).map((output) => (output.type === 'directConnect' ? output.attempt : 0));
  const more = Array.from({ length: 100 }, (_, index) => asks(index + 2)).flat();
  expect([first.length, more.length, romeo.tester.streams.loads.attempts]).toEqual([1, 0, 1]);
  const failed = {
    type: 'directConnectFailed',
    attempt: first[0] ?? 0,
    reason: 'refused',
  } as const;
  const next = romeo.device.core.handle(failed, world.now);
  expect(next.filter(({ type }) => type === 'directConnect')).toMatchObject([
    { target: { address: { port: 101 } } },
  ]);
});

test('whatever bytes come, however they are cut, nothing is thrown and the end is orderly', () => {
  const pieces = fc.array(
    fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.constantFrom(
        HEADER,
        `<enable xmlns='${SM}' resume='true'/>`,
        `<resume xmlns='${SM}' previd='x' h='1'/>`,
        `<r xmlns='${SM}'/>`,
        `<a xmlns='${SM}' h='0'/>`,
        `<failed xmlns='${SM}'/>`,
        `<message from='${JULIET}'><body>x</body></message>`,
        "<message from='mallory@example.org'/>",
        '</stream:stream>',
        '<stream:error/>',
      ),
    ),
    { maxLength: 12 },
  );
  fc.assert(
    fc.property(pieces, (parts) => {
      world = new DirectWorld();
      said = '';
      romeo = connected();
      for (const part of parts) says(part);
      world.nowMs += 20_000;
      take(romeo, romeo.device.core.handle({ type: 'tick' }, world.now));
      expect(romeo.tester.received.every((text) => text === 'x')).toBe(true);
    }),
    { numRuns: 60 },
  );
});
