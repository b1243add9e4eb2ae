import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CLOSING_MS_MAX,
  CONNECTING_MS_MAX,
  GOOD_STREAM_MS_MIN,
  NEGOTIATION_MS_MAX,
  PAUSE_MS_MAX,
  PAUSE_MS_MIN,
  PING_MS_MAX,
  SILENCE_MS_MAX,
  UNSENT_MS_MAX,
  UNSENT_STANZAS_MAX,
} from '../../../src/xmpp/component/component-limits.ts';
import {
  type ComponentOutput,
  ComponentStream,
} from '../../../src/xmpp/component/component-stream.ts';
import { element } from '../../../src/xmpp/stanza/xmpp-element.ts';
import '../../fast-check-seed.ts';

const JID = 'plays.shakespeare.lit';
const SECRET = 'the play is the thing';
const HEADER =
  "<stream:stream xmlns:stream='http://etherx.jabber.org/streams' " +
  `xmlns='jabber:component:accept' from='${JID}' id='3BF96D32'>`;
const ERRORS = 'urn:ietf:params:xml:ns:xmpp-streams';

/** A component on virtual time, and what it did. */
class World {
  nowMs = 1_000;
  readonly stream = new ComponentStream({ jid: JID, secret: SECRET });
  readonly outputs: ComponentOutput[] = [];

  handle(input: Parameters<ComponentStream['handle']>[0]): readonly ComponentOutput[] {
    const outputs = this.stream.handle(input, this.nowMs);
    this.outputs.push(...outputs);
    return outputs;
  }

  receives(text: string): readonly ComponentOutput[] {
    return this.handle({ type: 'received', bytes: new Uint8Array(Buffer.from(text)) });
  }

  passes(ms: number): readonly ComponentOutput[] {
    this.nowMs += ms;
    return this.handle({ type: 'time' });
  }

  attached(): this {
    this.handle({ type: 'start' });
    this.handle({ type: 'connected' });
    this.receives(HEADER);
    this.receives('<handshake/>');
    return this;
  }
}

const typesOf = (outputs: readonly ComponentOutput[]) => outputs.map(({ type }) => type);
const textOf = (outputs: readonly ComponentOutput[]) =>
  outputs.map((output) => (output.type === 'write' ? output.text : '')).join('');
const detachedOf = (outputs: readonly ComponentOutput[]) =>
  outputs.find((output) => output.type === 'detached');
const stanza = (id: string) =>
  element('message', 'jabber:client', { from: JID, to: 'bill@shakespeare.lit', id });

describe('the stream of a component', () => {
  it('XEP-0114 §3: names itself in "to", in the namespace jabber:component:accept', () => {
    const world = new World();
    expect(typesOf(world.handle({ type: 'start' }))).toEqual(['connect']);
    const header = textOf(world.handle({ type: 'connected' }));
    expect(header).toContain('xmlns="jabber:component:accept"');
    expect(header).toContain(`to="${JID}"`);
    expect(header).not.toContain('version="1.0" to');
  });

  it('XEP-0114 §3: the handshake is SHA-1 of stream id and secret, in lower-case hex', () => {
    const world = new World();
    world.handle({ type: 'start' });
    world.handle({ type: 'connected' });
    const digest = createHash('sha1').update(`3BF96D32${SECRET}`).digest('hex');
    expect(textOf(world.receives(HEADER))).toBe(`<handshake>${digest}</handshake>`);
    expect(typesOf(world.receives('<handshake/>'))).toEqual(['attached']);
    expect(world.stream.isAttached).toBe(true);
  });

  it('hands stanzas up and down in the namespace jabber:client, whole', () => {
    const world = new World().attached();
    const [output] = world.receives(
      `<iq type='get' from='a@b' to='${JID}' id='1'>` +
        "<q xmlns='x'><error xmlns='jabber:component:accept'/></q></iq>",
    );
    expect(output).toMatchObject({
      type: 'stanza',
      stanza: {
        name: 'iq',
        namespace: 'jabber:client',
        children: [{ namespace: 'x', children: [{ namespace: 'jabber:client' }] }],
      },
    });
    expect(textOf(world.handle({ type: 'send', stanza: stanza('7') }))).toBe(
      `<message from="${JID}" to="bill@shakespeare.lit" id="7"/>`,
    );
  });

  it.each([
    ['not-authorized', 'the secret is not the one'],
    ['host-unknown', 'no component of this name'],
    ['conflict', 'another component of this name'],
    ['undefined-condition', 'undefined-condition: because'],
  ])('stream error %s: says why, pauses and comes back', (condition, reason) => {
    const world = new World();
    world.handle({ type: 'start' });
    world.handle({ type: 'connected' });
    const outputs = world.receives(
      `${HEADER}<stream:error><${condition} xmlns='${ERRORS}'/>` +
        `<text xmlns='${ERRORS}'>because</text></stream:error></stream:stream>`,
    );
    expect(typesOf(outputs)).toEqual(['write', 'write', 'disconnect', 'detached']);
    expect(detachedOf(outputs)).toMatchObject({ reason: expect.stringContaining(reason) });
    expect(typesOf(world.passes(PAUSE_MS_MIN))).toEqual(['connect']);
  });

  it.each([
    ['another namespace', HEADER.replace('component:accept', 'client'), 'invalid-namespace'],
    ['no stream at all', "<html xmlns='x' id='1'>", 'invalid-namespace'],
    ['no XML', 'HTTP/1.1 400 Bad Request', 'not-well-formed'],
    ['an entity', `${HEADER}&lol;`, 'bad-format'],
    ['a stanza before the handshake', `${HEADER}<iq/>`, 'not-authorized'],
  ])('%s ends the stream with an error', (_name, text, condition) => {
    const world = new World();
    world.handle({ type: 'start' });
    world.handle({ type: 'connected' });
    const outputs = world.receives(text);
    expect(textOf(outputs)).toContain(`<${condition} xmlns="${ERRORS}"/>`);
    expect(textOf(outputs)).toContain('</stream:stream>');
    expect(detachedOf(outputs)).toBeDefined();
  });

  it('a header without id ends it, but after the error that may follow', () => {
    const header = HEADER.replace(" id='3BF96D32'", '');
    const silent = new World();
    silent.handle({ type: 'start' });
    silent.handle({ type: 'connected' });
    expect(silent.receives(header)).toEqual([]);
    expect(detachedOf(silent.receives('<iq/>'))).toMatchObject({
      reason: 'the header of the server has no id',
    });
    const told = new World();
    told.handle({ type: 'start' });
    told.handle({ type: 'connected' });
    const error = `<stream:error><host-unknown xmlns='${ERRORS}'/></stream:error>`;
    expect(detachedOf(told.receives(header + error))).toMatchObject({
      reason: expect.stringContaining('host-unknown'),
    });
  });

  it('what is no stanza ends an attached stream', () => {
    const world = new World().attached();
    expect(textOf(world.receives('<presense/>'))).toContain('<unsupported-stanza-type');
  });
});

describe('time', () => {
  it('no connection, no header or no handshake in time: another try', () => {
    const world = new World();
    world.handle({ type: 'start' });
    expect(typesOf(world.passes(CONNECTING_MS_MAX))).toEqual(['disconnect', 'detached']);
    expect(typesOf(world.passes(PAUSE_MS_MIN))).toEqual(['connect']);
    world.handle({ type: 'connected' });
    expect(detachedOf(world.passes(NEGOTIATION_MS_MAX))).toBeDefined();
    expect(typesOf(world.passes(2 * PAUSE_MS_MIN))).toEqual(['connect']);
    world.handle({ type: 'connected' });
    world.receives(HEADER);
    expect(detachedOf(world.passes(NEGOTIATION_MS_MAX))).toBeDefined();
  });

  it('pauses double up to a limit, and begin anew after a stream that was good', () => {
    const world = new World();
    world.handle({ type: 'start' });
    const pauses: number[] = [];
    for (let count = 0; count < 9; count += 1) {
      const lost = detachedOf(world.handle({ type: 'disconnected', reason: 'refused' }));
      if (lost?.type !== 'detached') throw new Error('it is not detached');
      pauses.push(lost.pauseMs);
      expect(typesOf(world.passes(lost.pauseMs - 1))).toEqual([]);
      expect(typesOf(world.passes(1))).toEqual(['connect']);
    }
    expect(pauses.slice(0, 4)).toEqual([1, 2, 4, 8].map((factor) => factor * PAUSE_MS_MIN));
    expect(pauses.at(-1)).toBe(PAUSE_MS_MAX);
    world.handle({ type: 'connected' });
    world.receives(`${HEADER}<handshake/>`);
    world.nowMs += GOOD_STREAM_MS_MIN;
    expect(detachedOf(world.handle({ type: 'disconnected', reason: 'reset' }))).toMatchObject({
      pauseMs: PAUSE_MS_MIN,
      reason: 'reset',
    });
  });

  it('a server that takes and drops it at once is asked less and less', () => {
    const world = new World().attached();
    const pauses: number[] = [];
    for (let count = 0; count < 4; count += 1) {
      const lost = detachedOf(world.receives('</stream:stream>'));
      if (lost?.type !== 'detached') throw new Error('it is not detached');
      pauses.push(lost.pauseMs);
      world.passes(lost.pauseMs);
      world.handle({ type: 'connected' });
      world.receives(`${HEADER}<handshake/>`);
    }
    expect(pauses).toEqual([1, 2, 4, 8].map((factor) => factor * PAUSE_MS_MIN));
  });

  it('a silent server is pinged through itself, and left when it stays silent', () => {
    const world = new World().attached();
    const ping = textOf(world.passes(SILENCE_MS_MAX));
    expect(ping).toContain('<ping xmlns="urn:xmpp:ping"/>');
    expect(ping).toContain(`from="${JID}" to="${JID}"`);
    // It comes back, and nobody hears of it.
    expect(world.receives(ping)).toEqual([]);
    expect(typesOf(world.passes(SILENCE_MS_MAX))).toEqual(['write']);
    const left = world.passes(PING_MS_MAX);
    expect(textOf(left)).toContain('<connection-timeout');
    expect(detachedOf(left)).toMatchObject({ reason: 'the server is silent' });
  });
});

describe('stanzas while there is no stream', () => {
  it('wait for the next one, in their order', () => {
    const world = new World().attached();
    world.handle({ type: 'disconnected', reason: 'reset' });
    for (const id of ['1', '2'])
      expect(world.handle({ type: 'send', stanza: stanza(id) })).toEqual([]);
    world.passes(PAUSE_MS_MIN);
    world.handle({ type: 'connected' });
    const sent = textOf(world.receives(`${HEADER}<handshake/>`));
    expect(sent).toMatch(/id="1".*id="2"/);
  });

  it('are no more than a limit, and none that nobody waits for', () => {
    const world = new World();
    world.handle({ type: 'start' });
    world.handle({ type: 'send', stanza: stanza('late') });
    world.nowMs += UNSENT_MS_MAX + 1;
    for (let id = 0; id <= UNSENT_STANZAS_MAX; id += 1) {
      world.handle({ type: 'send', stanza: stanza(`n${id}`) });
    }
    world.handle({ type: 'connected' });
    const sent = world.receives(`${HEADER}<handshake/>`).filter(({ type }) => type === 'write');
    expect(sent.length).toBe(UNSENT_STANZAS_MAX + 1);
    expect(textOf(sent)).not.toContain('id="late"');
    expect(textOf(sent)).not.toContain('id="n0"');
    expect(textOf(sent)).toContain(`id="n${UNSENT_STANZAS_MAX}"`);
  });
});

describe('stopping', () => {
  it('ends the stream, and waits for the end of the server', () => {
    const world = new World().attached();
    expect(textOf(world.handle({ type: 'stop' }))).toBe('</stream:stream>');
    expect(typesOf(world.receives('<iq/></stream:stream>'))).toEqual(['disconnect', 'stopped']);
    expect(world.stream.nextDeadline()).toBeUndefined();
  });

  it('waits no longer than a limit, and not at all without a stream', () => {
    const silent = new World().attached();
    silent.handle({ type: 'stop' });
    expect(typesOf(silent.passes(CLOSING_MS_MAX))).toEqual(['disconnect', 'stopped']);
    const connecting = new World();
    connecting.handle({ type: 'start' });
    expect(typesOf(connecting.handle({ type: 'stop' }))).toEqual(['disconnect', 'stopped']);
    expect(typesOf(new World().handle({ type: 'stop' }))).toEqual(['stopped']);
    const cut = new World().attached();
    cut.handle({ type: 'stop' });
    expect(typesOf(cut.handle({ type: 'disconnected', reason: 'reset' }))).toEqual(['stopped']);
  });
});

describe('whatever a server sends, however it is cut', () => {
  const pieces = fc.constantFrom(
    HEADER,
    HEADER.replace(" id='3BF96D32'", ''),
    '<handshake/>',
    '<handshake>',
    '</handshake>',
    "<iq type='get' from='a@b' id='1'/>",
    "<message from='a@b'><body>&lt;</body></message>",
    `<stream:error><conflict xmlns='${ERRORS}'/></stream:error>`,
    '</stream:stream>',
    '<!DOCTYPE x>',
    '<a:b/>',
    '\u0000',
    ' ',
  );
  const step = fc.oneof(
    { weight: 6, arbitrary: pieces.map((text) => ({ type: 'received' as const, text })) },
    { weight: 1, arbitrary: fc.string().map((text) => ({ type: 'received' as const, text })) },
    { weight: 2, arbitrary: fc.nat(100_000).map((ms) => ({ type: 'passes' as const, ms })) },
    { weight: 1, arbitrary: fc.constant({ type: 'connected' as const }) },
    { weight: 1, arbitrary: fc.constant({ type: 'disconnected' as const, reason: 'cut' }) },
    { weight: 1, arbitrary: fc.constant({ type: 'send' as const, stanza: stanza('1') }) },
    { weight: 1, arbitrary: fc.constant({ type: 'stop' as const }) },
  );

  it('it never throws, writes only on a connection, and hands up stanzas only when attached', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const world = new World();
        world.handle({ type: 'start' });
        let isConnected = false;
        let isAttached = false;
        for (const next of steps) {
          if (next.type === 'connected') isConnected = true;
          const outputs =
            next.type === 'received'
              ? world.receives(next.text)
              : next.type === 'passes'
                ? world.passes(next.ms)
                : world.handle(next);
          if (next.type === 'disconnected') isConnected = isAttached = false;
          for (const { type } of outputs) {
            if (type === 'write') expect(isConnected).toBe(true);
            if (type === 'attached') isAttached = true;
            if (type === 'stanza') expect(isAttached).toBe(true);
            if (type === 'disconnect' || type === 'connect') isConnected = isAttached = false;
          }
        }
      }),
    );
  });
});
